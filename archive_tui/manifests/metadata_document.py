"""A small metadata file for a dataset: what was measured, by whom, as YAML that readers of a datasafe accept."""

from __future__ import annotations

from collections.abc import Mapping

FORMAT = "archive-tui metadata"
VERSION = "0.1.0"


def format_metadata_document(fields: Mapping[str, str]) -> bytes:
    """Returns the YAML text; empty fields are left out, all values are plain text whatever they look like.

    Guarantees: what a YAML reader gets back are the same texts.
    """
    import yaml

    document = {"format": {"type": FORMAT, "version": VERSION}, **{key: text for key, text in fields.items() if text}}
    text: str = yaml.safe_dump(document, allow_unicode=True, sort_keys=False, default_flow_style=False, width=120)
    return text.encode()
