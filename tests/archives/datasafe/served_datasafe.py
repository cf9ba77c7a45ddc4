"""`archive-tui serve` as a process of its own, that can be killed and brought back, and datasets to put into it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from archive_tui.archives.datasafe.manifest_check import FileDigests, make_manifest
from archive_tui.archives.datasafe.remote_safe import RemoteSafe
from archive_tui.errors import ObjectNotFound
from archive_tui.integrity.streams import Chunk
from archive_tui.manifests.datasafe_manifest import MANIFEST_FILE, format_datasafe_manifest
from archive_tui.objects.http.store import archive_key
from archive_tui.objects.object_store import Listed, ObjectInfo, ObjectReader, ObjectStore, PutResult, Traits
from archive_tui.progress import StopSignal, never
from tests.servers.ports import accepts_connections, free_ports
from tests.servers.server_process import running_server

PARENT = "42.1001/ds/exp/sa/42/cwepr"
DATA_FILE = "data.bin"
REPOSITORY = Path(__file__).parents[3]


@dataclass
class ServedDatasafe:
    """The datasafe in `root`, on one port for all of its life; `process` is the one that serves it now."""

    root: Path
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def kill(self) -> None:
        """SIGKILL: nothing is finished."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def temporary(self) -> Path:
        """The folder for the server's temporary files."""
        return self.folder / "tmp"

    @contextlib.contextmanager
    def running(self, *options: str, within: Sequence[str] = ()) -> Iterator[ServedDatasafe]:
        """`within`: a command that runs the server in its turn."""
        self.temporary.mkdir(exist_ok=True)
        environment = ["env", f"PYTHONPATH={REPOSITORY}", f"TMPDIR={self.temporary}"]
        command = [sys.executable, "-m", "archive_tui", "serve", "--root", str(self.root), "--port", str(self.port)]
        words = [*within, *environment, *command, *options]
        with running_server(words, lambda: accepts_connections(self.port), self.folder) as self.process:
            yield self


def make_served(folder: Path) -> ServedDatasafe:
    root = folder / "safe"
    root.mkdir()
    (port,) = free_ports()
    return ServedDatasafe(root, folder, port)


def pack_dataset(loi: str, files: Mapping[str, bytes]) -> bytes:
    """A zip of these files and their manifest, as some other program packs it: compressed, in no order."""
    digests = [
        FileDigests(path, len(content), hashlib.sha256(content).hexdigest(), hashlib.md5(content).hexdigest())
        for path, content in files.items()
    ]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
        archive.writestr(MANIFEST_FILE, format_datasafe_manifest(make_manifest(loi, digests, metadata=[])))
    return stream.getvalue()


class DataFiles(ObjectStore):
    """For tests of reading: the data file of each dataset as an object of its own, under any key. It is a window on the
    archive that the server hands out, so that each range of it is a range of the archive."""

    def __init__(self, safe: RemoteSafe) -> None:
        self._safe = safe
        self._lois: dict[str, str] = {}
        self.label = safe.label
        self.identity = safe.identity

    @property
    def traits(self) -> Traits:
        return Traits()

    def put(
        self,
        key: str,
        chunks: Iterable[Chunk],
        size: int | None = None,
        *,
        overwrite: bool = False,
        digest: str | None = None,
        if_match: str | None = None,
        stop: StopSignal = never,
        sent: Callable[[int], None] | None = None,
    ) -> PutResult:
        content = b"".join(chunks)
        act = self._safe.update
        if key not in self._lois:
            self._lois[key] = self._safe.reserve(PARENT)
            act = self._safe.deposit
        receipt = act(self._lois[key], [pack_dataset(self._lois[key], {DATA_FILE: content})])
        return PutResult(self.info(key), receipt.evidence)

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        begin, size = self._window(key)
        archive = self._safe.archive(self._lois[key])
        left = max(0, size - offset)
        return archive.store.open(archive.key, begin + min(offset, size), left if length is None else min(length, left))

    def info(self, key: str) -> ObjectInfo:
        return ObjectInfo(key, self._window(key)[1])

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        return iter([self.info(key) for key in self._lois if key.startswith(prefix)])

    def delete(self, key: str) -> NoReturn:
        raise NotImplementedError

    def _window(self, key: str) -> tuple[int, int]:
        """Where in the archive the data file begins, and its size."""
        if key not in self._lois:
            raise ObjectNotFound(key, key=key, store=self.label)
        archive = self._safe.archive(self._lois[key])
        with archive.store.open(archive_key(self._lois[key])) as reader:
            content = reader.read()
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            member = opened.getinfo(DATA_FILE)
        assert member.compress_type == zipfile.ZIP_STORED
        name, extra = (int.from_bytes(content[member.header_offset + at :][:2], "little") for at in (26, 28))
        return member.header_offset + 30 + name + extra, member.file_size
