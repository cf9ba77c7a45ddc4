"""What the server answers before the application is asked: token, limits and broken requests, over real sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.archives.datasafe.served_datasafe import PARENT, ServedDatasafe, make_served, pack_dataset
from tests.http_api.raw_requests import ask, connect, read_answer, request

TOKEN = "sesame-open"
MOST = 100_000
LOI = f"/api/{PARENT}/1"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDatasafe]:
    folder = tmp_path_factory.mktemp("wire")
    (folder / "token").write_text(f"{TOKEN}\n")
    options = ("--token-file", str(folder / "token"), "--max-size", "100 kB", "--access-log", str(folder / "access"))
    with make_served(folder).running(*options) as served:
        yield served


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (LOI, ("Content-Length: 50000",)),
        (LOI, ("Content-Length: 50000", "Expect: 100-continue")),
        (LOI, ("Content-Length: 99999999999",)),
        (LOI, ("Transfer-Encoding: chunked",)),
        ("/heartbeat", ("Content-Length: 50000",)),
        ("//heartbeat/../api/x", ("Content-Length: 50000",)),
        (LOI, ("Content-Length: 50000", "Authorization: Bearer wrong")),
        (LOI, ("Content-Length: 50000", f"Authorization: Bearer {TOKEN}x")),
        (LOI, ("Content-Length: 50000", f"Authorization: Basic {TOKEN}")),
        (LOI, ("Content-Length: 50000", "Authorization: Bearer \xff")),
    ],
)
def test_without_the_token_no_body_is_waited_for(served: ServedDatasafe, path: str, headers: tuple[str, ...]) -> None:
    answer = ask(served.port, request("PUT", path, *headers), ends=False)
    assert (answer.status, answer.body) == (401, b"The token is wrong, or there is none.")
    assert answer.headers["www-authenticate"] == 'Bearer realm="datasafe"'
    assert not answer.invited


@pytest.mark.parametrize("expect", [(), ("Expect: 100-continue",)])
def test_a_length_over_the_limit_is_refused_at_once(served: ServedDatasafe, expect: tuple[str, ...]) -> None:
    head = request("PUT", LOI, f"Content-Length: {MOST + 1}", *expect, token=TOKEN)
    answer = ask(served.port, head, ends=False)
    assert (answer.status, answer.body) == (413, b"The dataset is larger than is taken here.")
    assert not answer.invited


def test_chunks_over_the_limit_are_refused_while_they_come(served: ServedDatasafe) -> None:
    chunk = b"2710\r\n" + bytes(10_000) + b"\r\n"
    answer = ask(served.port, request("PUT", LOI, "Transfer-Encoding: chunked", token=TOKEN), [chunk] * 11, ends=False)
    assert (answer.status, answer.body) == (413, b"The dataset is larger than is taken here.")


def test_the_limit_itself_is_taken(served: ServedDatasafe) -> None:
    answer = ask(served.port, request("PUT", LOI, f"Content-Length: {MOST}", token=TOKEN) + bytes(MOST))
    assert (answer.status, answer.body) == (400, b"LOI does not exist.")


@pytest.mark.parametrize(("token", "status"), [(None, 401), (TOKEN, 413)])
def test_a_refusal_reaches_a_client_that_goes_on_sending(
    served: ServedDatasafe, token: str | None, status: int
) -> None:
    with connect(served.port) as sending:
        sending.sendall(request("PUT", LOI, "Content-Length: 30000000", token=token))
        for _ in range(300):
            sending.sendall(bytes(100_000))  # is not reset
        assert read_answer(sending).status == status


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x00\xff\r\n\r\n", 400),
        (b"GET /\r\nno header\r\n\r\n", 400),
        (request("GET", "/api/\xff%ff", token=TOKEN), 400),
        (request("GET", "http://[/", token=TOKEN), 400),
        (request("PUT", LOI, "Content-Length: -3", token=TOKEN), 400),
        (request("PUT", LOI, "Content-Length: 3", "Content-Length: 4", token=TOKEN), 400),
        (request("PUT", LOI, "Transfer-Encoding: chunked", token=TOKEN) + b"zz\r\n", 400),
        (request("PUT", LOI, "Transfer-Encoding: gzip", token=TOKEN), 501),
        (request("GET", "/", "Long: " + "x" * 20_000, token=TOKEN), 431),
        (request("GET", "/api/%00", token=TOKEN), 404),
        (request("GET", "/api/" + "a" * 10_000, token=TOKEN), 404),
        (request("GET", f"{LOI}/%2e%2e/%2e%2e", token=TOKEN), 404),
        (request("GET", f"/api/{PARENT.replace('/', '%2F')}%2F..", token=TOKEN), 404),
        (request("FROB", LOI, token=TOKEN), 405),
        (request("GET", "/nothing", token=TOKEN), 404),
        (request("GET", "/heartbeat"), 200),
    ],
)
def test_broken_requests_have_their_status(served: ServedDatasafe, sent: bytes, status: int) -> None:
    assert ask(served.port, sent).status == status


def test_chunks_make_a_deposit_as_well(served: ServedDatasafe) -> None:
    parent = "42.1001/ds/exp/ba/1/trepr"
    assert ask(served.port, request("POST", f"/api/{parent}", token=TOKEN)).status == 201
    packed = pack_dataset(f"{parent}/1", {"x": b"content"})
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (packed[:100], packed[100:])]
    head = request("PUT", f"/api/{parent}/1", "Transfer-Encoding: chunked", "Expect: 100-continue", token=TOKEN)
    answer = ask(served.port, head, [*chunks, b"0\r\n\r\n"])
    assert (answer.status, json.loads(answer.body)) == (200, {"all": True, "data": True})
    assert answer.invited


def test_each_answer_is_in_the_log_and_the_token_is_not(served: ServedDatasafe) -> None:
    for token, status in (("guessed-token", 401), (TOKEN, 404)):
        path = "/api/42.1001/unheard"
        assert ask(served.port, request("GET", path, token=token)).status == status
        line = json.loads((served.folder / "access").read_text("ascii").splitlines()[-1])
        assert (line["method"], line["path"], line["status"], line["client"]) == ("GET", path, status, "127.0.0.1")
    for log in ("access", "server.log"):
        text = (served.folder / log).read_text()
        assert TOKEN not in text and "guessed-token" not in text


def test_nothing_is_left_of_bodies_that_were_never_finished(served: ServedDatasafe) -> None:
    for verb in ("PUT", "PATCH"):
        for count in (0, 1, 60_000):
            with connect(served.port) as connection:
                connection.sendall(request(verb, LOI, "Content-Length: 90000", token=TOKEN) + bytes(count))
    with connect(served.port) as connection:
        connection.sendall(request("GET", "/heartbeat"))
        assert read_answer(connection).status == 200
    assert list(served.temporary.iterdir()) == []
