"""Requests made of good and broken parts, over raw sockets: only documented statuses, and a server that lives on."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archive_tui.http_api.openapi import openapi_document
from tests.archives.datasafe.served_datasafe import PARENT, ServedDatasafe, make_served, pack_dataset
from tests.http_api.raw_requests import ask, request

UNFINISHED = 0
"""No answer, to a client that ends before the body that it has announced."""

SEED = 20_240_229
LOI = f"{PARENT}/1"
PACKED = pack_dataset(
    LOI, {"data": bytes(range(256)) * 20, "sample.info": b"cwEPR Info file - v. 0.1.4 (2020-01-21)\n"}
)

VERBS = ["GET", "HEAD", "POST", "PUT", "PATCH", "PUT", "PATCH", "DELETE", "TRACE", "get", "G\x00T", ""]
PATHS = [
    f"/api/{LOI}", f"/api/{LOI}", f"/api/{PARENT}", f"/api/{PARENT}/", f"/api/{PARENT}/99", "/api/", "/", "/heartbeat",
    "/openapi.json", f"/api/{LOI}/../../..", f"/api/{LOI}%2f..", f"/api/{PARENT}/%D9%A1", "/api/%00", "/api/%ff",
    f"/api/{LOI}?old=1", f"/api/{LOI}?old=-1", f"/api/{LOI}?old=%zz", "/api/?prefix=42", "//", "*", "http://[/", "",
    "/api/42.1001/ds/calc/geo/1", "/api/42.1001/rec/1", "/api/" + "a/" * 4000, "/api/42.1001/ds/exp/2024-02-30/cwepr",
]  # fmt: skip
HEADERS = [
    "Accept: application/json", "Accept: text/html;q=x", "Accept: */*;q=0", "Range: bytes=0-9", "Range: bytes=9-0",
    "Range: bytes=-", "Range: bytes=99999999999999999999-", "Range: bytes=-0", "If-Range: \"x\"", "If-None-Match: *",
    "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked", "Content-Length: 10", "Content-Length: x",
    "Content-Length: 99999999999999999999", "Content-Type: multipart/form-data; boundary=x", "Content-Encoding: gzip",
    "Content-Type: application/x-www-form-urlencoded", "Expect: 100-continue", "Expect: x", "Host: [", "Cookie: \xff=",
    "Authorization: Bearer x", "Authorization: Digest a=\"", "X: " + "y" * 9000, "no colon", ": none", "A\x00: b",
    "X-HTTP-Method-Override: DELETE", "Upgrade: h2c", "Connection: upgrade", "If-Modified-Since: never", "Date: \x01",
]  # fmt: skip


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedDatasafe]:
    with make_served(tmp_path).running("--max-size", "200 kB", "--access-log", str(tmp_path / "access")) as served:
        yield served


def make_body(chance: random.Random) -> bytes:
    body = bytearray(PACKED)
    for _ in range(chance.choice((0, 0, 1, 1, 5, 50))):
        body[chance.randrange(len(body))] = chance.randrange(256)
    return chance.choice((bytes(body), bytes(body[: chance.randrange(len(body))]), b"", b"x", chance.randbytes(900)))


def make_request(chance: random.Random) -> bytes:
    body = make_body(chance)
    headers = chance.sample(HEADERS, chance.choice((0, 0, 1, 2, 5)))
    if chance.random() < 0.7:
        headers.append(f"Content-Length: {len(body)}")
    sent = bytearray(request(chance.choice(VERBS), chance.choice(PATHS), *headers) + body)
    if chance.random() < 0.1:
        sent[chance.randrange(min(60, len(sent)))] = chance.randrange(256)
    return bytes(sent)


def documented_statuses() -> set[int]:
    """405 of other verbs, and 404 of other addresses, have no place in a description."""
    verbs = [verb for item in openapi_document()["paths"].values() for key, verb in item.items() if key != "parameters"]
    return {405, 404} | {int(status) for verb in verbs for status in verb["responses"]}


def check_fuzzed(served: ServedDatasafe, count: int, clients: int) -> None:
    assert ask(served.port, request("POST", f"/api/{PARENT}")).status == 201
    allowed = documented_statuses() - {500, 503, 507} | {UNFINISHED}

    def send(number: int) -> int:
        sent = make_request(random.Random(SEED + number))
        answer = ask(served.port, sent)
        said = "" if answer.status in allowed else (served.folder / "server.log").read_text()[-2000:]
        assert answer.status in allowed, (number, answer.status, said, sent[:500])
        return answer.status

    with ThreadPoolExecutor(clients) as pool:
        statuses = set(pool.map(send, range(count)))
    assert {200, 201, 400, 404, 405} <= statuses, statuses
    assert ask(served.port, request("GET", "/heartbeat")).status == 200
    assert list(served.temporary.iterdir()) == []
    assert {path.name for path in served.root.iterdir()} <= {".datasafe.json", ".old", "exp"}
    log = (served.folder / "server.log").read_text()
    assert "Traceback" not in log and "exception" not in log


def test_five_hundred_fuzzed_requests(served: ServedDatasafe) -> None:
    check_fuzzed(served, 500, clients=4)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_hundred_thousand_fuzzed_requests(served: ServedDatasafe) -> None:
    check_fuzzed(served, 100_000, clients=8)
