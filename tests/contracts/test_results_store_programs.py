"""Programs for the original's results store run on ours, through its names."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path

import pytest
import yaml

from archive_tui.errors import ManifestError
from archive_tui.integrity.report import FindingKind
from archive_tui.results_store import AlreadyPresentException, HashError, Manifest, NotAStoreError, Store

EVENT, PRODUCTION = "GW150914_095045", "TestAnalysis"
MD5 = "b1946ac92492d2347c6235b4d2611184"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.chdir(tmp_path)
    Path("sample.dat").write_text("hello\n")
    Store.create(root="results", name="Test store")
    return Store(root="results")


def test_a_store_begins_empty(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "deep" / "down", "Test Store")
    manifest = tmp_path / "deep" / "down" / ".manifest" / "manifest.yaml"
    assert manifest.read_text() == "events: {}\nname: Test Store\n"
    assert manifest.stat().st_mode & 0o200, "the original writes it in place"
    assert store.name == "Test Store"


def test_a_folder_with_anything_in_it_is_no_place_to_begin(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("x")
    with pytest.raises(FileExistsError):
        Store.create(tmp_path, "n")
    Store.create(tmp_path / "empty", "n")
    with pytest.raises(FileExistsError):
        Store.create(tmp_path / "empty", "n")


def test_anything_else_is_not_a_store(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(NotAStoreError):
            Store(root)


def test_what_is_added_is_fetched_by_name_and_by_uuid(store: Store) -> None:
    added = store.add_file(EVENT, PRODUCTION, "sample.dat")
    assert (added["file"], added["hash"]) == ("sample.dat", MD5)
    assert added["sha256"] == hashlib.sha256(b"hello\n").hexdigest()
    path = store.fetch_file(EVENT, PRODUCTION, "sample.dat")
    assert path == Path("results").absolute() / EVENT / PRODUCTION / added["uuid"]
    assert path.read_text() == "hello\n"
    assert path.stat().st_mode & 0o777 == 0o444
    assert store.fetch_uuid(added["uuid"]) == store.fetch_uuid(uuid.UUID(added["uuid"])) == path
    assert store.manifest.get_hash(added["uuid"]) == MD5
    assert store.manifest.get_uuid(EVENT, PRODUCTION, "sample.dat") == added["uuid"]
    assert list(store.manifest.list_resources(EVENT, PRODUCTION)) == ["sample.dat"]
    assert Manifest(store).data["events"][EVENT][PRODUCTION]["sample.dat"]["hash"] == MD5


@pytest.mark.parametrize("hash", [MD5, MD5.upper(), hashlib.sha256(b"hello\n").hexdigest()])
def test_a_supplied_hash_is_told_by_its_length(store: Store, hash: str) -> None:  # noqa: A002
    store.add_file(EVENT, PRODUCTION, "sample.dat")
    assert store.fetch_file(EVENT, PRODUCTION, "sample.dat", hash=hash).is_file()


@pytest.mark.parametrize("hash", ["", "a" * 32, "a" * 64, "not-the-real-hash", MD5 + " "])
def test_a_supplied_hash_that_is_wrong_is_an_error(store: Store, hash: str) -> None:  # noqa: A002
    store.add_file(EVENT, PRODUCTION, "sample.dat")
    with pytest.raises(HashError):
        store.fetch_file(EVENT, PRODUCTION, "sample.dat", hash=hash)


def test_a_file_that_was_changed_is_not_handed_out(store: Store) -> None:
    added = store.add_file(EVENT, PRODUCTION, "sample.dat")
    path = store.fetch_uuid(added["uuid"])
    path.chmod(0o644)
    path.write_text("HELLO\n")
    for fetch in (lambda: store.fetch_file(EVENT, PRODUCTION, "sample.dat"), lambda: store.fetch_uuid(added["uuid"])):
        with pytest.raises(HashError, match="not what was checked in"):
            fetch()


def test_the_same_content_is_refused_anywhere_unless_it_is_wanted(store: Store) -> None:
    store.add_file(EVENT, PRODUCTION, "sample.dat")
    with pytest.raises(AlreadyPresentException):
        store.add_file("other", "one", "sample.dat", "new.dat")
    again = store.add_file("other", "one", "sample.dat", "new.dat", allow_duplicate_content=True)
    assert store.fetch_uuid(again["uuid"]).read_text() == "hello\n"
    assert store.verify().sentence == "Verified: 2 of 2 files, all bytes"


def test_a_name_is_given_once(store: Store) -> None:
    store.add_file(EVENT, PRODUCTION, "sample.dat")
    Path("sample.dat").write_text("other")
    with pytest.raises(FileExistsError):
        store.add_file(EVENT, PRODUCTION, "sample.dat")
    assert store.add_file(EVENT, PRODUCTION, "sample.dat", "other.dat")["file"] == "other.dat"
    assert len(list((store.root / EVENT / PRODUCTION).iterdir())) == 2, "nothing of the refused one is left"


def test_what_is_unknown_is_not_found(store: Store) -> None:
    store.add_file(EVENT, PRODUCTION, "sample.dat")
    for fetch in (
        lambda: store.fetch_file("none", PRODUCTION, "sample.dat"),
        lambda: store.fetch_file(EVENT, "none", "sample.dat"),
        lambda: store.fetch_file(EVENT, PRODUCTION, "none"),
        lambda: store.fetch_uuid("0" * 32),
        lambda: store.manifest.list_resources("none", PRODUCTION),
        lambda: store.add_file(EVENT, PRODUCTION, "nowhere.dat"),
    ):
        with pytest.raises(FileNotFoundError):
            fetch()


@pytest.mark.parametrize("name", ["../../x", "..", ".", "", "a/b", "a\\b", "/etc", ".manifest", "a\nb", "x" * 300])
def test_no_name_leads_out_of_the_store(store: Store, name: str) -> None:
    before = sorted(Path().rglob("*"))
    for arguments in ((name, PRODUCTION, "f"), (EVENT, name, "f"), (EVENT, PRODUCTION, name)):
        with pytest.raises(ValueError, match=r"No name|Key refused"):
            store.add_file(arguments[0], arguments[1], "sample.dat", arguments[2])
    assert sorted(Path().rglob("*")) == before


def test_a_store_that_newer_releases_have_written_is_read(store: Store) -> None:
    """They keep a file under its own name, and record a uuid all the same."""
    folder = store.root / EVENT / PRODUCTION
    folder.mkdir(parents=True)
    (folder / "f1.txt").write_text("hello\n")
    record = {"hash": MD5, "uuid": "274913a2f66e4295811b527469a381a5"}
    document = {"events": {EVENT: {PRODUCTION: {"f1.txt": record}}}, "name": "Test store"}
    (store.root / ".manifest" / "manifest.yaml").write_text(yaml.dump(document))
    assert store.fetch_file(EVENT, PRODUCTION, "f1.txt", hash=MD5) == folder / "f1.txt"
    (folder / "f1.txt").chmod(0o444)
    assert store.verify().sentence == "Verified: 1 of 1 files, all bytes"
    with pytest.raises(AlreadyPresentException):
        store.add_file("new", "one", "sample.dat")


def test_what_lies_there_unlisted_is_never_overwritten(store: Store) -> None:
    folder = store.root / EVENT / PRODUCTION
    folder.mkdir(parents=True)
    (folder / "sample.dat").write_text("somebody's own")
    store.add_file(EVENT, PRODUCTION, "sample.dat")
    assert (folder / "sample.dat").read_text() == "somebody's own"
    (finding,) = store.verify().findings
    assert (finding.kind, finding.path) == (FindingKind.EXTRA, f"{EVENT}/{PRODUCTION}/sample.dat")
    assert store.fetch_file(EVENT, PRODUCTION, "sample.dat").read_text() == "hello\n"


def test_two_store_objects_lose_nothing_of_each_other(store: Store) -> None:
    other = Store(store.root)
    for number in range(6):
        Path("f").write_text(str(number))
        (store, other)[number % 2].add_file(EVENT, PRODUCTION, "f", f"f{number}")
    assert len(store.manifest.list_resources(EVENT, PRODUCTION)) == 6


def test_a_record_can_be_written_for_what_is_there(store: Store) -> None:
    known = uuid.uuid4()
    (store.root / EVENT / PRODUCTION).mkdir(parents=True)
    (store.root / EVENT / PRODUCTION / known.hex).write_text("hello\n")
    store.manifest.add_record(EVENT, PRODUCTION, "f", MD5, known)
    store.manifest.update()
    assert Store(store.root).fetch_file(EVENT, PRODUCTION, "f").read_text() == "hello\n"
    with pytest.raises(FileExistsError):
        store.manifest.add_record(EVENT, PRODUCTION, "f", MD5, uuid.uuid4())


def test_a_record_that_no_reader_would_take_is_never_written(store: Store) -> None:
    before = (store.root / ".manifest" / "manifest.yaml").read_bytes()
    for digest, number in (("zz", "1" * 32), (MD5, "../../etc/passwd"), (MD5, ""), ("", "1" * 32)):
        with pytest.raises(ManifestError):
            store.manifest.add_record(EVENT, PRODUCTION, "f", digest, number)
    assert (store.root / ".manifest" / "manifest.yaml").read_bytes() == before


def test_a_name_of_a_store_that_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No name of a results store"):
        Store.create(tmp_path / "bad", "\udcff")
    assert not (tmp_path / "bad" / ".manifest" / "manifest.yaml").exists()
