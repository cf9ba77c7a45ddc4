"""A datasafe over HTTP, from a server that breaks and lies: what is said of a deposit is what happened to it."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from archive_tui.archives.datasafe import remote_deposit
from archive_tui.archives.datasafe.remote_safe import RemoteSafe
from archive_tui.archives.datasafe.safe import SafeState
from archive_tui.errors import (
    AccessDenied,
    ArchiveError,
    ExistingFileError,
    IntegrityError,
    InvalidLoiError,
    LoiNotFoundError,
    MissingContentError,
    MissingLoiError,
    NoFileError,
    OperationStopped,
    SourceChanged,
    StorageError,
    StorageFull,
    StorageUnavailable,
)
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.objects.http import connection as http_connection
from archive_tui.progress import BytesDone, Event
from tests.objects.lying_datasafe import Dataset, Handler, Lie, LyingDatasafe, lying_datasafe

LOI = "42.1001/ds/exp/sa/42/cwepr/1"
PARENT = "42.1001/ds/exp/sa/42/cwepr"


def make_zip(*contents: str, compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number, content in enumerate(contents):
            archive.writestr(zipfile.ZipInfo(f"file{number}.dat"), content, compression)
    return stream.getvalue()


def open_zip(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


ARCHIVE = make_zip("data", "metadata")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "pause", lambda *details: None)
    monkeypatch.setattr(remote_deposit, "pause", lambda *details: None)
    monkeypatch.setattr(remote_deposit, "SETTLE_SECONDS", 0.2)


@pytest.fixture
def server() -> Iterator[LyingDatasafe]:
    with lying_datasafe() as safe:
        safe.open_files = open_zip
        safe.datasets[LOI] = Dataset()
        yield safe


@pytest.fixture
def safe(server: LyingDatasafe) -> Iterator[RemoteSafe]:
    with RemoteSafe(server.url) as safe:
        yield safe


def status(number: int, text: str = "", **headers: str) -> Lie:
    return lambda handler: handler.say(number, text, **headers)


def act_and(what: Callable[[Handler], None]) -> Lie:
    """The server does what it was asked for, and then answers otherwise."""

    def lie(handler: Handler) -> None:
        answer = handler.wfile.write
        handler.wfile.write = len  # type: ignore[method-assign, assignment]
        handler.answer_honestly()
        handler._headers_buffer = []  # type: ignore[attr-defined]
        handler.wfile.write = answer  # type: ignore[method-assign]
        what(handler)

    return lie


drop: Lie = lambda handler: handler.drop()  # noqa: E731  (a lie like the others)


# ---- deposits


@pytest.mark.parametrize("is_streamed", [False, True], ids=["known length", "in chunks"])
def test_a_deposit_arrives_as_it_was_sent(server: LyingDatasafe, safe: RemoteSafe, is_streamed: bool) -> None:
    pieces = [ARCHIVE[:100], memoryview(ARCHIVE)[100:]]
    events: list[Event] = []

    receipt = safe.deposit(LOI, iter(pieces) if is_streamed else pieces, report=events.append)

    assert server.datasets[LOI].archive == ARCHIVE
    put = next(asked for asked in server.asked if asked.method == "PUT")
    assert put.headers.get("Content-Length") == (None if is_streamed else str(len(ARCHIVE)))
    assert put.headers["Content-Type"] == "application/zip"
    assert (receipt.files, receipt.size, receipt.archive_size) == (2, len("datametadata"), len(ARCHIVE))
    assert receipt.archive_digest == hashlib.sha256(ARCHIVE).hexdigest() == receipt.evidence.digest
    assert receipt.evidence.level is EvidenceLevel.ATTESTED
    assert (receipt.was_there, receipt.replaced) == (False, None)
    assert max(event.total for event in events if isinstance(event, BytesDone)) == len(ARCHIVE)


def test_an_archive_that_the_server_packs_anew_is_not_said_to_be_attested(
    server: LyingDatasafe, safe: RemoteSafe
) -> None:
    packed = make_zip("data", "metadata", compression=zipfile.ZIP_DEFLATED)

    def keep_anew(handler: Handler) -> None:
        handler.body = ARCHIVE
        handler.answer_honestly()

    server.lies = [None, keep_anew]
    receipt = safe.deposit(LOI, [packed])
    assert receipt.evidence.level is EvidenceLevel.COPIED
    assert receipt.archive_digest == hashlib.sha256(ARCHIVE).hexdigest()


def test_an_update_says_what_it_has_replaced(server: LyingDatasafe, safe: RemoteSafe) -> None:
    server.hold(LOI, ARCHIVE)
    server.datasets[LOI].old = [b"first"]
    receipt = safe.update(LOI, [make_zip("new")])
    assert server.methods().count("PATCH") == 1
    assert receipt.replaced is not None
    assert (receipt.replaced.number, receipt.replaced.digest) == (2, hashlib.sha256(ARCHIVE).hexdigest())


def test_what_is_going_to_be_refused_is_not_sent(server: LyingDatasafe, safe: RemoteSafe) -> None:
    with pytest.raises(NoFileError, match="Directory empty"):
        safe.update(LOI, [ARCHIVE])
    server.hold(LOI, ARCHIVE)
    with pytest.raises(ExistingFileError, match=r"Directory not empty\."):
        safe.deposit(LOI, [ARCHIVE])
    with pytest.raises(LoiNotFoundError, match=r"LOI does not exist\."):
        safe.deposit(f"{PARENT}/2", [ARCHIVE])
    assert set(server.methods()) == {"GET"}


@pytest.mark.parametrize(
    ("number", "text", "headers", "kind"),
    [
        (400, "LOI does not exist.", {}, LoiNotFoundError),
        (400, "No content provided to deposit.", {}, MissingContentError),
        (400, "The archive has no MANIFEST.yaml.", {}, IntegrityError),
        (404, "String is not a valid LOI.", {}, InvalidLoiError),
        (404, "LOI is not a datasafe LOI.", {}, InvalidLoiError),
        (404, "<html><title>nginx</title>", {"kind": "text/html"}, StorageError),
        (405, "Directory not empty.", {"Allow": "PATCH"}, ExistingFileError),
        (405, "<html><title>Not allowed</title>", {"kind": "text/html", "Allow": "GET"}, StorageError),
        (422, "Its checksums are others than those of its manifest.", {}, IntegrityError),
        (401, "A token is asked for.", {}, AccessDenied),
        (413, "At most 1 GB.", {}, StorageError),
        (507, "The disk is full.", {}, StorageFull),
        (429, "slowly", {}, StorageUnavailable),
        (418, "a teapot", {}, StorageError),
        (302, "", {"Location": "http://elsewhere/"}, StorageError),
    ],
)
def test_a_refusal_is_an_error_with_the_words_of_the_server(
    server: LyingDatasafe, safe: RemoteSafe, number: int, text: str, headers: dict[str, str], kind: type[ArchiveError]
) -> None:
    server.lies = [None, status(number, text, **headers)]
    with pytest.raises(kind) as caught:
        safe.deposit(LOI, [ARCHIVE])
    assert text[:5] == "<html" or text in caught.value.message
    assert server.methods().count("PUT") == 1, "what may have arrived is never sent twice"
    assert not isinstance(caught.value, IntegrityError) or number in (400, 422)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"all": false, "data": true}', IntegrityError),
        ('{"all": true}', StorageError),
        ("[true, true]", StorageError),
        ("<html>thank you</html>", StorageError),
    ],
)
def test_a_success_without_its_proof_is_none(
    server: LyingDatasafe, safe: RemoteSafe, text: str, kind: type[ArchiveError]
) -> None:
    server.lies = [None, status(200, text)]
    with pytest.raises(kind):
        safe.deposit(LOI, [ARCHIVE])


# ---- replies that are lost


@pytest.mark.parametrize("is_streamed", [False, True], ids=["read again", "read once"])
@pytest.mark.parametrize(
    "answer",
    [drop, status(502, "bad gateway"), status(504, "gateway time-out"), status(500, "<html>", kind="text/html")],
    ids=["connection broke", "502", "504", "500"],
)
def test_a_deposit_whose_reply_was_lost_is_recognised(
    server: LyingDatasafe, safe: RemoteSafe, answer: Lie, is_streamed: bool
) -> None:
    server.lies = [None, act_and(answer)]
    receipt = safe.deposit(LOI, iter([ARCHIVE]) if is_streamed else [ARCHIVE])
    assert receipt.was_there
    assert receipt.archive_digest == hashlib.sha256(ARCHIVE).hexdigest()
    assert server.methods().count("PUT") == 1


def test_an_update_whose_reply_was_lost_is_recognised(server: LyingDatasafe, safe: RemoteSafe) -> None:
    server.hold(LOI, ARCHIVE)
    server.lies = [None, act_and(drop)]
    receipt = safe.update(LOI, [make_zip("new")])
    assert receipt.was_there and receipt.replaced is not None
    assert server.methods().count("PATCH") == 1
    assert len(server.datasets[LOI].old) == 1


def test_the_same_files_in_another_archive_are_recognised(server: LyingDatasafe, safe: RemoteSafe) -> None:
    packed = make_zip("data", "metadata", compression=zipfile.ZIP_DEFLATED)

    def keep_anew(handler: Handler) -> None:
        handler.body = ARCHIVE
        act_and(drop)(handler)

    server.lies = [None, keep_anew]
    assert safe.deposit(LOI, [packed]).was_there


def test_a_server_that_is_still_checking_is_waited_for(
    server: LyingDatasafe, safe: RemoteSafe, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []

    def wait(*details: object) -> None:
        looks.append(1)
        if len(looks) == 3:
            server.hold(LOI, ARCHIVE)

    monkeypatch.setattr(remote_deposit, "SETTLE_SECONDS", 100.0)
    monkeypatch.setattr(remote_deposit, "pause", wait)
    server.lies = [None, drop, None, status(503, "starting"), None]
    assert safe.deposit(LOI, [ARCHIVE]).was_there


@pytest.mark.parametrize("number", [500, 503])
def test_a_server_that_has_failed_is_not_waited_for(
    server: LyingDatasafe, safe: RemoteSafe, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(remote_deposit, "SETTLE_SECONDS", 10_000.0)
    server.lies = [None, status(number, "the disk of the safe")]
    with pytest.raises(StorageError, match=f"{number} the disk of the safe"):
        safe.deposit(LOI, [ARCHIVE])
    assert server.methods() == ["GET", "PUT", "GET"]


def test_a_deposit_that_did_not_happen_is_unavailable_and_not_sent_again(
    server: LyingDatasafe, safe: RemoteSafe
) -> None:
    server.lies = [None, drop]
    with pytest.raises(StorageUnavailable, match="it is not there") as caught:
        safe.deposit(LOI, [ARCHIVE])
    assert caught.value.code == "deposit-unsettled"
    assert server.methods().count("PUT") == 1
    assert server.datasets[LOI].archive is None


def test_what_somebody_else_deposited_meanwhile_is_not_ours(server: LyingDatasafe, safe: RemoteSafe) -> None:
    def somebody_else(handler: Handler) -> None:
        server.hold(LOI, make_zip("data", "of somebody else"))
        handler.drop()

    server.lies = [None, somebody_else]
    with pytest.raises(ExistingFileError):
        safe.deposit(LOI, [ARCHIVE])
    server.datasets[LOI] = Dataset()
    server.lies = [None, somebody_else]
    with pytest.raises(StorageError, match="another archive") as caught:
        safe.deposit(LOI, iter([ARCHIVE]))  # cannot be read again, to compare file by file
    assert caught.value.code == "deposit-unsettled"
    assert not isinstance(caught.value, StorageUnavailable), "sending it again would cure nothing"


def test_an_update_that_did_not_happen_is_not_claimed(server: LyingDatasafe, safe: RemoteSafe) -> None:
    server.hold(LOI, ARCHIVE)
    server.lies = [None, drop]
    with pytest.raises(StorageUnavailable):
        safe.update(LOI, [make_zip("new")])
    assert server.datasets[LOI].archive == ARCHIVE


def test_a_server_that_is_gone_after_the_body_is_unavailable(server: LyingDatasafe, safe: RemoteSafe) -> None:
    def die(handler: Handler) -> None:
        threading.Thread(target=server.close).start()
        handler.drop()

    server.lies = [None, die]
    with pytest.raises(StorageUnavailable):
        safe.deposit(LOI, [ARCHIVE])


# ---- sources that fail


@pytest.mark.parametrize("error", [SourceChanged("changed"), OSError("broke"), ValueError("odd"), KeyboardInterrupt()])
@pytest.mark.parametrize("after", [0, 1])
def test_what_the_source_raises_comes_out_unchanged(
    server: LyingDatasafe, safe: RemoteSafe, error: BaseException, after: int
) -> None:
    def source() -> Iterator[bytes]:
        yield from [ARCHIVE[:100]] * after
        raise error

    with pytest.raises(type(error)) as caught:
        safe.deposit(LOI, source())
    assert caught.value is error
    assert server.datasets[LOI].archive is None
    assert safe.deposit(LOI, [ARCHIVE]).files == 2, "the next one has a connection of its own"


def test_a_stop_ends_the_sending(server: LyingDatasafe, safe: RemoteSafe) -> None:
    stop = threading.Event()

    def source() -> Iterator[bytes]:
        yield ARCHIVE[:50]
        stop.set()
        yield ARCHIVE[50:]

    with pytest.raises(OperationStopped):
        safe.deposit(LOI, source(), stop=stop)
    assert server.datasets[LOI].archive is None


# ---- LOIs, reservations, descriptions


@pytest.mark.parametrize(
    ("loi", "kind"),
    [
        ("", MissingLoiError), ("foo", InvalidLoiError), ("42.1001/rec/1", InvalidLoiError),
        ("42.1001/ds/exp/../../../etc", InvalidLoiError), ("42.1001/ds/" + "x" * 10_000, InvalidLoiError),
    ],
)  # fmt: skip
def test_a_wrong_loi_is_refused_before_anything_is_sent(
    server: LyingDatasafe, safe: RemoteSafe, loi: str, kind: type[ArchiveError]
) -> None:
    acts: list[Callable[[], Any]] = [
        lambda: safe.reserve(loi), lambda: safe.deposit(loi, [b""]), lambda: safe.update(loi, [b""]),
        lambda: safe.look(loi), lambda: safe.describe(loi), lambda: safe.archive(loi), lambda: safe.verify(loi),
    ]  # fmt: skip
    for act in acts:
        with pytest.raises(kind):
            act()
    assert server.asked == []


def test_reserving_gives_the_number_of_the_server(server: LyingDatasafe, safe: RemoteSafe) -> None:
    assert safe.reserve(f"{PARENT}/") == f"{PARENT}/2"
    assert safe.reserve(f"{PARENT}/1") == f"{PARENT}/3"
    assert safe.look(f"{PARENT}/2").state is SafeState.RESERVED
    with pytest.raises(InvalidLoiError, match=r"Loi ist not a valid experiment LOI\."):
        safe.reserve("42.1001/ds/calc/geo/1")
    assert server.methods().count("POST") == 2


def test_a_reservation_whose_reply_was_lost_is_not_made_twice(server: LyingDatasafe, safe: RemoteSafe) -> None:
    server.lies = [act_and(drop)]
    with pytest.raises(StorageUnavailable):
        safe.reserve(PARENT)
    assert server.methods() == ["POST"]


@pytest.mark.parametrize("text", ["", "alive", "<html>", "42.1001/rec/1"])
def test_a_reservation_that_is_no_loi_is_an_error(server: LyingDatasafe, safe: RemoteSafe, text: str) -> None:
    server.lies = [status(201, text)]
    with pytest.raises(StorageError) as caught:
        safe.reserve(PARENT)
    assert caught.value.code == "unusable-reply"


def test_entries_come_as_people_count(server: LyingDatasafe, safe: RemoteSafe) -> None:
    for number in (10, 2):
        server.hold(f"{PARENT}/{number}", ARCHIVE)
    entries = list(safe.entries())
    assert [entry.loi for entry in entries] == [f"{PARENT}/{number}" for number in (1, 2, 10)]
    assert [entry.state for entry in entries] == [SafeState.RESERVED, SafeState.DEPOSITED, SafeState.DEPOSITED]
    assert [entry.loi for entry in safe.entries(f"{PARENT}/1")] == [f"{PARENT}/1", f"{PARENT}/10"]
    assert list(safe.entries("42.2002")) == []


@pytest.mark.parametrize(
    "text",
    [
        "{}", '{"entry": 1}', '{"entry": {"loi": "42.1001/ds/exp/sa/42/cwepr/2", "state": "deposited"}}',
        '{"entry": {"loi": "%s", "state": "unheard of"}}', '{"entry": {"loi": "%s", "state": "deposited"}, "files": 1}',
        '{"entry": {"loi": "%s", "state": "deposited"}, "files": [{"path": 1}]}',
        '{"entry": {"loi": "%s", "state": "deposited"}, "files": [{"path": "a"}, {"path": "a"}]}',
        '{"entry": {"loi": "%s", "state": "deposited"}, "old_versions": [{"number": -1}]}',
        '{"entry": {"loi": "%s", "state": "deposited"}, "metadata": ["x"]}',
    ],
)  # fmt: skip
def test_a_description_that_is_none_is_an_error(server: LyingDatasafe, safe: RemoteSafe, text: str) -> None:
    server.lies = [status(200, text.replace("%s", LOI), kind="application/json")]
    with pytest.raises(StorageError) as caught:
        safe.describe(LOI)
    assert caught.value.code == "unusable-reply"


def test_the_manifest_of_a_description_is_read_as_any_manifest(server: LyingDatasafe, safe: RemoteSafe) -> None:
    server.hold(LOI, ARCHIVE)
    server.datasets[LOI].manifest = {
        "format": {"type": "datasafe dataset manifest", "version": "0.1.0"},
        "dataset": {"loi": LOI, "complete": True},
        "files": {
            "metadata": [{"name": "größe \N{TEST TUBE}.info", "format": "cwEPR Info file", "version": "0.1.4"}],
            "data": {"format": "undetected", "names": ["data: 'quoted' #1", "no"]},
        },
        "checksums": [{"name": "CHECKSUM", "format": "MD5 checksum", "span": "data, metadata", "value": "0" * 32}],
    }
    manifest = safe.describe(LOI).manifest
    assert manifest is not None
    assert (manifest.loi, manifest.complete, manifest.data_names) == (LOI, True, ("data: 'quoted' #1", "no"))
    assert [(file.name, file.version) for file in manifest.metadata] == [("größe \N{TEST TUBE}.info", "0.1.4")]
    server.datasets[LOI].manifest = {"files": "lies"}
    with pytest.raises(StorageError) as caught:
        safe.describe(LOI)
    assert caught.value.code == "unusable-reply"


def test_a_server_of_the_older_kind_that_only_hands_out_is_said_to_be_one(
    server: LyingDatasafe, safe: RemoteSafe
) -> None:
    server.lies = [lambda handler: handler.hand_out(ARCHIVE)]
    with pytest.raises(StorageError, match="no description"):
        safe.describe(LOI)
    server.lies = [status(204)]
    assert safe.describe(LOI).entry.state is SafeState.RESERVED


def test_archives_of_now_and_of_then(server: LyingDatasafe, safe: RemoteSafe) -> None:
    with pytest.raises(MissingContentError):
        safe.archive(LOI)
    server.hold(LOI, ARCHIVE)
    server.datasets[LOI].old = [b"first"]
    archive = safe.archive(LOI)
    assert (archive.size, archive.digest) == (len(ARCHIVE), hashlib.sha256(ARCHIVE).hexdigest())
    with archive.store.open(archive.key, 3, 4) as reader:
        assert reader.read() == ARCHIVE[3:7]
    assert safe.archive(LOI, old=1).size == len(b"first")
    with pytest.raises(NoFileError):
        safe.archive(LOI, old=2)
    with pytest.raises(LoiNotFoundError):
        safe.archive(f"{PARENT}/2")
