import errno
import os
import socket
import threading
import time
from pathlib import Path

import pytest

from archive_tui.integrity.digest import DIGEST_OF_NOTHING, sha256_of_bytes
from archive_tui.operations.hashing.opened_paths import FollowedPaths, open_paths
from archive_tui.operations.hashing.small_files import LARGER, SMALL_READ, hash_small_files


class StopAfter:
    """Says stop when it has been asked `times` times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


def look(root: Path, names: list[str], *, follow: bool, largest: int = 200_000) -> dict[str, tuple[int, str] | int]:
    """Size and digest, or the number of the error."""
    paths = open_paths(os.fspath(root), follow_symlinks=follow)
    sizes, digests, errors, _ = hash_small_files(paths, [os.fsencode(name) for name in names], largest=largest)
    assert len(digests) == 32 * len(names) == 32 * len(sizes)
    pieces = [digests[start : start + 32].hex() for start in range(0, len(digests), 32)]
    found = list(zip(sizes, pieces, strict=True))
    return {name: errors.get(position, found[position]) for position, name in enumerate(names)}


@pytest.mark.parametrize("follow", [True, False])
def test_sizes_around_every_limit(follow: bool, tmp_path: Path) -> None:
    sizes = [0, 1, 4096, SMALL_READ - 1, SMALL_READ, SMALL_READ + 1, 65_536, 65_537, 200_000]
    contents = {f"d/{size}": os.urandom(size) for size in sizes}
    (tmp_path / "d").mkdir()
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "d" / "large").write_bytes(b"l" * 200_001)
    found = look(tmp_path, [*contents, "d/large"], follow=follow)
    assert found.pop("d/large") == LARGER
    assert found == {name: (len(content), sha256_of_bytes(content)) for name, content in contents.items()}


def make_odd_things(folder: Path) -> None:
    (folder / "one").write_bytes(b"1")
    (folder / "sub").mkdir()
    (folder / "sub" / "two").write_bytes(b"2")
    (folder / "to-one").symlink_to("one")
    (folder / "to-sub").symlink_to("sub")
    (folder / "loop").symlink_to("loop")
    (folder / "nowhere").symlink_to("absent")
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(folder)
        listener.bind("socket")
        os.chdir(here)


ODD = ["one", "sub", "absent", "to-one", "to-sub/two", "loop", "nowhere", "pipe", "socket", "one/x", "to-sub"]


def test_links_are_not_followed_below_a_contained_root(tmp_path: Path) -> None:
    make_odd_things(tmp_path)
    assert look(tmp_path, ODD, follow=False) == {
        "one": (1, sha256_of_bytes(b"1")),
        "sub": errno.EISDIR,
        "absent": errno.ENOENT,
        "to-one": errno.ELOOP,
        "to-sub/two": errno.ENOTDIR,
        "loop": errno.ELOOP,
        "nowhere": errno.ELOOP,
        "pipe": errno.EINVAL,
        "socket": errno.ENXIO,
        "one/x": errno.ENOTDIR,
        "to-sub": errno.ELOOP,
    }


def test_followed_names_mean_what_they_mean_to_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_odd_things(tmp_path)
    one, two = (1, sha256_of_bytes(b"1")), (1, sha256_of_bytes(b"2"))
    assert look(tmp_path, ODD, follow=True) == {
        "one": one,
        "sub": errno.EISDIR,
        "absent": errno.ENOENT,
        "to-one": one,
        "to-sub/two": two,
        "loop": errno.ELOOP,
        "nowhere": errno.ENOENT,
        "pipe": errno.EINVAL,
        "socket": errno.ENXIO,
        "one/x": errno.ENOTDIR,
        "to-sub": errno.EISDIR,
    }
    deep = "sub/../" * 500 + "one"
    names = ["./one", "sub/../one", "sub//two", ".//sub/./two", deep, f"{tmp_path}/one", f"/..{tmp_path}//sub/two"]
    assert look(tmp_path, names, follow=True) == dict(zip(names, [one, one, two, two, one, one, two], strict=True))
    names = ["", ".", "..", "/", "sub/", "one/", "one/.", "x" * 256, "sub/../" * 700 + "one", "absent/../one"]
    numbers = [errno.ENOENT, *[errno.EISDIR] * 4, *[errno.ENOTDIR] * 2, *[errno.ENAMETOOLONG] * 2, errno.ENOENT]
    assert list(look(tmp_path, names, follow=True).values()) == numbers
    monkeypatch.chdir(tmp_path / "sub")
    assert look(Path(), ["two", "../one"], follow=True) == {"two": two, "../one": one}


def test_what_may_be_entered_but_not_listed_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen from the flags: whoever runs this may be root, who may list everything."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "x").write_bytes(b"x")
    used: list[int] = []
    real = os.open

    def note(path: bytes, flags: int, *arguments: int, **options: int) -> int:
        used.append(flags)
        return real(path, flags, *arguments, **options)

    monkeypatch.setattr(os, "open", note)
    assert isinstance(look(tmp_path, ["d/x"], follow=True)["d/x"], tuple)
    assert all(flags & os.O_PATH for flags in used[:2])


def test_devices() -> None:
    assert look(Path("/dev"), ["zero", "null"], follow=False) == {"zero": errno.EINVAL, "null": errno.EINVAL}
    assert look(Path("/"), ["/dev/zero", "/dev/null"], follow=True) == {
        "/dev/zero": errno.EINVAL,
        "/dev/null": (0, DIGEST_OF_NOTHING),
    }


@pytest.mark.parametrize("follow", [True, False])
def test_a_pipe_with_a_writer_keeps_what_is_in_it(follow: bool, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    pipe = os.open(tmp_path / "pipe", os.O_RDWR)
    try:
        os.write(pipe, b"not for us")
        assert look(tmp_path, ["pipe"], follow=follow) == {"pipe": errno.EINVAL}
        assert os.read(pipe, 100) == b"not for us"
    finally:
        os.close(pipe)


def test_a_file_whose_size_is_not_known_is_read_to_its_end() -> None:
    content = Path("/proc/self/environ").read_bytes()
    assert look(Path("/proc/self"), ["environ"], follow=False)["environ"] == (len(content), sha256_of_bytes(content))


def test_a_file_that_grows_all_the_time_is_left_for_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_bytes(b"x" * 20_000)
    monkeypatch.setattr(os, "pread", lambda descriptor, size, offset: b"x" * size)
    assert look(tmp_path, ["f"], follow=False) == {"f": LARGER}


def test_a_file_that_has_become_longer_is_hashed_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_bytes(b"x" * 100)
    real = os.lseek

    def grow(descriptor: int, offset: int, whence: int) -> int:
        size = real(descriptor, offset, whence)
        with (tmp_path / "f").open("ab") as file:
            file.write(b"y" * 50_000)
        return size

    monkeypatch.setattr(os, "lseek", grow)
    content = b"x" * 100 + b"y" * 50_000
    assert look(tmp_path, ["f"], follow=False) == {"f": (len(content), sha256_of_bytes(content))}


def test_it_stops_within_a_few_files(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / str(number)).write_bytes(b"x")
    names = [b"%d" % number for number in range(40)]
    sizes, digests, errors, _ = hash_small_files(
        FollowedPaths(os.fspath(tmp_path)), names, largest=20_000, stop=StopAfter(1)
    )
    assert (len(sizes), len(digests), errors) == (16, 16 * 32, {})


@pytest.mark.parametrize("follow", [True, False])
def test_no_descriptor_is_left_open(follow: bool, tmp_path: Path) -> None:
    make_odd_things(tmp_path)
    (tmp_path / "a").write_bytes(b"x" * 300_000)
    before = len(list(Path("/proc/self/fd").iterdir()))
    look(tmp_path, [*ODD, "a"] * 10, follow=follow)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_a_contained_root_holds_few_folders_open(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "x").write_bytes(b"x")
    paths = open_paths(os.fspath(tmp_path), follow_symlinks=False)
    before = len(list(Path("/proc/self/fd").iterdir()))
    _, _, errors, _ = hash_small_files(paths, [b"%d/x" % number for number in range(50)] * 2, largest=20_000)
    assert not errors
    assert len(list(Path("/proc/self/fd").iterdir())) - before <= 34
    paths.close()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_contained_folders_may_be_opened_from_several_threads(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "x").write_bytes(b"x")
    paths = open_paths(os.fspath(tmp_path), follow_symlinks=False)
    names = [b"%d/x" % number for number in range(60)] * 5
    results: list[dict[int, int]] = []
    threads = [
        threading.Thread(target=lambda: results.append(hash_small_files(paths, names, largest=20_000)[2]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 30
    for thread in threads:
        thread.join(deadline - time.monotonic())
    assert results == [{}] * 4
