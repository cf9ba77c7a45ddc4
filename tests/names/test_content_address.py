"""Where contents lie in a vault."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.names.content_address import content_key, digest_of_key

VECTOR = "bdc1d21e2ea3f4d48e18fc860f1b7cf71237272e575bd19a754e6b8ccb8c384b"
KEY = "object/bd/c1/d21e/2ea3f4d4/8e18fc860f1b7cf71237272e575bd19a754e6b8ccb8c384b"


def test_the_key_of_known_vectors() -> None:
    assert content_key(VECTOR) == KEY
    of_two = hashlib.sha256(b"2").hexdigest()
    assert content_key(of_two) == "object/d4/73/5e3a/265e16ee/e03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35"


def test_letters_are_written_small_and_the_prefix_may_be_another() -> None:
    assert content_key(VECTOR.upper()) == KEY
    assert content_key(VECTOR, "") == KEY.removeprefix("object/")


@given(st.binary(max_size=64), st.sampled_from(["", "object/", "a/b/"]))
def test_the_key_gives_the_digest_back(content: bytes, prefix: str) -> None:
    digest = hashlib.sha256(content).hexdigest()
    assert digest_of_key(content_key(digest, prefix), prefix) == digest


@pytest.mark.parametrize("digest", ["", "bd", VECTOR[:-1], VECTOR + "0", "g" * 64, VECTOR + "\n"])
def test_what_is_no_digest_has_no_key(digest: str) -> None:
    with pytest.raises(ValueError, match="not a SHA-256"):
        content_key(digest)


@pytest.mark.parametrize(
    "key",
    [
        "object/" + VECTOR,
        KEY.replace("object/", "other/"),
        KEY.replace("bd/c1/", "bdc1/"),
        KEY.upper().replace("OBJECT", "object"),
        KEY + "/",
        KEY[:-1],
        "object/manifest.json",
    ],
)
def test_other_keys_are_of_no_content(key: str) -> None:
    assert digest_of_key(key) is None
