from __future__ import annotations

import pytest

from archive_tui.integrity.sealed_document import open_sealed, seal_document


def test_what_was_sealed_comes_back() -> None:
    document = {"stamp": "é\udcff", "size": 1 << 60, "inside": [1, None]}
    assert open_sealed(seal_document(document)) == document


def test_any_other_byte_makes_it_none() -> None:
    sealed = seal_document({"a": 1})
    for place in range(len(sealed)):
        assert open_sealed(sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]) is None
        assert open_sealed(sealed[:place]) is None


@pytest.mark.parametrize("content", [None, b"", b"{}", b"0" * 64 + b"{}"])
def test_what_was_never_sealed_is_none(content: bytes | None) -> None:
    assert open_sealed(content) is None
