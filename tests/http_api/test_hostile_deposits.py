"""Archives that lie: each is refused with a documented status, and the LOI is as empty as before."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from archive_tui.datasafe import create_http_server
from tests.archives.datasafe.served_datasafe import PARENT, pack_dataset
from tests.hostile.hostile_archives import GENERATORS

LOI = f"/api/{PARENT}/1"
MOST = 4_000_000


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def client(tmp_path: Path, temporary: Path) -> FlaskClient:
    client = create_http_server({"ROOT_DIRECTORY": tmp_path / "safe", "MAX_CONTENT_LENGTH": MOST}).test_client()
    assert client.post(f"/api/{PARENT}").status_code == 201
    return client


def tree_of(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def check_refused(client: FlaskClient, folder: Path, body: bytes, *statuses: int) -> None:
    before = tree_of(folder)
    answer = client.put(LOI, data=body)
    assert answer.status_code in statuses, answer.text
    assert answer.mimetype == "text/plain" and answer.text.strip()
    assert answer.text.isprintable() or "\n" in answer.text
    assert "Traceback" not in answer.text and str(folder) not in answer.text
    assert tree_of(folder) == before, "something is kept"
    assert client.get(LOI).status_code == 204


@pytest.mark.parametrize("name", sorted(GENERATORS))
def test_a_hostile_archive_leaves_nothing(client: FlaskClient, tmp_path: Path, name: str) -> None:
    body = GENERATORS[name]()
    check_refused(client, tmp_path, body, 413 if len(body) > MOST else 400, 413)


def with_manifest(manifest: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("x", b"content")
        archive.writestr("MANIFEST.yaml", manifest)
    return stream.getvalue()


MANIFESTS = {
    "empty": b"",
    "not YAML": b"\x00\xff{",
    "a list": b"- a\n- b\n",
    "a text": b"hello",
    "an alias bomb": b"a: &a [x,x,x,x]\n" + b"".join(
        b"%c: &%c [%s]\n" % (now, now, b",".join([b"*%c" % (now - 1)] * 9)) for now in range(ord("b"), ord("k"))
    ),
    "a tag": b"!!python/object/apply:os.system ['true']",
    "deep": b"[" * 50_000,
    "deep map": b"{a: " * 50_000,
    "no files": b"format: {type: datasafe dataset manifest, version: 0.1.0}\ndataset: {loi: '', complete: true}\n",
    "other version": b"format: {type: datasafe dataset manifest, version: 99.0}\n",
    "files that climb": b"files: {metadata: [], data: {format: x, names: ['../../etc/passwd']}}\nchecksums: []\n",
    "numbers for names": b"files: {metadata: 7, data: {format: [], names: {a: b}}}\nchecksums: 3\n",
    "large": b"a: " + b"x" * 3_000_000,
    "many lines": b"- x\n" * 500_000,
    "control characters": b"dataset: {loi: \"\\e[31m\\u202e\", complete: false}\n",
}  # fmt: skip


@pytest.mark.parametrize("what", MANIFESTS)
def test_a_hostile_manifest_leaves_nothing(client: FlaskClient, tmp_path: Path, what: str) -> None:
    check_refused(client, tmp_path, with_manifest(MANIFESTS[what]), 400, 413, 422)


def repack(body: bytes, **changes: bytes | None) -> bytes:
    """The same archive with other contents; None: without this file."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(stream, "w") as new:
        files = {name: old.read(name) for name in old.namelist()} | changes
        for name, content in files.items():
            if content is not None:
                new.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    "changes",
    [{"a": b"other"}, {"a": b""}, {"a": None}, {"a": b"2", "b": b"1"}, {"more": b"unlisted"}, {"MANIFEST.yaml/x": b""}],
)
def test_what_does_not_fit_the_manifest_leaves_nothing(
    client: FlaskClient, tmp_path: Path, changes: dict[str, bytes | None]
) -> None:
    honest = pack_dataset(f"{PARENT}/1", {"a": b"1", "b": b"2"})
    check_refused(client, tmp_path, repack(honest, **changes), 422, 400)
    assert client.put(LOI, data=honest).status_code == 200, "what was refused is in nobody's way"


def test_a_dataset_that_unpacks_to_more_than_is_taken(client: FlaskClient, tmp_path: Path) -> None:
    bomb = pack_dataset(f"{PARENT}/1", {"zeros": bytes(MOST + 1)})
    assert len(bomb) < 50_000
    check_refused(client, tmp_path, bomb, 413)


def test_every_cut_of_a_body_is_refused(client: FlaskClient, tmp_path: Path) -> None:
    honest = pack_dataset(f"{PARENT}/1", {"a": b"content"})
    for length in range(0, len(honest), 7):
        check_refused(client, tmp_path, honest[:length], 400)
