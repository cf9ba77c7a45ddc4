"""Gives files and folders another place within their file system, without reading them, and never over anything."""

from __future__ import annotations

import errno
import os
import stat

from archive_tui.errors import ObjectExists
from archive_tui.objects.folder.errors import translate_os_errors
from archive_tui.objects.folder.listing import describe_file
from archive_tui.objects.folder.paths import MadeFolders, open_folder, split_key, sync_folder
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectInfo

_NO_WAY = {errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EBUSY}
"""Another file system, one without hard links, or a file that may not be linked: it has to be copied."""


def link_file(source: FolderStore, key: str, target: FolderStore, target_key: str) -> ObjectInfo | None:
    """Lets the file have the name at the target as well, durably; returns how it looks there. None: copy it instead.

    A name at the target that is this very file already, by a second entry, is what was wanted.

    Raises: ObjectExists; ObjectNotFound, what the folders raise.
    """
    (folder, name), (new_folder, new_name) = split_key(key), split_key(target_key)
    with translate_os_errors(key, source.label):
        source_fd = open_folder(source.root, folder, enters_symlinks=source.enters_symlinks)
    made = MadeFolders(target.root, enters_symlinks=target.enters_symlinks)
    try:
        with translate_os_errors(key, source.label):
            is_file = stat.S_ISREG(os.stat(name, dir_fd=source_fd, follow_symlinks=False).st_mode)
        if not is_file:
            return None
        with translate_os_errors(target_key, target.label, writing=True):
            target_fd = made.open(new_folder)
            try:
                status = _link(name, source_fd, new_name, target_fd)
            finally:
                os.close(target_fd)
        if status is None:
            made.take_back()
        return None if status is None else describe_file(target_key, status)
    except BaseException:
        made.take_back()
        raise
    finally:
        os.close(source_fd)


def _link(name: str, source_fd: int, new_name: str, target_fd: int) -> os.stat_result | None:
    try:
        os.link(name, new_name, src_dir_fd=source_fd, dst_dir_fd=target_fd, follow_symlinks=False)
    except FileExistsError:
        if not _are_two_names(name, source_fd, new_name, target_fd):
            raise
    except OSError as error:
        if error.errno in _NO_WAY:
            return None
        raise
    sync_folder(target_fd)
    return os.stat(new_name, dir_fd=target_fd, follow_symlinks=False)


def _are_two_names(name: str, source_fd: int, new_name: str, target_fd: int) -> bool:
    """True for two entries of one file: removing one leaves the other."""
    one = os.stat(name, dir_fd=source_fd, follow_symlinks=False)
    other = os.stat(new_name, dir_fd=target_fd, follow_symlinks=False)
    is_one_file = (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
    return is_one_file and one.st_nlink > 1 and not _is_one_folder(source_fd, target_fd, name == new_name)


def _is_one_folder(source_fd: int, target_fd: int, has_same_name: bool) -> bool:
    one, other = os.fstat(source_fd), os.fstat(target_fd)
    return has_same_name and (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def are_two_names_of_one_file(source: FolderStore, key: str, target: FolderStore, target_key: str) -> bool | None:
    """True when the two are entries of one file, of which either may go; False when they are one and the same entry;
    None when they are two files, as far as the system can tell.

    Raises: ObjectNotFound, what the folders raise.
    """
    (folder, name), (new_folder, new_name) = split_key(key), split_key(target_key)
    with translate_os_errors(key, source.label):
        source_fd = open_folder(source.root, folder, enters_symlinks=source.enters_symlinks)
        try:
            target_fd = open_folder(target.root, new_folder, enters_symlinks=target.enters_symlinks)
            try:
                one = os.stat(name, dir_fd=source_fd, follow_symlinks=False)
                other = os.stat(new_name, dir_fd=target_fd, follow_symlinks=False)
                if (one.st_dev, one.st_ino) != (other.st_dev, other.st_ino):
                    return None
                return _are_two_names(name, source_fd, new_name, target_fd)
            finally:
                os.close(target_fd)
        finally:
            os.close(source_fd)


def rename_folder(source: FolderStore, key: str, target: FolderStore, target_key: str) -> bool:
    """Gives a folder, with all that lies in it, its new place in one step, durably. False: it has to be done file by
    file, as something of that name lies there, it is no plain folder, or another file system.

    Raises: what the folders raise.
    """
    (folder, name), (new_folder, new_name) = split_key(key), split_key(target_key)
    with translate_os_errors(key, source.label):
        source_fd = open_folder(source.root, folder, enters_symlinks=source.enters_symlinks)
    made = MadeFolders(target.root, enters_symlinks=target.enters_symlinks)
    try:
        with translate_os_errors(target_key, target.label, writing=True):
            target_fd = made.open(new_folder)
            try:
                is_moved = _rename(name, source_fd, new_name, target_fd)
            finally:
                os.close(target_fd)
        if not is_moved:
            made.take_back()
        return is_moved
    except ObjectExists:
        made.take_back()
        return False
    except BaseException:
        made.take_back()
        raise
    finally:
        os.close(source_fd)


def _rename(name: str, source_fd: int, new_name: str, target_fd: int) -> bool:
    try:
        if not stat.S_ISDIR(os.stat(name, dir_fd=source_fd, follow_symlinks=False).st_mode):
            return False
    except FileNotFoundError:
        return False
    try:
        os.stat(new_name, dir_fd=target_fd, follow_symlinks=False)
        return False
    except FileNotFoundError:
        pass  # what comes there from now on is an empty folder at most: rename(2) of a folder replaces nothing else
    try:
        os.rename(name, new_name, src_dir_fd=source_fd, dst_dir_fd=target_fd)
    except OSError as error:
        if error.errno in _NO_WAY | {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EACCES, errno.EINVAL}:
            return False
        raise
    sync_folder(target_fd)
    sync_folder(source_fd)
    return True
