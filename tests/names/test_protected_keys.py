from __future__ import annotations

import pytest

from archive_tui.names.content_address import content_key
from archive_tui.names.protected_keys import explain_way, find_content_digest, find_counterpart, find_protection

DIGEST = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("winds.1.0.0.zip", "a published version"),
        ("survey/waves 2024.12.0.3.zip", "a published version"),
        ("home/müller/winds.1.0.0.zip", "a published version"),
        ("winds.1.0.0.manifest.json", "the manifest of a published version"),
        (content_key(DIGEST), "a content of a vault"),
        (content_key(DIGEST, ""), "a content of a vault"),
        (content_key(DIGEST, "deep/in/some/vault/"), "a content of a vault"),
        (".datasafe.json", "the mark of a datasafe"),
        ("deep/.datasafe.json", "the mark of a datasafe"),
        ("x.datasafe.json", None),
        ("r/.manifest/manifest.yaml", "the mark of a results store"),
        ("manifest.yaml", None),
        ("winds.1.0.zip", None),
        ("winds.1.0.0.zip/inside", None),
        ("winds.manifest.json", None),
        ("manifest.json", None),
        (DIGEST, None),
        (content_key(DIGEST) + "/below", None),
        (content_key(DIGEST).upper(), None),
        (content_key(DIGEST)[:-1], None),
        ("", None),
        ("line\nbreak.txt", None),
        ("\udcff", None),
    ],
)
def test_what_is_protected(key: str, what: str | None) -> None:
    assert find_protection(key) == what


def test_the_digest_of_an_address_whatever_its_prefix() -> None:
    assert find_content_digest(content_key(DIGEST, "any/")) == DIGEST
    assert find_content_digest("x" + content_key(DIGEST, "")) is None
    assert find_content_digest("short/key") is None


def test_what_belongs_together() -> None:
    assert find_counterpart("a/winds.1.0.0.zip") == "a/winds.1.0.0.manifest.json"
    assert find_counterpart("a/winds.1.0.0.manifest.json") == "a/winds.1.0.0.zip"
    assert find_counterpart("a/winds.zip") is None


def test_each_protection_names_its_command_or_says_that_there_is_none() -> None:
    assert "dataset delete" in explain_way("a published version")
    assert "dataset delete" in explain_way("the manifest of a published version")
    assert "vault prune" in explain_way("a content of a vault")
    assert "No command" in explain_way("the mark of a datasafe")
