"""HTTPClient: every status of the interface is the error that the contract promises, every other one is an error."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_tui.archives.datasafe.http_client import HTTPClient
from archive_tui.errors import (
    AccessDenied,
    ArchiveError,
    ConfigurationError,
    ExistingFileError,
    IntegrityError,
    InvalidLoiError,
    LoiNotFoundError,
    MissingContentError,
    NoFileError,
    StorageError,
    StorageUnavailable,
)
from archive_tui.objects.http import connection as http_connection
from tests.archives.datasafe.test_remote_safe import act_and, drop, make_zip, open_zip, status
from tests.objects.lying_datasafe import Dataset, LyingDatasafe, lying_datasafe

LOI = "42.1001/ds/exp/sa/42/cwepr/1"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LyingDatasafe]:
    monkeypatch.setattr(http_connection, "pause", lambda *details: None)
    with lying_datasafe() as safe:
        safe.open_files = open_zip
        safe.datasets[LOI] = Dataset()
        yield safe


@pytest.fixture
def client(server: LyingDatasafe) -> Iterator[HTTPClient]:
    client = HTTPClient()
    client.server_url = server.url
    yield client
    client.close()


@pytest.fixture
def measurement(tmp_path: Path) -> Path:
    folder = tmp_path / "measurement"
    folder.mkdir()
    (folder / "bar.dat").write_bytes(b"data")
    (folder / "bar.info").write_text("cwEPR Info file - v. 0.1.4 (2020-01-21)")
    return folder


def test_the_defaults_are_those_that_programs_know() -> None:
    client = HTTPClient()
    assert (client.server_url, client.url_prefix) == ("http://127.0.0.1:5000/", "api/")


def test_a_dataset_goes_there_and_comes_back(server: LyingDatasafe, client: HTTPClient, measurement: Path) -> None:
    loi = client.create("42.1001/ds/exp/sa/42/cwepr/")
    assert loi.rpartition("/")[2] == "2"
    assert client.upload(loi, path=str(measurement)) == {"data": True, "all": True}
    folder = Path(client.download(loi))
    assert (folder / "bar.dat").read_bytes() == b"data"
    (measurement / "bar.dat").write_bytes(b"data")
    assert client.update(loi, path=str(measurement)) == {"data": True, "all": True}
    assert server.methods().count("PATCH") == 1


DOWNLOADS = [
    (204, "", {}, MissingContentError),
    (404, "LOI does not exist.", {}, LoiNotFoundError),
    (404, "String is not a valid LOI.", {}, InvalidLoiError),
    (404, "LOI is not a datasafe LOI.", {}, InvalidLoiError),
    (404, "<html>not here</html>", {"kind": "text/html"}, StorageError),
    (500, "<html><h1>Internal Server Error</h1></html>", {"kind": "text/html"}, StorageError),
    (401, "no", {}, AccessDenied),
    (503, "later", {}, StorageUnavailable),
    (201, "PK", {}, StorageError),
    (302, "", {"Location": "http://127.0.0.1:1/"}, StorageError),
]


@pytest.mark.parametrize(("number", "text", "headers", "kind"), DOWNLOADS)
def test_a_download_that_is_none_is_an_error_and_never_a_dataset(
    server: LyingDatasafe, client: HTTPClient, number: int, text: str, headers: dict[str, str], kind: type[ArchiveError]
) -> None:
    server.hold(LOI, make_zip("data"))
    server.lies = [status(number, text, **headers)] * 10
    with pytest.raises(kind) as caught:
        client.download(LOI)
    assert text[:1] in ("", "<") or text in str(caught.value)


SENDINGS = [
    ("upload", 400, "LOI does not exist.", {}, LoiNotFoundError),
    ("update", 400, "LOI does not exist.", {}, LoiNotFoundError),
    ("upload", 400, "No content provided to deposit.", {}, MissingContentError),
    ("upload", 400, "This is no zip archive.", {}, ArchiveError),
    ("upload", 404, "String is not a valid LOI.", {}, InvalidLoiError),
    ("update", 404, "LOI is not a datasafe LOI.", {}, InvalidLoiError),
    ("upload", 405, "Directory not empty.", {"Allow": "PATCH"}, ExistingFileError),
    ("update", 405, "Directory empty", {"Allow": "PUT"}, NoFileError),
    ("upload", 405, "<html>", {"kind": "text/html", "Allow": "GET, HEAD"}, StorageError),
    ("upload", 422, "Its checksums do not match.", {}, IntegrityError),
    ("update", 422, "Its checksums do not match.", {}, IntegrityError),
    ("upload", 413, "too much", {}, StorageError),
    ("upload", 500, "Internal Server Error", {}, StorageError),
    ("update", 418, "a teapot", {}, StorageError),
    ("upload", 201, "", {}, StorageError),
    ("upload", 200, "thank you", {}, StorageError),
    ("upload", 200, '{"all": false, "data": false}', {}, IntegrityError),
    ("upload", 307, "", {"Location": "http://127.0.0.1:1/"}, StorageError),
]


@pytest.mark.parametrize(("verb", "number", "text", "headers", "kind"), SENDINGS)
def test_a_dataset_that_is_not_taken_is_an_error(
    server: LyingDatasafe,
    client: HTTPClient,
    measurement: Path,
    verb: str,
    number: int,
    text: str,
    headers: dict[str, str],
    kind: type[ArchiveError],
) -> None:
    server.lies = [status(number, text, **headers)]
    with pytest.raises(kind):
        getattr(client, verb)(LOI, path=str(measurement))
    assert len(server.asked) == 1, "it is sent once"


@pytest.mark.parametrize(
    ("number", "text", "kind"),
    [
        (404, "Loi ist not a valid experiment LOI.", InvalidLoiError),
        (200, "alive", StorageError),
        (500, "Internal Server Error", StorageError),
    ],
)
def test_a_reservation_that_failed_is_an_error(
    server: LyingDatasafe, client: HTTPClient, number: int, text: str, kind: type[ArchiveError]
) -> None:
    server.lies = [status(number, text)]
    with pytest.raises(kind, match=text):
        client.create("42.1001/ds/exp/sa/42/cwepr/")


def test_a_lost_reply_is_settled_by_the_digest_of_what_lies_there(
    server: LyingDatasafe, client: HTTPClient, measurement: Path
) -> None:
    server.lies = [act_and(drop)]
    assert client.upload(LOI, path=str(measurement)) == {"data": True, "all": True}
    archive = server.datasets[LOI].archive
    assert archive is not None and hashlib.sha256(archive)
    assert server.methods() == ["PUT", "HEAD"]
    server.lies = [drop]
    (measurement / "bar.dat").write_bytes(b"new")
    (measurement / "MANIFEST.yaml").unlink(missing_ok=True)
    with pytest.raises(StorageUnavailable):
        client.update(LOI, path=str(measurement))
    assert server.datasets[LOI].archive == archive


def test_address_prefix_and_token_may_be_set_at_any_time(server: LyingDatasafe, client: HTTPClient) -> None:
    server.token = "the-token"
    with pytest.raises(AccessDenied):
        client.create("42.1001/ds/exp/sa/42/cwepr/")
    client.token = "the-token"
    assert client.create("42.1001/ds/exp/sa/42/cwepr/").endswith("/2")
    client.url_prefix = "elsewhere/"
    with pytest.raises(StorageError):
        client.create("42.1001/ds/exp/sa/42/cwepr/")
    client.server_url = "nowhere"
    with pytest.raises(ConfigurationError):
        client.create("42.1001/ds/exp/sa/42/cwepr/")


def test_nobody_there_is_unavailable(server: LyingDatasafe, client: HTTPClient, measurement: Path) -> None:
    server.close()
    for act in (
        lambda: client.create("42.1001/ds/exp/sa/42/cwepr/"),
        lambda: client.upload(LOI, path=str(measurement)),
        lambda: client.download(LOI),
    ):
        with pytest.raises(StorageUnavailable):
            act()
