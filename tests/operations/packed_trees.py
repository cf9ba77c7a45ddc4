"""Small trees on disk, and archives made of them, for the tests of packing and unpacking."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archive_tui.integrity.inventory import Inventory
from archive_tui.objects.memory import MemoryStore
from archive_tui.operations.packing.archive import pack_archive
from archive_tui.operations.scanning.scan import scan_source

MIB = 1 << 20


def write_tree(root: Path, files: Mapping[str, bytes]) -> Path:
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    root.mkdir(exist_ok=True)
    return root


def read_tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def make_manifest(inventory: Inventory) -> bytes:
    return json.dumps([[entry.path, entry.size, entry.digest] for entry in inventory]).encode()


def pack_tree(root: Path, **arguments: Any) -> bytes:
    arguments = {"make_manifest": make_manifest} | arguments
    return b"".join(pack_archive(scan_source(root), **arguments))


def store_archive(archive: bytes) -> MemoryStore:
    store = MemoryStore()
    store.put("a.zip", [archive])
    return store


def repeatable_bytes(length: int, seed: str = "") -> bytes:
    """Incompressible bytes that are the same in every run."""
    return hashlib.shake_128(seed.encode()).digest(length)


def text_bytes(length: int) -> bytes:
    line = b"".join(b"%05d station-%d,%d.%d\n" % (n, n % 7, n * 31 % 997, n % 10) for n in range(5000))
    return (line * (length // len(line) + 1))[:length]


VARIED_TREE: dict[str, bytes] = {
    "empty": b"",
    "one": b"1",
    "text.csv": text_bytes(300_000),
    "noise.bin": repeatable_bytes(200_000),
    "Zebra/ä ö.txt": "grüße".encode() * 100,
    "Zebra/日本語": b"x" * 70_000,
    "deep/a/b/c/d/e.txt": b"deep\n" * 1000,
    "whole.csv": text_bytes(3 * MIB),
    "streamed.csv": text_bytes(5 * MIB + 17),
    "streamed.bin": repeatable_bytes(6 * MIB),
    "streamed-mixed": text_bytes(2 * MIB) + repeatable_bytes(2 * MIB) + bytes(2 * MIB),
} | {f"many/f{n:03}.txt": text_bytes(n * 13) for n in range(300)}
