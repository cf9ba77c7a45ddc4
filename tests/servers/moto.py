"""moto: a fast S3 server in this process. It honours conditions, and verifies neither digests nor credentials.

Of an upload in parts it tells a SHA-256 over those of the parts without the `-N` that marks it, and the right CRC-32
over the whole, but it takes any CRC of a part and any at the completion. A body that ends early is not stored.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterator

import pytest

from tests.servers.required_servers import skip_missing_server
from tests.servers.s3_server import S3Server

INSTALL = "pip install 'moto[server]'"


@pytest.fixture(scope="session")
def moto_server() -> Iterator[S3Server]:
    if importlib.util.find_spec("moto") is None:
        skip_missing_server("moto", INSTALL)
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield S3Server("moto", f"http://{host}:{port}", "moto-access-key", "moto-secret-key")
    server.stop()
