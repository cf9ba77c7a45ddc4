import dataclasses
import hashlib

import pytest

from archive_tui.errors import ManifestError
from archive_tui.integrity.digest import DIGEST_OF_NOTHING, is_sha256_hex, normalise_sha256, sha256_of_bytes
from archive_tui.integrity.evidence import Evidence, EvidenceLevel


def test_digests_of_the_standard() -> None:
    """The vectors of FIPS 180-4."""
    assert DIGEST_OF_NOTHING == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert sha256_of_bytes(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of_bytes(memoryview(bytearray(b"abc"))) == hashlib.sha256(b"abc").hexdigest()


def test_upper_case_is_the_same_digest() -> None:
    assert normalise_sha256(DIGEST_OF_NOTHING.upper()) == DIGEST_OF_NOTHING


@pytest.mark.parametrize(
    "text", ["", "ab", "g" * 64, "a" * 65, "a" * 64 + "\n", " " + "a" * 63, "\u0661" * 64, None, 7, b"a" * 64]
)
def test_what_is_no_digest(text: object) -> None:
    assert not is_sha256_hex(text)
    with pytest.raises(ManifestError) as caught:
        normalise_sha256(text, where="a.txt")
    assert caught.value.code == "manifest-digest"
    assert "a.txt" in caught.value.message


def test_evidence_is_ordered_from_weak_to_strong() -> None:
    names = ["DAMAGED", "LISTED", "COPIED", "UNCHANGED", "RECORDED", "SAMPLED", "ATTESTED", "READ", "RESTORED"]
    assert [level.name for level in sorted(EvidenceLevel)] == names


def test_evidence_is_a_value() -> None:
    evidence = Evidence("file:///a", "k", EvidenceLevel.READ, DIGEST_OF_NOTHING, 0, 1.5, "read in full")
    assert evidence == dataclasses.replace(evidence)
    assert evidence.version is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        evidence.size = 1  # type: ignore[misc]
