"""The remote safe and its read-only store against `archive-tui serve`: what is read, what is said, what survives."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_tui.archives.datasafe.deposit_source import prepare_deposit
from archive_tui.archives.datasafe.opening import open_folder_safe
from archive_tui.archives.datasafe.remote_safe import RemoteSafe
from archive_tui.archives.datasafe.safe import DatasetDescription, OldVersion, SafeEntry, SafeState
from archive_tui.errors import (
    AccessDenied,
    ArchiveError,
    ExistingFileError,
    IntegrityError,
    InvalidLoiError,
    LoiNotFoundError,
    MissingContentError,
    NoFileError,
    ObjectNotFound,
    StorageError,
)
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.report import Verdict
from archive_tui.objects.http import HttpStore
from archive_tui.objects.object_store import ObjectStore, Prefix
from archive_tui.progress import ignore, never
from tests.archives.datasafe.served_datasafe import PARENT, DataFiles, ServedDatasafe, make_served, pack_dataset
from tests.conformance.reading_guarantees import RangeGuarantees
from tests.conformance.store_samples import MIB, fingerprint, make_content, read_all
from tests.servers.faulty_proxy import FaultyProxy

FILES = {
    "data.bin": make_content(100_000),
    "below/more.dat": b"more",
    "sample.info": b"cwEPR Info file - v. 0.1.4 (2020-01-21)\n",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDatasafe]:
    with make_served(tmp_path_factory.mktemp("served")).running() as served:
        yield served


@pytest.fixture
def safe(served: ServedDatasafe) -> Iterator[RemoteSafe]:
    with RemoteSafe(served.url) as safe:
        yield safe


def deposit(safe: RemoteSafe, files: dict[str, bytes] = FILES, parent: str = PARENT) -> str:
    loi = safe.reserve(parent)
    safe.deposit(loi, [pack_dataset(loi, files)])
    return loi


class TestReadingThroughTheServer(RangeGuarantees):
    """The reading part of the suite that every store runs."""

    large_size = 3 * MIB

    @pytest.fixture
    def store(self, safe: RemoteSafe) -> ObjectStore:
        return DataFiles(safe)


def to_seconds(what: object) -> object:
    """The same with its moments in whole seconds: as text they may lose their fractions."""
    if isinstance(what, float):
        return int(what)
    if isinstance(what, tuple):
        return tuple(to_seconds(each) for each in what)
    if isinstance(what, SafeEntry | DatasetDescription | OldVersion):
        return [to_seconds(getattr(what, field.name)) for field in dataclasses.fields(what)]
    return what


def test_the_server_and_the_folder_say_the_same(served: ServedDatasafe, safe: RemoteSafe) -> None:
    parent = "42.1001/ds/exp/ba/7/trepr"
    lois = [deposit(safe, FILES, parent), deposit(safe, {"x": b""}, parent), safe.reserve(parent)]
    safe.update(lois[1], [pack_dataset(lois[1], {"y": b"new"})])
    with open_folder_safe(served.root) as there:
        assert [to_seconds(entry) for entry in safe.entries(parent)] == [
            to_seconds(entry) for entry in there.entries(parent)
        ]
        for loi in lois:
            assert to_seconds(safe.describe(loi)) == to_seconds(there.describe(loi))
            assert to_seconds(safe.look(loi)) == to_seconds(there.look(loi))
        for loi in lois[:2]:
            here, origin = safe.archive(loi), there.archive(loi)
            assert (here.size, here.digest) == (origin.size, origin.digest)
            assert read_all(here.store, here.key) == read_all(origin.store, origin.key)
        old = safe.archive(lois[1], old=1)
        assert hashlib.sha256(read_all(old.store, old.key)).hexdigest() == old.digest


def test_a_deposit_is_said_as_it_was_proven(safe: RemoteSafe) -> None:
    loi = safe.reserve(PARENT)
    receipt = safe.deposit(loi, iter([pack_dataset(loi, FILES)]))
    assert receipt.files == len(FILES) + 1
    assert {entry.path: entry.digest for entry in receipt.inventory}["below/more.dat"] == (
        hashlib.sha256(b"more").hexdigest()
    )
    archive = safe.archive(loi)
    assert (archive.size, archive.digest) == (receipt.archive_size, receipt.archive_digest)
    assert safe.verify(loi).verdict is Verdict.VERIFIED
    updated = safe.update(loi, [pack_dataset(loi, {"other": b"x"})])
    assert updated.replaced is not None and updated.replaced.digest == receipt.archive_digest


def test_what_was_handed_out_can_be_put_back_byte_for_byte(safe: RemoteSafe) -> None:
    loi = deposit(safe)
    archive = safe.archive(loi)
    receipt = safe.update(loi, [read_all(archive.store, archive.key)])
    assert receipt.archive_digest == archive.digest
    assert receipt.evidence.level is EvidenceLevel.ATTESTED


def test_a_folder_is_sent_as_it_is_kept_and_a_lost_reply_needs_no_second_look(
    served: ServedDatasafe, safe: RemoteSafe, tmp_path: Path
) -> None:
    for path, content in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    loi = safe.reserve(PARENT)
    prepared = prepare_deposit(tmp_path, loi=loi, report=ignore, stop=never)
    with (
        FaultyProxy(served.url) as proxy,
        RemoteSafe(proxy.url) as through,
        proxy.fault("lose-reply", lambda line: line.startswith("PUT ")),
    ):
        receipt = through.deposit(loi, iter(prepared.chunks()))
    assert receipt.was_there
    assert receipt.evidence.level is EvidenceLevel.ATTESTED
    assert receipt.archive_size == prepared.archive_size


def test_the_refusals_of_the_server_are_the_errors_of_a_safe(safe: RemoteSafe) -> None:
    loi, empty = deposit(safe), safe.reserve(PARENT)
    absent = "42.1001/ds/exp/sa/4711/cwepr/1"
    wrong = "42.1001/ds/exp/sa/42/cwepr/1/.."
    packed = pack_dataset(loi, FILES)
    cases: list[tuple[type[ArchiveError], object]] = [
        (ExistingFileError, lambda: safe.deposit(loi, [packed])),
        (NoFileError, lambda: safe.update(empty, [packed])),
        (LoiNotFoundError, lambda: safe.deposit(absent, [packed])),
        (LoiNotFoundError, lambda: safe.update(absent, [packed])),
        (LoiNotFoundError, lambda: safe.archive(absent)),
        (MissingContentError, lambda: safe.archive(empty)),
        (NoFileError, lambda: safe.archive(loi, old=99)),
        (InvalidLoiError, lambda: safe.deposit(wrong, [packed])),
        (InvalidLoiError, lambda: safe.describe("42.1001/ds/exp/sa/42/unheard/1")),
        (InvalidLoiError, lambda: safe.reserve("42.1001/ds/calc/geo/1")),
        (MissingContentError, lambda: safe.deposit(empty, [])),
        (IntegrityError, lambda: safe.deposit(empty, [b"no zip"])),
        (IntegrityError, lambda: safe.deposit(empty, iter([packed[:-30]]))),
    ]
    for kind, act in cases:
        with pytest.raises(kind):
            act()  # type: ignore[operator]
    assert safe.look(empty).state is SafeState.RESERVED, "nothing is kept of what was refused"


def test_a_manifest_that_lies_is_refused(safe: RemoteSafe) -> None:
    loi = safe.reserve(PARENT)
    right, wrong = pack_dataset(loi, {"data.bin": b"right"}), pack_dataset(loi, {"data.bin": b"wrong"})
    lying = swap_member(right, wrong, "MANIFEST.yaml")
    with pytest.raises(IntegrityError):
        safe.deposit(loi, [lying])
    assert safe.look(loi).state is SafeState.RESERVED


def swap_member(archive: bytes, other: bytes, name: str) -> bytes:
    import io

    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as first,
        zipfile.ZipFile(io.BytesIO(other)) as second,
        zipfile.ZipFile(stream, "w") as target,
    ):
        for member in first.namelist():
            target.writestr(member, (second if member == name else first).read(member))
    return stream.getvalue()


def test_the_store_lists_what_is_deposited(served: ServedDatasafe, safe: RemoteSafe) -> None:
    parent = "42.2002/ds/exp/2024-02-29/cwepr"
    lois = [deposit(safe, {"x": b"1"}, parent) for _ in range(11)]
    safe.reserve(parent)
    with HttpStore(served.url) as store:
        listing = list(store.list(f"{parent}/"))
        assert sorted(listed.key for listed in listing) == sorted(f"{loi}.zip" for loi in lois)
        for listed in listing[:3]:
            found = store.info(listed.key)
            assert listed.digest == found.digest == hashlib.sha256(read_all(store, listed.key)).hexdigest()  # type: ignore[union-attr]
        assert sorted(listed.key for listed in store.list(f"{parent}/1")) == [
            f"{parent}/1.zip", f"{parent}/10.zip", f"{parent}/11.zip",
        ]  # fmt: skip
        assert list(store.list("42.2002/", recursive=False)) == [Prefix("42.2002/ds/")]
        for absent in (f"{parent}/12.zip", f"{parent}/99.zip", f"{parent}.zip", "42.2002/ds/nothing.zip"):
            for act in (lambda key=absent: store.info(key), lambda key=absent: store.open(key)):
                with pytest.raises(ObjectNotFound):
                    act()


def test_a_lost_reply_is_settled_by_what_lies_there(served: ServedDatasafe, safe: RemoteSafe) -> None:
    loi = safe.reserve(PARENT)
    with FaultyProxy(served.url) as proxy, RemoteSafe(proxy.url) as through:
        with proxy.fault("lose-reply", lambda line: line.startswith("PUT ")):
            receipt = through.deposit(loi, [pack_dataset(loi, FILES)])
        assert receipt.was_there
        assert sum(line.startswith("PUT ") for line in proxy.requests) == 1
    assert safe.verify(loi).verdict is Verdict.VERIFIED


def test_replies_that_break_are_taken_up(served: ServedDatasafe, safe: RemoteSafe) -> None:
    content = make_content(2 * MIB)
    loi = deposit(safe, {"data.bin": content})
    with FaultyProxy(served.url) as proxy, RemoteSafe(proxy.url) as through:
        archive = through.archive(loi)
        with proxy.fault("cut-reply", lambda line: line.startswith("GET "), times=3, after=300_000):
            found = read_all(archive.store, archive.key)
        assert hashlib.sha256(found).hexdigest() == archive.digest
        assert sum(line.startswith("GET ") for line in proxy.requests) == 4


def test_a_token_is_asked_for_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("the-token\n")
    with make_served(tmp_path).running("--token-file", str(tmp_path / "token")) as served:
        with RemoteSafe(served.url, "the-token") as safe:
            loi = deposit(safe)
            assert safe.verify(loi).verdict is Verdict.VERIFIED
        with RemoteSafe(served.url, "another") as safe:
            for act in (
                lambda: safe.look(loi), lambda: safe.reserve(PARENT), lambda: list(safe.entries()),
                lambda: safe.archive(loi), lambda: safe.deposit(loi, [b"x"]),
            ):  # fmt: skip
                with pytest.raises(AccessDenied) as caught:
                    act()
                assert "another" not in f"{caught.value} {caught.value.hint}"
    log = (tmp_path / "server.log").read_text()
    assert "the-token" not in log and "another" not in log


def test_reading_goes_on_when_the_server_was_killed_and_came_back(tmp_path: Path) -> None:
    served = make_served(tmp_path)
    content = make_content(12 * MIB)
    with RemoteSafe(served.url) as safe:
        with served.running():
            archive = safe.archive(deposit(safe, {"data.bin": content}))
            reader = archive.store.open(archive.key)
            found = bytearray(reader.read(MIB))
            served.kill()
        back = threading.Event()
        done = threading.Event()

        def bring_back() -> None:
            with served.running():
                back.set()
                done.wait(60)

        thread = threading.Thread(target=bring_back)
        thread.start()
        try:
            with reader:
                while piece := reader.read(MIB):
                    found += piece
        finally:
            done.set()
            thread.join()
    assert back.is_set()
    assert hashlib.sha256(found).hexdigest() == archive.digest
    assert fingerprint(found)[0] == archive.size


def test_a_server_killed_in_a_deposit_leaves_nothing_and_it_is_said(tmp_path: Path) -> None:
    served = make_served(tmp_path)
    with RemoteSafe(served.url) as safe:
        with served.running():
            loi = safe.reserve(PARENT)
            packed = pack_dataset(loi, {"data.bin": make_content(2 * MIB)})

            def source() -> Iterator[bytes]:
                yield packed[:MIB]
                served.kill()
                for start in range(MIB, len(packed), 1000):
                    yield packed[start : start + 1000]

            with pytest.raises(StorageError):
                safe.deposit(loi, source())
        with served.running():
            assert safe.look(loi).state is SafeState.RESERVED
            safe.deposit(loi, [packed])
            assert safe.verify(loi).verdict is Verdict.VERIFIED
