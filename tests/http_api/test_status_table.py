"""Every line of the table of statuses: what is asked in which state, what is answered, and what lies there then."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from archive_tui import errors
from archive_tui.archives.datasafe.folder_shelf import FolderShelf
from archive_tui.archives.datasafe.safe import StoredArchive
from archive_tui.archives.datasafe.stored_safe import StoredSafe
from archive_tui.datasafe import create_http_server
from archive_tui.errors import ArchiveError, StorageUnavailable
from archive_tui.http_api.openapi import openapi_document
from archive_tui.http_api.statuses import READING, RESERVING, WRITING, refuse
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectReader
from tests.archives.datasafe.served_datasafe import pack_dataset

KIND = "42.1001/ds/exp/sa/42/cwepr"
LOI = f"{KIND}/1"
FILES = {"sample.dat": b"3340.1 0.02\n", "raw/more.dat": b"x" * 5000}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "safe"


@pytest.fixture
def client(root: Path) -> FlaskClient:
    return create_http_server({"ROOT_DIRECTORY": root, "MAX_CONTENT_LENGTH": 100_000}).test_client()


@pytest.fixture
def reserved(client: FlaskClient) -> FlaskClient:
    answer = client.post(f"/api/{KIND}")
    assert (answer.status_code, answer.text) == (201, LOI)
    return client


@pytest.fixture
def filled(reserved: FlaskClient) -> FlaskClient:
    answer = reserved.put(f"/api/{LOI}", data=pack_dataset(LOI, FILES))
    assert (answer.status_code, answer.json) == (200, {"all": True, "data": True})
    return reserved


def test_it_is_alive(client: FlaskClient) -> None:
    for path in ("/heartbeat", "/api/"):
        assert (client.get(path).status_code, client.get(path).text) == (200, "alive")


@pytest.mark.parametrize(
    ("loi", "text"),
    [
        (f"{KIND}/9", "LOI does not exist."),
        (f"{KIND}/../../x", "String is not a valid LOI."),
        (f"{KIND}/1/", "String is not a valid LOI."),
        (f"{KIND}/１", "String is not a valid LOI."),
        ("42.1001%2Fds%2Fexp%2F..", "String is not a valid LOI."),
        ("4" * 10_000, "String is not a valid LOI."),
        ("42.1001/rec/42", "LOI is not a datasafe LOI."),
    ],
)
def test_what_is_no_dataset_cannot_be_read(client: FlaskClient, loi: str, text: str) -> None:
    answer = client.get(f"/api/{loi}")
    assert (answer.status_code, answer.text) == (404, text)
    head = client.head(f"/api/{loi}")
    assert (head.status_code, head.data) == (404, b"")


def test_a_reserved_loi_has_no_content(reserved: FlaskClient) -> None:
    assert (reserved.get(f"/api/{LOI}").status_code, reserved.get(f"/api/{LOI}").data) == (204, b"")
    assert reserved.head(f"/api/{LOI}").status_code == 204


def test_a_dataset_is_a_zip_with_its_digest(filled: FlaskClient) -> None:
    answer = filled.get(f"/api/{LOI}")
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in FILES} == FILES
        assert archive.namelist() == sorted(archive.namelist())
    digest = hashlib.sha256(answer.data)
    assert answer.headers["Repr-Digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    assert answer.headers["ETag"] == f'"{digest.hexdigest()}"'
    head = filled.head(f"/api/{LOI}")
    assert (head.status_code, head.data, head.headers["Content-Length"]) == (200, b"", str(len(answer.data)))
    assert filled.get(f"/api/{LOI}").data == answer.data


@pytest.mark.parametrize(
    ("header", "begin", "end"),
    [("bytes=0-9", 0, 10), ("bytes=100-", 100, None), ("bytes=-7", -7, None), ("bytes=5-99999999", 5, None)],
)
def test_a_part_of_a_dataset(filled: FlaskClient, header: str, begin: int, end: int | None) -> None:
    whole = filled.get(f"/api/{LOI}").data
    answer = filled.get(f"/api/{LOI}", headers={"Range": header})
    assert (answer.status_code, answer.data) == (206, whole[begin:end])
    first = begin % len(whole)
    assert answer.headers["Content-Range"] == f"bytes {first}-{first + len(answer.data) - 1}/{len(whole)}"


def test_conditions_of_ranges_and_copies(filled: FlaskClient) -> None:
    answer = filled.get(f"/api/{LOI}")
    tag, size = answer.headers["ETag"], len(answer.data)
    beyond = filled.get(f"/api/{LOI}", headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    for header in ("bytes=9-3", "bytes=-", "bytes=0-1,3-4", "lines=1-2", "bytes=a-b"):
        assert filled.get(f"/api/{LOI}", headers={"Range": header}).status_code == 200
    changed = filled.get(f"/api/{LOI}", headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (changed.status_code, len(changed.data)) == (200, size)
    assert filled.get(f"/api/{LOI}", headers={"Range": "bytes=0-9", "If-Range": tag}).status_code == 206
    assert filled.get(f"/api/{LOI}", headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(
    ("loi", "text"),
    [
        ("42.1001/ds/calc", "Loi ist not a valid experiment LOI."),
        ("42.1001/ds/exp/foo", "String is not a valid LOI."),
        ("42.1001/rec/1", "LOI is not a datasafe LOI."),
    ],
)
def test_what_cannot_be_reserved(client: FlaskClient, loi: str, text: str) -> None:
    answer = client.post(f"/api/{loi}")
    assert (answer.status_code, answer.text) == (404, text)


@pytest.mark.parametrize("verb", ["put", "patch"])
def test_nothing_is_written_where_nothing_is_reserved(client: FlaskClient, root: Path, verb: str) -> None:
    answer = getattr(client, verb)(f"/api/{LOI}", data=pack_dataset(LOI, FILES))
    assert (answer.status_code, answer.text) == (400, "LOI does not exist.")
    wrong = getattr(client, verb)("/api/foo", data=b"x")
    assert (wrong.status_code, wrong.text) == (404, "String is not a valid LOI.")


def test_a_second_deposit_and_an_early_update(reserved: FlaskClient) -> None:
    early = reserved.patch(f"/api/{LOI}", data=pack_dataset(LOI, FILES))
    assert (early.status_code, early.text, early.headers["Allow"]) == (405, "Directory empty", "PUT")
    assert reserved.put(f"/api/{LOI}", data=pack_dataset(LOI, FILES)).status_code == 200
    second = reserved.put(f"/api/{LOI}", data=pack_dataset(LOI, FILES))
    assert (second.status_code, second.text, second.headers["Allow"]) == (405, "Directory not empty.", "PATCH")


def test_an_update_keeps_the_old_version(filled: FlaskClient) -> None:
    before = filled.get(f"/api/{LOI}").data
    answer = filled.patch(f"/api/{LOI}", data=pack_dataset(LOI, {"sample.dat": b"better"}))
    assert (answer.status_code, answer.json) == (200, {"all": True, "data": True})
    assert filled.get(f"/api/{LOI}").data != before
    assert filled.get(f"/api/{LOI}?old=1").data == before
    assert filled.get(f"/api/{LOI}?old=2").status_code == 404
    described = filled.get(f"/api/{LOI}", headers={"Accept": "application/json"}).json
    assert described is not None
    assert [each["number"] for each in described["old_versions"]] == [1]


def _zip_of(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _lying() -> bytes:
    honest = pack_dataset(LOI, {"sample.dat": b"what was listed"})
    with zipfile.ZipFile(io.BytesIO(honest)) as archive:
        return _zip_of({"sample.dat": b"something else!", "MANIFEST.yaml": archive.read("MANIFEST.yaml")})


BAD_BODIES = {
    "nothing": (b"", 400),
    "no zip": (b"no zip at all", 400),
    "cut": (pack_dataset(LOI, FILES)[:-30], 400),
    "without manifest": (_zip_of({"sample.dat": b"x"}), 400),
    "unreadable manifest": (_zip_of({"MANIFEST.yaml": b"&a [*a]", "x": b""}), 400),
    "climbing": (_zip_of({"../x": b"x", "MANIFEST.yaml": b"x"}), 400),
    "lying": (_lying(), 422),
    "of another LOI": (pack_dataset(f"{KIND}/7", FILES), 422),
    "too large": (b"x" * 100_001, 413),
}


@pytest.mark.parametrize("what", BAD_BODIES)
@pytest.mark.parametrize("verb", ["put", "patch"])
def test_a_bad_body_leaves_what_was_there(reserved: FlaskClient, root: Path, verb: str, what: str) -> None:
    place = root / "exp" / "sa" / "42" / "cwepr"
    if verb == "patch":
        reserved.put(f"/api/{LOI}", data=pack_dataset(LOI, FILES))
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    body, status = BAD_BODIES[what]
    answer = getattr(reserved, verb)(f"/api/{LOI}", data=body)
    assert answer.status_code == status, answer.text
    assert answer.text.strip()
    after = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert {path: content for path, content in after.items() if ".old" not in path.parts} == before
    assert [path.name for path in place.iterdir()] == ["1"]


def test_what_unpacks_to_too_much_is_refused(reserved: FlaskClient) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("MANIFEST.yaml", b"x")
        archive.writestr("zeros", bytes(200_000))
    assert reserved.put(f"/api/{LOI}", data=stream.getvalue()).status_code in (400, 413)


def test_a_token_is_asked_for(root: Path) -> None:
    client = create_http_server({"ROOT_DIRECTORY": root, "TOKEN": "sesame"}).test_client()
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic sesame"},
        {"Authorization": "sesame"},
    ):
        answer = client.post(f"/api/{KIND}", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert client.get("/").status_code == 401
    assert client.get("/heartbeat").status_code == 200
    assert client.post(f"/api/{KIND}", headers={"Authorization": "bearer sesame"}).status_code == 201


def test_the_index_for_programs_and_for_people(filled: FlaskClient) -> None:
    filled.post(f"/api/{KIND}")
    rows = filled.get("/api/", headers={"Accept": "application/json"}).json
    assert rows is not None
    assert [(row["loi"], row["state"]) for row in rows["datasets"]] == [(LOI, "deposited"), (f"{KIND}/2", "reserved")]
    some = filled.get("/api/?prefix=42.7", headers={"Accept": "application/json"}).json
    assert some == {"datasets": []}
    page = filled.get("/")
    assert page.mimetype == "text/html" and LOI in page.text and "deposited" in page.text
    assert "<script" not in page.text


def test_other_verbs_are_refused(client: FlaskClient) -> None:
    answer = client.delete(f"/api/{LOI}")
    assert answer.status_code == 405
    assert "PATCH" in answer.headers["Allow"]


TREE = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_every_error_has_a_status_that_the_description_knows(kind: type[ArchiveError]) -> None:
    operations = openapi_document()["paths"]["/api/{loi}"]
    for doing, verb in ((READING, "get"), (RESERVING, "post"), (WRITING, "put")):
        status = int(refuse(kind("message"), doing).status)
        if status != 405 or doing == WRITING:  # reading and reserving find nothing in their way
            assert status in {int(known) for known in operations[verb]["responses"]}, doing


class Replaced(FolderStore):
    """What lies in it is replaced each time before it is read."""

    def __init__(self, root: Path, times: int) -> None:
        super().__init__(root)
        self.times = times

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        self.times -= 1
        if self.times >= 0:
            raise StorageUnavailable("the dataset was updated while it was read.", code="updated")
        return super().open(key, offset, length)


class UpdatedSafe(StoredSafe):
    store: Replaced

    def archive(self, loi: str, *, old: int | None = None) -> StoredArchive:
        return StoredArchive(self.store, "dataset.zip", 7, None)


@pytest.mark.parametrize(("times", "status"), [(0, 200), (1, 200), (3, 200), (4, 503)])
def test_a_dataset_that_is_replaced_before_it_is_read_is_looked_for_again(
    tmp_path: Path, times: int, status: int
) -> None:
    (tmp_path / "dataset.zip").write_bytes(b"content")
    safe = UpdatedSafe(FolderShelf(tmp_path / "safe"))
    safe.store = Replaced(tmp_path, times)
    client = create_http_server({"SAFE": safe}).test_client()
    answer = client.get("/api/42.1001/ds/exp/sa/42/cwepr/1")
    assert answer.status_code == status
    assert (answer.data == b"content") is (status == 200)
    assert client.head("/api/42.1001/ds/exp/sa/42/cwepr/1").status_code == 200
