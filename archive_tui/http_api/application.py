"""The Flask application: it turns requests into calls of a datasafe, and what comes of them into answers."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from flask.views import MethodView

from archive_tui.archives.datasafe.opening import open_folder_safe
from archive_tui.archives.datasafe.safe import Safe, StoredArchive
from archive_tui.errors import ArchiveError, ConfigurationError, StorageUnavailable
from archive_tui.http_api.authorisation import CHALLENGE, OPEN_PATHS, is_authorised
from archive_tui.http_api.documents import description_document, index_document
from archive_tui.http_api.index_page import format_index_page
from archive_tui.http_api.openapi import openapi_document
from archive_tui.http_api.ranges import ByteRange, UnsatisfiableRange, parse_range
from archive_tui.http_api.statuses import READING, RESERVING, TOO_LARGE, UNAUTHORISED, WRITING, refuse
from archive_tui.integrity.streams import BLOCK_SIZE, read_chunks

DEFAULT_ROOT = "datasafe_root"
DEFAULT_SIZE = 64 << 30
"""Bytes that a deposit may have unless somebody configures another limit."""

ALIVE = "alive"
LOOKS = 3
"""How often a dataset is looked for again that was replaced before it could be read."""

PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
ZIP = "application/zip"
JSON = "application/json"

_log = logging.getLogger("archive_tui.http_api")


def create_http_server(test_config: Mapping[str, Any] | None = None) -> Flask:
    """Makes the application that serves a datasafe.

    Keys of the mapping: `ROOT_DIRECTORY` (a folder; `datasafe_root` in the current one by default), `STORAGE` (a
    storage of the settings instead), `TOKEN` (None: none is asked for), `MAX_CONTENT_LENGTH` (bytes of a deposit),
    `SAFE` (a datasafe that is open already).

    Raises: ConfigurationError.
    """
    app = Flask("archive_tui.http_api", static_folder=None, template_folder=None)
    app.config.update(ROOT_DIRECTORY=DEFAULT_ROOT, STORAGE=None, TOKEN=None, SAFE=None)
    app.config.update(test_config or {})
    limit = app.config.get("MAX_CONTENT_LENGTH") or DEFAULT_SIZE
    app.config["MAX_CONTENT_LENGTH"] = limit
    app.url_map.merge_slashes = False
    server = _open_safe(app.config, limit)
    api = HTTPServerAPI.as_view("api", server)
    app.add_url_rule("/heartbeat", view_func=_heartbeat)
    app.add_url_rule("/openapi.json", view_func=_describe_interface)
    app.add_url_rule("/", view_func=lambda: _show_index(server), endpoint="index")
    app.add_url_rule("/api/", view_func=api, methods=["GET", "POST", "PUT", "PATCH"], defaults={"loi": ""})
    app.add_url_rule("/api/<path:loi>", view_func=api)
    app.before_request(_check_token)
    app.register_error_handler(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large)
    app.register_error_handler(Exception, _fail)
    return app


class HTTPServerAPI(MethodView):
    """What is answered at `/api/` and below; `server` is the datasafe."""

    init_every_request = False

    def __init__(self, server: Safe) -> None:
        self.server = server

    def get(self, loi: str) -> Response:
        if not loi:
            return self._list()
        try:
            if _prefers_json(ZIP):
                return _json(description_document(self.server.describe(loi)))
            return self._send(loi, _old_version())
        except ArchiveError as error:
            return _refuse(error, READING)

    def _send(self, loi: str, old: int | None) -> Response:
        """A dataset that is replaced before its first byte was read is looked for again."""
        for _ in range(LOOKS):
            try:
                return _send_archive(self.server.archive(loi, old=old), loi)
            except StorageUnavailable as error:
                if error.code != "updated":
                    raise
        return _send_archive(self.server.archive(loi, old=old), loi)

    def post(self, loi: str) -> Response:
        try:
            return _text(self.server.reserve(loi), HTTPStatus.CREATED)
        except ArchiveError as error:
            return _refuse(error, RESERVING)

    def put(self, loi: str) -> Response:
        return self._receive(loi, is_update=False)

    def patch(self, loi: str) -> Response:
        return self._receive(loi, is_update=True)

    def _receive(self, loi: str, *, is_update: bool) -> Response:
        send = self.server.update if is_update else self.server.deposit
        try:
            receipt = send(loi, _read_body())
        except ArchiveError as error:
            return _refuse(error, WRITING)
        return _json({"all": receipt.all_is_right, "data": receipt.data_is_right})

    def _list(self) -> Response:
        if not _prefers_json("text/plain"):
            return _text(ALIVE)
        try:
            return _json(index_document(self.server.entries(request.args.get("prefix", ""))))
        except ArchiveError as error:
            return _refuse(error, READING)


def _open_safe(config: Mapping[str, Any], limit: int) -> Safe:
    if config["SAFE"] is not None:
        safe: Safe = config["SAFE"]
        return safe
    if config["STORAGE"] is None:
        return open_folder_safe(Path(config["ROOT_DIRECTORY"]), create=True, max_size=limit, max_unpacked_size=limit)
    from archive_tui.archives.datasafe.opening import open_store_safe
    from archive_tui.archives.datasafe.safes import safe_prefix
    from archive_tui.archives.storages import open_storage
    from archive_tui.settings import load_settings

    settings = load_settings()
    storage = open_storage(settings, config["STORAGE"])
    if storage.kind == "http":
        raise ConfigurationError(
            f"The storage {storage.name} is a datasafe over HTTP itself.", hint="Serve it where it lies."
        )
    prefix = safe_prefix(settings, storage.name)
    return open_store_safe(storage.store, prefix, max_size=limit, max_unpacked_size=limit)


def _heartbeat() -> Response:
    return _text(ALIVE)


def _describe_interface() -> Response:
    return _json(openapi_document())


def _show_index(server: Safe) -> Response:
    try:
        page = format_index_page(server.entries(), "Datasafe")
    except ArchiveError as error:
        return _refuse(error, READING)
    return Response(page, mimetype="text/html", headers={"Content-Security-Policy": PAGE_POLICY})


def _check_token() -> Response | None:
    from flask import current_app

    if request.path in OPEN_PATHS or is_authorised(current_app.config["TOKEN"], request.headers.get("Authorization")):
        return None
    answer = _text(UNAUTHORISED, HTTPStatus.UNAUTHORIZED)
    answer.headers["WWW-Authenticate"] = CHALLENGE
    return answer


def _read_body() -> Iterator[bytes]:
    return read_chunks(request.stream, block_size=BLOCK_SIZE)


def _send_archive(archive: StoredArchive, loi: str) -> Response:
    etag = None if archive.digest is None else f'"{archive.digest}"'
    headers = {"Accept-Ranges": "bytes", "Vary": "Accept"}
    if archive.digest is not None and etag is not None:
        headers["ETag"] = etag
        headers["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(archive.digest)).decode()}:"
    if etag is not None and etag in request.headers.get("If-None-Match", ""):
        return Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    try:
        chosen = _choose_range(archive.size, etag)
    except UnsatisfiableRange:
        headers["Content-Range"] = f"bytes */{archive.size}"
        return _text("The range begins behind the end.", HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers)
    status, part = HTTPStatus.OK, ByteRange(0, archive.size)
    if chosen is not None:
        status, part = HTTPStatus.PARTIAL_CONTENT, chosen
        headers["Content-Range"] = part.content_range(archive.size)
    name = loi.partition("/ds/")[2].replace("/", "-")
    headers["Content-Disposition"] = f'attachment; filename="{name}.zip"'
    headers["Content-Length"] = str(part.length)
    body: Iterable[bytes] = () if request.method == "HEAD" else _BegunBody(archive, part)
    return Response(body, status, headers, mimetype=ZIP, direct_passthrough=True)


def _choose_range(size: int, etag: str | None) -> ByteRange | None:
    condition = request.headers.get("If-Range")
    if condition is not None and condition != etag:
        return None
    return parse_range(request.headers.get("Range"), size)


class _BegunBody:
    """Part of an archive, of which the beginning has been read: what cannot be read at all has a status."""

    def __init__(self, archive: StoredArchive, part: ByteRange) -> None:
        self._reader = archive.store.open(archive.key, part.offset, part.length)
        self._chunks = read_chunks(self._reader)
        try:
            self._first = next(self._chunks, b"")
        except BaseException:
            self._reader.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        yield from self._chunks

    def close(self) -> None:
        self._reader.close()


def _old_version() -> int | None:
    text = request.args.get("old", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _prefers_json(other: str) -> bool:
    return request.accept_mimetypes.best_match([other, JSON], default=other) == JSON


def _refuse(error: ArchiveError, doing: str) -> Response:
    refusal = refuse(error, doing)
    if refusal.status is HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("%s %s: %s (%s)", request.method, request.path, error.message, error.code)
    if refusal.status is HTTPStatus.NO_CONTENT:
        return Response(status=refusal.status)
    return _text(refusal.text, refusal.status, refusal.headers)


def _too_large(error: Exception) -> Response:
    return _text(TOO_LARGE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def _fail(error: Exception) -> Response:
    from werkzeug.exceptions import HTTPException

    if isinstance(error, HTTPException) and error.code is not None:
        allowed = getattr(error, "valid_methods", None)
        headers = {"Allow": ", ".join(sorted(allowed))} if allowed else None
        return _text(str(error.name), HTTPStatus(error.code), headers)
    _log.exception("%s %s", request.method, request.path)
    return _text("The datasafe could not do this; its log says why.", HTTPStatus.INTERNAL_SERVER_ERROR)


def _text(text: str, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Response:
    return Response(text, status, dict(headers or {}), mimetype="text/plain")


def _json(document: Mapping[str, Any]) -> Response:
    import json

    return Response(json.dumps(document), mimetype=JSON, headers={"Vary": "Accept"})
