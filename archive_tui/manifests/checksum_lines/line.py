"""One line of a checksum manifest, and the names of the dialects."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Dialect(StrEnum):
    """How a manifest is written. SHA256SUM and BSD are read by the same rules, those of coreutils, which mix them."""

    QUOTED = "quoted"
    SHA256SUM = "sha256sum"
    BSD = "bsd"
    JSON = "json"
    CSV = "csv"


WRITTEN_DIALECTS = (Dialect.QUOTED, Dialect.SHA256SUM, Dialect.BSD, Dialect.JSON)


class ManifestLine(NamedTuple):
    """`number` is the line in the document, from 1 (of JSON: the entry). `name` is the path as it is written there;
    bytes that are no UTF-8 are surrogates, as `os.fsdecode` makes them. `digest` is in lower case. `size` in bytes,
    None: the dialect has none, or the entry does not say."""

    number: int
    name: str
    digest: str
    size: int | None = None


class BadLine(NamedTuple):
    """A line that is none: `reason` is a part of a sentence."""

    number: int
    reason: str
