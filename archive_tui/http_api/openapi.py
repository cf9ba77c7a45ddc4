"""The OpenAPI description of the interface, which the server hands out at `/openapi.json`."""

from __future__ import annotations

from typing import Any

from archive_tui import __version__

_LOI = {
    "name": "loi",
    "in": "path",
    "required": True,
    "description": "A LOI with its slashes, as in 42.1001/ds/exp/sa/42/cwepr/1.",
    "schema": {"type": "string", "minLength": 1},
    "example": "42.1001/ds/exp/sa/42/cwepr/1",
}
_PREFIX = {
    "name": "prefix",
    "in": "query",
    "description": "Only LOIs that begin with this text.",
    "schema": {"type": "string"},
}
_OLD = {
    "name": "old",
    "in": "query",
    "description": "The number of an old version.",
    "schema": {"type": "integer", "minimum": 1, "maximum": 999_999_999},
}
_ZIP_BODY = {
    "required": True,
    "description": "A zip archive with MANIFEST.yaml at its top.",
    "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
}
_NULLABLE_INTEGER = {"type": ["integer", "null"], "minimum": 0}
_NULLABLE_TEXT = {"type": ["string", "null"]}

_SCHEMAS: dict[str, Any] = {
    "Entry": {
        "type": "object",
        "required": ["loi", "state"],
        "properties": {
            "loi": {"type": "string"},
            "state": {"type": "string", "enum": ["reserved", "deposited", "damaged"]},
            "files": _NULLABLE_INTEGER,
            "size": _NULLABLE_INTEGER,
            "modified": {**_NULLABLE_TEXT, "description": "ISO 8601, UTC."},
            "digest": {**_NULLABLE_TEXT, "description": "SHA-256 of the archive."},
            "old_versions": {"type": "integer", "minimum": 0},
            "detail": {"type": "string", "description": "What is wrong with a damaged dataset."},
        },
    },
    "Index": {
        "type": "object",
        "required": ["datasets"],
        "properties": {"datasets": {"type": "array", "items": {"$ref": "#/components/schemas/Entry"}}},
    },
    "Description": {
        "type": "object",
        "required": ["entry", "files"],
        "properties": {
            "entry": {"$ref": "#/components/schemas/Entry"},
            "manifest": {"type": ["object", "null"], "description": "MANIFEST.yaml."},
            "files": {"type": "array", "items": {"type": "object"}},
            "metadata": {"type": "array", "items": {"type": "object"}},
            "old_versions": {"type": "array", "items": {"type": "object"}},
        },
    },
    "Integrity": {
        "type": "object",
        "required": ["all", "data"],
        "properties": {"all": {"type": "boolean"}, "data": {"type": "boolean"}},
    },
}


def openapi_document() -> dict[str, Any]:
    """Returns the description; tests hold the server to it."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Datasafe", "version": __version__, "description": "Measurements under LOIs."},
        "paths": {
            "/heartbeat": {"get": _operation("Is it there?", {"200": _text("`alive`")}, is_open=True)},
            "/": {"get": _operation("The datasets, for people.", {"200": _content("A page.", "text/html")})},
            "/openapi.json": {
                "get": _operation("This description.", {"200": _content("OpenAPI.", "application/json")}, is_open=True)
            },
            "/api/": {"parameters": [_PREFIX], "get": _operation("The index of LOIs.", {"200": _index()})},
            "/api/{loi}": {"parameters": [_LOI], **_dataset_operations()},
        },
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
    }


def _dataset_operations() -> dict[str, Any]:
    written = {
        "200": _content("Deposited and proven.", "application/json", "Integrity"),
        "400": _text("Nobody has reserved it; nothing was sent; or it is no dataset's archive."),
        "404": _text("No LOI of a dataset."),
        "413": _text("Larger than is taken here."),
        "422": _text("It does not fit its manifest. Nothing is kept."),
    }
    refused = {"405": _text("There is a dataset already (PUT), or none (PATCH); `Allow` says what can be done.")}
    reading = {
        "200": {
            "description": "The archive, or with `Accept: application/json` its description.",
            "content": {
                "application/zip": {"schema": {"type": "string", "format": "binary"}},
                "application/json": {"schema": {"$ref": "#/components/schemas/Description"}},
            },
        },
        "204": {"description": "Reserved, and nothing is deposited."},
        "206": _content("A range of the archive.", "application/zip"),
        "304": {"description": "It is what `If-None-Match` names."},
        "404": _text("Nobody has reserved it, or it is no LOI of a dataset."),
        "416": _text("The range begins behind the end."),
    }
    return {
        "get": {**_operation("Retrieve a dataset.", reading), "parameters": [_OLD]},
        "head": {**_operation("As GET, without the body.", reading), "parameters": [_OLD]},
        "post": _operation(
            "Reserve the next number.", {"201": _text("The LOI."), "404": _text("No LOI of an experiment.")}
        ),
        "put": {**_operation("Deposit a dataset, once.", {**written, **refused}), "requestBody": _ZIP_BODY},
        "patch": {**_operation("Replace a dataset.", {**written, **refused}), "requestBody": _ZIP_BODY},
    }


def _operation(summary: str, responses: dict[str, Any], *, is_open: bool = False) -> dict[str, Any]:
    always = {
        "400": _text("Not a request that can be understood."),
        "401": _text("The token is wrong, or there is none."),
        "431": _text("The header of the request is too large."),
        "500": _text("The datasafe failed; its log says why."),
        "501": _text("A transfer encoding other than `chunked`."),
        "507": _text("No room."),
        "503": _text("The storage below cannot be reached; try again later."),
    }
    operation: dict[str, Any] = {"summary": summary, "responses": {**always, **responses}}
    return {**operation, "security": [{}]} if is_open else operation


def _text(description: str) -> dict[str, Any]:
    return _content(description, "text/plain")


def _index() -> dict[str, Any]:
    return {
        "description": "`alive`, or with `Accept: application/json` the index.",
        "content": {
            "text/plain": {"schema": {"type": "string"}},
            "application/json": {"schema": {"$ref": "#/components/schemas/Index"}},
        },
    }


def _content(description: str, kind: str, schema: str = "") -> dict[str, Any]:
    found = {"$ref": f"#/components/schemas/{schema}"} if schema else {}
    return {"description": description, "content": {kind: {"schema": found}}}
