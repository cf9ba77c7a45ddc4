"""A metadata file gives back the very texts that were typed, whatever they look like."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.manifests.metadata_document import FORMAT, VERSION, format_metadata_document

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60)


@given(st.dictionaries(st.sampled_from(["title", "operator", "sample", "comment"]), TEXTS))
def test_what_is_read_is_what_was_typed(fields: dict[str, str]) -> None:
    found = yaml.safe_load(format_metadata_document(fields))

    assert found.pop("format") == {"type": FORMAT, "version": VERSION}
    assert found == {key: text for key, text in fields.items() if text}


@pytest.mark.parametrize(
    "text", ["yes", "1.0", "2026-11-23", "null", "- a", "a: b", "#c", "*x", "&y", "!!python/x", "'"]
)
def test_nothing_that_looks_like_yaml_becomes_it(text: str) -> None:
    assert yaml.safe_load(format_metadata_document({"title": text}))["title"] == text
