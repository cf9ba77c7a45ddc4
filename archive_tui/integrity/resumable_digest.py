"""SHA-256 whose state can be written down, so that a long reading goes on where an earlier run has stopped.

hashlib keeps its state to itself. The library below it has functions that do not; they are called here, and are as
fast, for other threads run meanwhile. Where that library cannot be found, or does not give the digests of hashlib,
there is no such thing, and what is large is read from its beginning again.
"""

from __future__ import annotations

import ctypes
import hashlib
import struct
from functools import cache

from archive_tui.integrity.streams import Chunk

_LIBRARIES = ("libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.so")
_WORDS = struct.Struct(">8IQ")
"""What is written down: the eight words of the state and the bytes hashed; behind them the bytes of a begun block."""

_BLOCK = 64
_DIGEST_SIZE = 32
_LOW = 0xFFFFFFFF


class _Context(ctypes.Structure):
    """SHA256_CTX of <openssl/sha.h>: part of the library's interface, for callers keep it in their own memory."""

    _fields_ = (
        ("words", ctypes.c_uint32 * 8),
        ("bits_low", ctypes.c_uint32),
        ("bits_high", ctypes.c_uint32),
        ("block", ctypes.c_ubyte * _BLOCK),
        ("in_block", ctypes.c_uint),
        ("digest_size", ctypes.c_uint),
    )


class _Buffer(ctypes.Structure):
    """Py_buffer: the way to the address of bytes that may not be written to, without a copy."""

    _fields_ = (
        ("address", ctypes.c_void_p),
        ("owner", ctypes.c_void_p),
        ("size", ctypes.c_ssize_t),
        ("item_size", ctypes.c_ssize_t),
        ("is_read_only", ctypes.c_int),
        ("dimensions", ctypes.c_int),
        ("format", ctypes.c_void_p),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    )


class ResumableSha256:
    """For one thread at a time. Made by `new_resumable_sha256` or `restore_sha256`."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._context = _Context()
        library.SHA256_Init(ctypes.byref(self._context))

    @property
    def size(self) -> int:
        """Bytes hashed so far."""
        return int(self._context.bits_high << 32 | self._context.bits_low) >> 3

    def update(self, data: Chunk, /) -> None:
        if isinstance(data, bytes):
            self._library.SHA256_Update(ctypes.byref(self._context), data, ctypes.c_size_t(len(data)))
            return
        view = _Buffer()
        ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(data), ctypes.byref(view), 0)
        try:
            address, size = ctypes.c_void_p(view.address), ctypes.c_size_t(view.size)
            self._library.SHA256_Update(ctypes.byref(self._context), address, size)
        finally:
            ctypes.pythonapi.PyBuffer_Release(ctypes.byref(view))

    def digest(self) -> bytes:
        """The digest so far; more may be added afterwards."""
        context = _Context.from_buffer_copy(self._context)
        found = ctypes.create_string_buffer(_DIGEST_SIZE)
        self._library.SHA256_Final(found, ctypes.byref(context))
        return found.raw

    def hexdigest(self) -> str:
        return self.digest().hex()

    def save(self) -> bytes:
        """Returns the state, at most 103 bytes: equal after equal bytes, and the same on every machine."""
        begun = bytes(self._context.block[: self._context.in_block])
        return _WORDS.pack(*self._context.words, self.size) + begun

    def load(self, state: bytes) -> None:
        """Takes over a state; no length in it is believed that does not follow from the others.

        Raises: ValueError when it is none.
        """
        if len(state) < _WORDS.size:
            raise ValueError("not the state of a digest")
        *words, size = _WORDS.unpack_from(state)
        begun = state[_WORDS.size :]
        if len(begun) != size % _BLOCK or size >> 61:
            raise ValueError("not the state of a digest")
        context = _Context()
        context.words[:] = words
        context.bits_low, context.bits_high = size << 3 & _LOW, size << 3 >> 32
        context.block[: len(begun)] = begun
        context.in_block, context.digest_size = len(begun), _DIGEST_SIZE
        self._context = context


def new_resumable_sha256() -> ResumableSha256 | None:
    """Returns a fresh one; None: this system has nothing to make it of."""
    library = _find_library()
    return None if library is None else ResumableSha256(library)


def restore_sha256(state: bytes) -> ResumableSha256 | None:
    """Goes on from what `save` has returned; None when that is no state, or this system cannot."""
    digest = new_resumable_sha256()
    if digest is not None:
        try:
            digest.load(state)
        except ValueError:
            return None
    return digest


@cache
def _find_library() -> ctypes.CDLL | None:
    """The library that hashlib uses comes first: it is in memory already. One that gives other digests is none."""
    for name in (_own_library(), *_LIBRARIES):
        if name is None:
            continue
        try:
            library = ctypes.CDLL(name)
            for function in (library.SHA256_Init, library.SHA256_Update, library.SHA256_Final):
                function.restype = ctypes.c_int
        except (OSError, AttributeError):
            continue
        if _is_right(library):
            return library
    return None


def _own_library() -> str | None:
    try:
        import _hashlib  # not there where Python was built without it
    except ImportError:
        return None
    path: str | None = getattr(_hashlib, "__file__", None)
    return path


def _is_right(library: ctypes.CDLL) -> bool:
    """Compares with hashlib; the state is written down and taken over within a block, between blocks, at the start."""
    content = bytes(range(256)) * 5
    for cut in (0, 1, 63, 64, 65, 640, 1279):
        first = ResumableSha256(library)
        first.update(content[:cut])
        second = ResumableSha256(library)
        second.load(first.save())
        second.update(memoryview(content)[cut:])
        is_same = second.hexdigest() == hashlib.sha256(content).hexdigest() and second.size == len(content)
        if not is_same or first.hexdigest() != hashlib.sha256(content[:cut]).hexdigest():
            return False
    return True
