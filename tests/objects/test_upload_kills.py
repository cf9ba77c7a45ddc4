"""Processes that are killed (SIGKILL) at random points of a large upload: the next one sends what is missing, only."""

from __future__ import annotations

import contextlib
import json
import random
import re
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.core.exceptions import ResourceNotFoundError

from archive_tui.objects.object_store import ObjectStore
from tests.conformance.kept_tokens import KeptTokens
from tests.conformance.store_samples import MIB, read_all
from tests.objects.upload_driver import BLOCK_SIZE, KEY, PART_SIZE, make_large_content, open_driver_store
from tests.servers.azurite import ACCOUNT, ACCOUNT_KEY, AzuriteServer
from tests.servers.faulty_proxy import FaultyProxy, any_commit
from tests.servers.s3_server import S3Server

PATIENCE = 60.0
SIZE = 64 * MIB
SMALL_SIZE = 24 * MIB
SEED = 20_261_122


@dataclass
class Server:
    """A server behind a proxy that counts. `settings` makes those of a new bucket through the proxy, and past it;
    `part_of` reads a request line."""

    kind: str
    proxy: FaultyProxy
    part_size: int
    settings: Callable[[], tuple[dict[str, Any], dict[str, Any]]]
    part_of: Callable[[str], int | None]
    is_commit: Callable[[str], bool]

    def parts_at(self, store: ObjectStore, settings: dict[str, Any]) -> set[int]:
        if self.kind == "azure":
            try:
                blocks = store._blob(KEY).get_block_list("uncommitted")[1]  # type: ignore[attr-defined]
            except ResourceNotFoundError:
                return set()
            return {int(block.id[16:24]) for block in blocks}
        found: set[int] = set()
        for upload in store.list_unfinished(KEY):
            client = store.sdk_client  # type: ignore[attr-defined]
            # The server may be about to complete it for a process that was killed after it had asked for that.
            with contextlib.suppress(client.exceptions.NoSuchUpload):
                told = client.list_parts(Bucket=settings["bucket"], Key=KEY, UploadId=upload.token.partition(" ")[0])
                found |= {part["PartNumber"] for part in told.get("Parts", [])}
        return found


def s3_part(line: str) -> int | None:
    found = re.match(rf"PUT \S*/{KEY}\?\S*partNumber=(\d+)", line)
    return int(found[1]) if found else None


def azure_part(line: str) -> int | None:
    query = parse_qs(urlsplit(line.split(" ")[1]).query)
    if query.get("comp") != ["block"] or f"/{KEY}?" not in line:
        return None
    return int(b64decode(query["blockid"][0])[16:24])


def is_block_list(line: str) -> bool:
    return line.startswith("PUT") and "comp=blocklist" in line


def s3_behind_proxy(server: S3Server) -> Server:
    proxy = FaultyProxy(server.endpoint_url)

    def settings() -> tuple[dict[str, Any], dict[str, Any]]:
        straight = {"bucket": server.new_bucket(), **server.settings()}
        return straight | {"endpoint_url": proxy.url}, straight

    return Server("s3", proxy, PART_SIZE, settings, s3_part, lambda line: any_commit(line) and f"/{KEY}?" in line)


def azure_behind_proxy(server: AzuriteServer) -> Server:
    proxy = FaultyProxy(f"http://127.0.0.1:{server.port}")
    conn_str = f"AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};BlobEndpoint={proxy.url}/{ACCOUNT};"

    def settings() -> tuple[dict[str, Any], dict[str, Any]]:
        container = server.new_container()
        return {"container": container, "conn_str": conn_str}, {"container": container, "conn_str": server.conn_str}

    return Server(
        "azure",
        proxy,
        BLOCK_SIZE,
        settings,
        azure_part,
        lambda line: line.startswith("PUT") and "comp=blocklist" in line,
    )


class KilledUpload:
    """One object, put by processes that are killed, until one of them is left alone."""

    def __init__(self, server: Server, folder: Path, rng: random.Random, size: int) -> None:
        self._server = server
        self._rng = rng
        self._settings, self._straight = server.settings()
        self._tokens = folder / f"tokens-{rng.randrange(1 << 60):x}.json"
        self._seed = rng.randrange(1 << 30)
        self._size = size
        self._promises = rng.random() < 0.5
        self.kills = 0

    def run(self, kills: int) -> None:
        with open_driver_store(self._server.kind, self._straight) as store:
            while self.kills < kills and not self._has_ended(store):
                present = self._server.parts_at(store, self._settings)
                seen = len(self._server.proxy.requests)
                self.kills += self._kill_one(present)
                self._check_sent(seen, present)
            if not self._has_ended(store):
                self._finish(store)
            content = make_large_content(self._seed, self._size)
            assert sha256(read_all(store, KEY)).hexdigest() == sha256(content).hexdigest()
            assert list(store.list_unfinished(KEY)) == []

    def _has_ended(self, store: ObjectStore) -> bool:
        """True when a process was done before it could be killed: there is nothing left that could be continued."""
        return not KeptTokens(self._tokens).by_place and any(entry.key == KEY for entry in store.list())

    def _finish(self, store: ObjectStore) -> None:
        """As long as there is a token the put succeeds, also when the object lies there already: it is its own."""
        present = self._server.parts_at(store, self._settings)
        seen, received = len(self._server.proxy.requests), self._server.proxy.received
        done = self._start()
        told, error = done.communicate(timeout=PATIENCE)
        assert done.returncode == 0, error
        result = json.loads(told)
        content = make_large_content(self._seed, self._size)
        assert (result["digest"], result["sent"]) == (sha256(content).hexdigest(), self._size)
        sent = self._check_sent(seen, present)
        # What a process sends to learn what the server promises: a part of 5 MiB where a CRC is wished for.
        probing = 6 * MIB if self._promises and self._server.kind == "s3" else MIB
        assert self._server.proxy.received - received <= len(sent) * self._server.part_size + probing
        assert KeptTokens(self._tokens).by_place == {}

    def _check_sent(self, seen: int, present: set[int]) -> list[int]:
        lines = self._server.proxy.requests[seen:]
        sent = [number for line in lines if (number := self._server.part_of(line)) is not None]
        assert not present & set(sent), "a part that the server had was sent again"
        return sent  # a part twice where the server was too busy the first time

    def _start(self) -> subprocess.Popen[str]:
        wanted = {
            "kind": self._server.kind, "settings": self._settings, "tokens": str(self._tokens), "seed": self._seed,
            "size": self._size, "promises": self._promises,
        }  # fmt: skip
        command = [sys.executable, "-m", "tests.objects.upload_driver", json.dumps(wanted)]
        root = Path(__file__).parents[2]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root)

    def _kill_one(self, present: set[int]) -> bool:
        """Kills at a random byte of what is still to be sent, or when the server is told to make it visible."""
        proxy, seen = self._server.proxy, len(self._server.proxy.requests)
        missing = max(1, self._size - len(present) * self._server.part_size)
        target = proxy.received + self._rng.randrange(missing)
        at_commit = self._rng.random() < 0.3
        process = self._start()
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < deadline:
            if any(map(self._server.is_commit, proxy.requests[seen:])) or (not at_commit and proxy.received >= target):
                process.kill()
                break
            time.sleep(0.001)
        _, error = process.communicate(timeout=PATIENCE)
        assert process.returncode in (0, -9), error
        proxy.wait_until_idle(PATIENCE)
        return process.returncode == -9


def kill_often(server: Server, folder: Path, *, kills: int, size: int) -> None:
    rng = random.Random(SEED)
    done = 0
    try:
        while done < kills:
            case = KilledUpload(server, folder, rng, size)
            case.run(min(kills - done, rng.randrange(1, 5)))
            done += case.kills
    finally:
        server.proxy.close()


SIZES = [
    pytest.param(3, SMALL_SIZE, id="few"),
    pytest.param(100, SIZE, id="many", marks=[pytest.mark.slow, pytest.mark.timeout(3600)]),
]


@pytest.mark.parametrize(("kills", "size"), SIZES)
def test_killed_uploads_to_a_strict_s3_server(
    seaweedfs_server: S3Server, tmp_path: Path, kills: int, size: int
) -> None:
    kill_often(s3_behind_proxy(seaweedfs_server), tmp_path, kills=kills, size=size)


@pytest.mark.parametrize(("kills", "size"), SIZES)
def test_killed_uploads_to_moto(moto_server: S3Server, tmp_path: Path, kills: int, size: int) -> None:
    kill_often(s3_behind_proxy(moto_server), tmp_path, kills=kills, size=size)


@pytest.mark.parametrize(("kills", "size"), SIZES)
def test_killed_uploads_to_azure(azurite_server: AzuriteServer, tmp_path: Path, kills: int, size: int) -> None:
    kill_often(azure_behind_proxy(azurite_server), tmp_path, kills=kills, size=size)
