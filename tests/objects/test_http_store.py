"""Reading a datasafe over HTTP from a server that breaks, lies, and sends elsewhere."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_tui.errors import (
    AccessDenied,
    ArchiveError,
    ConfigurationError,
    InvalidName,
    LoiNotFoundError,
    MissingContentError,
    ObjectNotFound,
    StorageError,
    StorageFull,
    StorageUnavailable,
)
from archive_tui.objects.http import HttpStore
from archive_tui.objects.http import connection as http_connection
from archive_tui.objects.http import reading as http_reading
from archive_tui.objects.object_store import ObjectInfo, Prefix
from tests.conformance.store_samples import fingerprint, make_content, read_all
from tests.objects.lying_datasafe import Dataset, Handler, Lie, LyingDatasafe, lying_datasafe
from tests.objects.scripted_server import ScriptedServer, say

LOI = "42.1001/ds/exp/sa/42/cwepr/1"
KEY = f"{LOI}.zip"
CONTENT = make_content(300_000)
TOKEN = "a-token-of-the-laboratory"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "pause", lambda *details: None)
    monkeypatch.setattr(http_reading, "pause", lambda *details: None)


@pytest.fixture
def server() -> Iterator[LyingDatasafe]:
    with lying_datasafe() as safe:
        safe.hold(LOI, CONTENT)
        yield safe


@pytest.fixture
def store(server: LyingDatasafe) -> Iterator[HttpStore]:
    with HttpStore(server.url) as store:
        yield store


def cut_after(count: int) -> Lie:
    """The honest reply, cut after so many bytes of its body."""

    def lie(handler: Handler) -> None:
        write = handler.wfile.write
        left = [count]

        def write_some(content: bytes) -> int:
            if content.startswith(b"HTTP/"):
                return write(content)
            part = content[: left[0]]
            left[0] -= len(part)
            write(part)
            handler.drop()
            return len(content)

        handler.wfile.write = write_some  # type: ignore[method-assign]
        handler.answer_honestly()

    return lie


def status(number: int, text: str = "", **headers: str) -> Lie:
    return lambda handler: handler.say(number, text, **headers)


# ---- what breaks is taken up


def test_a_reply_that_breaks_off_is_taken_up_where_it_stopped(server: LyingDatasafe, store: HttpStore) -> None:
    server.lies = [cut_after(1000), cut_after(0), cut_after(77_777), None]

    assert fingerprint(read_all(store, KEY)) == fingerprint(CONTENT)

    assert [asked.headers.get("Range") for asked in server.asked] == [
        None, "bytes=1000-299999", "bytes=1000-299999", "bytes=78777-299999",
    ]  # fmt: skip
    etag = f'"{hashlib.sha256(CONTENT).hexdigest()}"'
    assert {asked.headers.get("If-Range") for asked in server.asked[1:]} == {etag}


def test_a_connection_that_always_breaks_is_an_error_not_an_end(server: LyingDatasafe, store: HttpStore) -> None:
    server.lies = [cut_after(1000), *[cut_after(0)] * 20]
    with store.open(KEY) as reader:
        assert len(reader.read(1000)) == 1000
        with pytest.raises(StorageUnavailable, match="at byte 1000"):
            reader.read(1)
    assert len(server.asked) < 20


def test_progress_gives_new_attempts(server: LyingDatasafe, store: HttpStore) -> None:
    server.lies = [cut_after(10_000) for _ in range(29)]
    assert fingerprint(read_all(store, KEY)) == fingerprint(CONTENT)


def test_a_server_that_ignores_ranges_is_read_all_the_same(server: LyingDatasafe, store: HttpStore) -> None:
    def whole(handler: Handler) -> None:
        del handler.headers["Range"]
        handler.answer_honestly()

    server.lies = [whole]
    assert fingerprint(read_all(store, KEY, 70_000, 1234)) == fingerprint(CONTENT[70_000:71_234])


@pytest.mark.parametrize("number", [408, 429, 502, 503, 504])
@pytest.mark.parametrize("method", ["info", "open", "list"])
def test_a_busy_server_is_asked_again(server: LyingDatasafe, store: HttpStore, number: int, method: str) -> None:
    server.lies = [status(number, "later"), status(number, "later"), None]
    if method == "info":
        assert store.info(KEY).size == len(CONTENT)
    elif method == "open":
        assert read_all(store, KEY, 5, 5) == CONTENT[5:10]
    else:
        assert [listed.key for listed in store.list()] == [KEY]
    assert len(server.asked) == 3


def test_a_server_that_stays_busy_is_unavailable(server: LyingDatasafe, store: HttpStore) -> None:
    server.lies = [status(503, "the disk is away")] * 50
    with pytest.raises(StorageUnavailable, match="503 the disk is away"):
        store.open(KEY)
    assert len(server.asked) <= 10


def test_a_server_that_is_not_there_is_unavailable(server: LyingDatasafe, store: HttpStore) -> None:
    server.close()
    store.close()
    for act in (lambda: store.info(KEY), lambda: store.open(KEY), lambda: list(store.list())):
        with pytest.raises(StorageUnavailable):
            act()


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "READ_SECONDS", 0.05)
    forever = threading.Event()
    silent = ScriptedServer(lambda client, number: bool(forever.wait(20)))
    try:
        with HttpStore(f"http://127.0.0.1:{silent.port}/") as store, pytest.raises(StorageUnavailable):
            store.info(KEY)
    finally:
        forever.set()
        silent.close()


# ---- what is another one is never mixed


def test_replaced_between_two_ranges_is_object_changed(server: LyingDatasafe, store: HttpStore) -> None:
    server.lies = [cut_after(1000)]
    with store.open(KEY) as reader:
        assert reader.read(1000) == CONTENT[:1000]
        server.hold(LOI, make_content(300_000, 2))
        with pytest.raises(StorageError) as caught:
            reader.read(1000)
    assert caught.value.code == "object-changed"


@pytest.mark.parametrize("what", ["removed", "emptied", "shorter", "without a tag", "only another digest"])
def test_another_archive_under_the_same_range_is_object_changed(
    server: LyingDatasafe, store: HttpStore, what: str
) -> None:
    def other(handler: Handler) -> None:
        del handler.headers["If-Range"]  # a server that knows no conditions
        if what == "without a tag":
            return handler.hand_out(make_content(300_000, 2), ETag="", Repr_Digest="")
        if what == "only another digest":
            etag = f'"{hashlib.sha256(CONTENT).hexdigest()}"'
            return handler.hand_out(make_content(300_000, 2), ETag=etag)
        return handler.answer_honestly()

    server.lies = [cut_after(1000), other]
    with store.open(KEY) as reader:
        reader.read(1000)
        if what == "removed":
            del server.datasets[LOI]
        elif what == "emptied":
            server.datasets[LOI] = Dataset()
        elif what == "shorter":
            server.hold(LOI, CONTENT[:500])
        with pytest.raises(StorageError) as caught:
            reader.read(1000)
    assert caught.value.code == "object-changed"


@pytest.mark.parametrize(
    ("lie", "why"),
    [
        (lambda handler: handler.say(206, CONTENT[9:19], Content_Range="bytes 9-18/300000"), "another range"),
        (lambda handler: handler.say(206, CONTENT[:10]), "how long"),
        (lambda handler: handler.say(206, CONTENT[:10], Content_Range="bytes 0-9/*"), "how long"),
        (lambda handler: handler.say(206, CONTENT[:10], Content_Range="bytes ²-9/10"), "how long"),
        (lambda handler: handler.say(200, "<html>please log in</html>", kind="text/html; charset=utf-8"), "browsers"),
        (lambda handler: handler.say(206, CONTENT[:10], Content_Range=f"bytes 0-9/{'9' * 5000}"), "how long"),
        (lambda handler: handler.say(200, CONTENT[:10], Content_Encoding="gzip"), "compressed"),
    ],
    ids=["another range", "no range", "no size", "no number", "a page", "too long a number", "compressed"],
)  # fmt: skip
def test_a_reply_that_cannot_be_is_an_error(server: LyingDatasafe, store: HttpStore, lie: Lie, why: str) -> None:
    server.lies = [lie]
    with pytest.raises(StorageError, match=why) as caught:
        store.open(KEY, 5, 10)
    assert caught.value.code == "unusable-reply"


def test_what_is_no_archive_has_no_size_either(server: LyingDatasafe, store: HttpStore) -> None:
    for lie in (
        status(200, "<html>please log in</html>", kind="text/html"),
        status(200, "x", Content_Encoding="gzip"),
        status(200, "x", Content_Length="9" * 5000),
        status(200, "x", Content_Length="-1"),
    ):
        server.lies = [lie]
        with pytest.raises(StorageError) as caught:
            store.info(KEY)
        assert caught.value.code == "unusable-reply"


def test_more_bytes_than_announced_are_not_taken(server: LyingDatasafe, store: HttpStore) -> None:
    server.lies = [lambda handler: handler.say(206, CONTENT[:99], Content_Range="bytes 0-9/10", Content_Length="10")]
    assert read_all(store, KEY, 0, 99) == CONTENT[:10]


# ---- every other status is an error, with the server's words


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (204, MissingContentError, "loi-without-content"),
        (401, AccessDenied, "access-denied"),
        (403, AccessDenied, "access-denied"),
        (413, StorageError, "request-too-large"),
        (507, StorageFull, "storage-full"),
        (500, StorageError, "unexpected-status"),
        (202, StorageError, "unexpected-status"),
        (304, StorageError, "unexpected-status"),
        (405, StorageError, "unexpected-status"),
        (400, StorageError, "unexpected-status"),
        (418, StorageError, "unexpected-status"),
        (299, StorageError, "unexpected-status"),
    ],
)
def test_every_status_is_an_error(
    server: LyingDatasafe, store: HttpStore, number: int, kind: type[ArchiveError], code: str
) -> None:
    for act in (lambda: store.open(KEY), lambda: list(store.list())):
        server.lies = [status(number, "what the server says")]
        with pytest.raises(kind) as caught:
            act()
        assert caught.value.code == code
        assert caught.value.store == store.label
        assert number in (204, 304) or "what the server says" in caught.value.message
    server.lies = [status(number, "what the server says")]
    with pytest.raises(kind):
        store.info(KEY)


def test_a_server_of_something_else_is_no_datasafe_without_that_dataset(
    server: LyingDatasafe, store: HttpStore
) -> None:
    server.lies = [status(404, "<html><title>Not &lt;here&gt;</title>…", kind="text/html")]
    with pytest.raises(StorageError, match=r"No datasafe answers at .* 404 Not <here>") as caught:
        store.open(KEY)
    assert not isinstance(caught.value, ObjectNotFound)


def test_the_words_of_a_server_are_bounded_and_harmless(server: LyingDatasafe) -> None:
    with HttpStore(server.url, TOKEN) as store:
        server.lies = [status(500, f"\x1b[31mred\u202e\n{TOKEN} " + "x" * 100_000)]
        with pytest.raises(StorageError) as caught:
            store.open(KEY)
    message = caught.value.message
    assert len(message) < 700
    assert "\\x1b[31mred\\u202e" in message
    assert TOKEN not in message
    assert message.isprintable()


# ---- redirects, tokens, addresses


def test_the_token_is_sent_and_never_shown(server: LyingDatasafe) -> None:
    server.token = TOKEN
    with HttpStore(server.url, TOKEN) as store:
        assert store.info(KEY).size == len(CONTENT)
        assert TOKEN not in repr(store) + store.label + store.identity + repr(store.connection)
    with HttpStore(server.url, "another") as store, pytest.raises(AccessDenied, match="A token is asked for") as caught:
        read_all(store, KEY)
    assert "another" not in str(caught.value) + caught.value.hint
    with HttpStore(server.url) as store, pytest.raises(AccessDenied):
        store.info(KEY)


def test_a_token_is_read_when_it_is_needed(server: LyingDatasafe) -> None:
    server.token = TOKEN
    read: list[str] = []
    with HttpStore(server.url, lambda: read.append("") or TOKEN) as store:
        assert read == []
        store.info(KEY)
        store.info(KEY)
    assert read == [""]


@pytest.mark.parametrize("token", ["two words", "line\r\nHost: elsewhere", "ümlaut", ""])
def test_a_token_that_no_header_can_hold_is_refused(token: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        HttpStore("http://127.0.0.1:9/", token)
    assert not token or token not in str(caught.value)


def test_a_redirect_to_another_server_is_not_followed(server: LyingDatasafe) -> None:
    with lying_datasafe() as elsewhere, HttpStore(server.url, TOKEN) as store:
        elsewhere.hold(LOI, CONTENT)
        for target in (f"{elsewhere.url}api/{LOI}", f"//127.0.0.1:{elsewhere.port}/x", "https://127.0.0.1/", ""):
            for act in (lambda: store.open(KEY), lambda: store.info(KEY), lambda: list(store.list())):
                server.lies = [status(302, "there", Location=target)]
                with pytest.raises(StorageError) as caught:
                    act()
                assert caught.value.code in ("redirected", "unexpected-status")
        assert elsewhere.asked == []


def test_a_redirect_to_the_same_server_is_followed_a_few_times(server: LyingDatasafe, store: HttpStore) -> None:
    server.lies = [status(308, Location=f"/api/{LOI}?again=1"), None]
    assert store.info(KEY).size == len(CONTENT)
    server.lies = [status(302, Location=f"/api/{LOI}")] * 30
    with pytest.raises(StorageError) as caught:
        store.info(KEY)
    assert caught.value.code == "redirected"


@pytest.mark.parametrize(
    "url",
    [
        "", "safe.example.org", "ftp://safe.example.org/", "http://", "http:///api", "http://host:port/",
        "http://user:secret@host/", "http://host/?token=secret", "http://host/#secret", "http://host:99999/",
        "http://ho st/", "http://host/\n", "http://[::1/", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    if url.endswith("\n"):
        assert HttpStore(url).identity == "datasafe+http://host/"
        return
    with pytest.raises(ConfigurationError) as caught:
        HttpStore(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["{0}", "{0}/", "{0}/api", "{0}/api/"])
def test_an_address_may_end_as_people_write_it(server: LyingDatasafe, url: str) -> None:
    with HttpStore(url.format(server.url.rstrip("/"))) as store:
        assert store.info(KEY).size == len(CONTENT)
        assert store.identity == f"datasafe+{server.url}"


# ---- keys and listings


def test_info_says_what_the_server_says(store: HttpStore) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert store.info(KEY) == ObjectInfo(KEY, len(CONTENT), None, f'"{digest}"', digest, attested=False)


def test_old_versions_are_read_by_their_number(server: LyingDatasafe, store: HttpStore) -> None:
    server.datasets[LOI].old = [b"first", b"second"]
    assert read_all(store, f"{LOI}@1.zip") == b"first"
    assert read_all(store, f"{LOI}@2.zip", 1, 3) == b"eco"
    with pytest.raises(ObjectNotFound):
        store.info(f"{LOI}@3.zip")
    assert [listed.key for listed in store.list()] == [KEY]


@pytest.mark.parametrize(
    "key", [LOI, f"{LOI}.ZIP", "x", ".zip", f"{LOI}@.zip", f"{LOI}@²3.zip", f"{LOI}@-1.zip", "@1.zip"]
)
def test_what_is_no_key_of_an_archive_is_not_there_and_not_asked_for(
    server: LyingDatasafe, store: HttpStore, key: str
) -> None:
    for act in (lambda: store.info(key), lambda: store.open(key)):
        with pytest.raises(ObjectNotFound):
            act()
    assert server.asked == []


@pytest.mark.parametrize("key", ["", "/x.zip", "a/../b.zip", "a//b.zip", "a\r\nHost: x.zip", "x" * 1000 + ".zip"])
def test_a_key_that_is_none_is_refused_before_anything_is_sent(
    server: LyingDatasafe, store: HttpStore, key: str
) -> None:
    for act in (lambda: store.info(key), lambda: store.open(key), lambda: store.delete(key)):
        with pytest.raises(InvalidName):
            act()
    assert server.asked == []


def test_a_key_stays_one_path_below_the_prefix(server: LyingDatasafe, store: HttpStore) -> None:
    for name in ("a?b#c", "a%2f..%2fb", "ä b", "a\\b", "a;b=c", "http://elsewhere/"[:-1].replace("//", "/")):
        with pytest.raises(LoiNotFoundError):
            store.open(f"{name}.zip")
        assert server.asked[-1].path.startswith("/api/")
        assert "?" not in server.asked[-1].path and "#" not in server.asked[-1].path


def test_listing_has_plain_prefixes_and_levels(server: LyingDatasafe, store: HttpStore) -> None:
    server.datasets.clear()
    lois = [f"42.1001/ds/exp/sa/{sample}/cwepr/{number}" for sample in (4, 42) for number in (1, 2, 10)]
    for loi in (*lois, "42.2002/ds/exp/ba/1/trepr/1"):
        server.hold(loi, loi.encode())
    server.datasets["42.1001/ds/exp/sa/4/cwepr/11"] = Dataset()

    def keys(prefix: str) -> list[str]:
        return [listed.key for listed in store.list(prefix)]

    assert sorted(keys("")) == sorted(f"{loi}.zip" for loi in (*lois, "42.2002/ds/exp/ba/1/trepr/1"))
    assert len(keys("42.1001/ds/exp/sa/4")) == 6
    assert len(keys("42.1001/ds/exp/sa/4/")) == 3
    first = "42.1001/ds/exp/sa/4/cwepr/1"
    for count in range(1, 4):
        assert keys(f"{first}.zip"[:-count]) == [f"{first}.zip"], "the ending is a part of the key"
    assert keys(f"{first}.zip") == [f"{first}.zip"]
    assert sorted(keys(first)) == [f"{first}.zip", f"{first}0.zip"]
    for prefix in (f"{first}.zip/", "x", "42.1001/ds/*", "../", "\n", "\udcff", "²"):
        assert keys(prefix) == []
    levels = list(store.list("42.1001/ds/exp/sa/4", recursive=False))
    assert levels == [Prefix("42.1001/ds/exp/sa/4/"), Prefix("42.1001/ds/exp/sa/42/")]
    assert list(store.list("", recursive=False)) == [Prefix("42.1001/"), Prefix("42.2002/")]
    assert len(list(store.list("42.1001/ds/exp/sa/4/cwepr/", recursive=False))) == 3
    assert all(isinstance(each, ObjectInfo) and each.digest for each in store.list())


@pytest.mark.parametrize(
    "text",
    [
        "alive", "", "[]", "{}", '{"datasets": {}}', '{"datasets": [1]}', '{"datasets": [{"loi": 1, "state": "x"}]}',
        '{"datasets": [{"loi": "42.1/ds/x"}]}', "[" * 100_000, '{"datasets": [', "\xff",
        '{"datasets": [{"loi": "../../etc", "state": "deposited"}]}',
        '{"datasets": [{"loi": "42.1/ds/\\u001b[31m", "state": "deposited"}]}',
    ],
)  # fmt: skip
def test_an_index_that_is_none_is_an_error_not_an_empty_listing(
    server: LyingDatasafe, store: HttpStore, text: str
) -> None:
    server.lies = [status(200, text, kind="application/json")]
    with pytest.raises(StorageError) as caught:
        list(store.list())
    assert caught.value.code == "unusable-reply"


def test_an_index_that_is_cut_is_asked_for_again(server: LyingDatasafe, store: HttpStore) -> None:
    server.lies = [cut_after(10), cut_after(20), None]
    assert [listed.key for listed in store.list()] == [KEY]


def test_writing_is_refused_without_a_request(server: LyingDatasafe, store: HttpStore) -> None:
    for act in (
        lambda: store.put("new.zip", [b"x"], 1),
        lambda: store.copy(KEY, "new.zip"),
        lambda: store.delete(KEY),
    ):
        with pytest.raises(StorageError, match="it is a datasafe") as caught:
            act()
        assert caught.value.code == "unsupported"
    assert server.asked == []


def test_tls_is_verified(tmp_path: Path) -> None:
    import ssl
    import subprocess

    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key", "-out", tmp_path / "certificate"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
    reply = b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: "a"\r\n\r\nhello'
    server = ScriptedServer(say(reply), context)
    url = f"https://127.0.0.1:{server.port}/"
    try:
        with HttpStore(url, TOKEN) as store, pytest.raises(StorageError) as caught:
            read_all(store, KEY)
        assert caught.value.code == "tls"
        assert server.requests == []
        with pytest.MonkeyPatch.context() as patch, HttpStore(url, TOKEN) as store:
            patch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate"))
            assert read_all(store, KEY) == b"hello"
    finally:
        server.close()
