"""Azurite: Microsoft's emulator of Azure Blob. It checks the MD5 of what it receives, and signatures."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers.ports import accepts_connections, free_ports
from tests.servers.required_servers import skip_missing_server
from tests.servers.server_process import running_server

INSTALL = "npm install -g azurite@3.35.0, or set AZURITE to its path"
ACCOUNT = "archivetuitests"
ACCOUNT_KEY = "c2VjcmV0LW9mLXRoZS10ZXN0cy1hbmQtb2Ytbm90aGluZy1lbHNlLWF0LWFsbA=="


@dataclass(frozen=True)
class AzuriteServer:
    port: int

    @property
    def account_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{ACCOUNT}"

    @property
    def conn_str(self) -> str:
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
            f"BlobEndpoint={self.account_url};"
        )

    def container_client(self, name: str) -> Any:
        """Returns the SDK's client, for what a test does behind the store's back. Close it."""
        from azure.storage.blob import ContainerClient

        return ContainerClient.from_connection_string(self.conn_str, name)

    def new_container(self) -> str:
        """Makes an empty container and returns its name."""
        name = f"test-{uuid.uuid4().hex}"
        with self.container_client(name) as client:
            client.create_container()
        return name


def find_azurite() -> Path:
    """Returns the program that $AZURITE names, or that lies on PATH or in npm's usual folders."""
    named = os.environ.get("AZURITE") or shutil.which("azurite")
    usual = (Path("~/.npm-global/bin/azurite").expanduser(), Path("/usr/local/bin/azurite"))
    candidates = [Path(named)] if named else [path for path in usual if path.exists()]
    if not candidates or not candidates[0].exists():
        skip_missing_server("azurite", INSTALL)
    return candidates[0].resolve()


@pytest.fixture(scope="session")
def azurite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzuriteServer]:
    program = find_azurite()
    folder = tmp_path_factory.mktemp("azurite")
    blob_port, queue_port, table_port = free_ports(3)
    command = [
        program, "--skipApiVersionCheck", "--inMemoryPersistence", "--disableTelemetry", "--silent",
        "--blobPort", str(blob_port), "--queuePort", str(queue_port), "--tablePort", str(table_port),
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AZURITE_ACCOUNTS", f"{ACCOUNT}:{ACCOUNT_KEY}")
        with running_server(command, lambda: accepts_connections(blob_port), folder):
            yield AzuriteServer(blob_port)
