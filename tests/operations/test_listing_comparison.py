from __future__ import annotations

from archive_tui.operations.listing_comparison import ListedItem, Sign, compare_listings

A, B = "a" * 64, "b" * 64


def test_only_digests_prove_sameness() -> None:
    here = {
        "same": ListedItem(5, A),
        "changed": ListedItem(5, A),
        "longer": ListedItem(5),
        "unproven": ListedItem(5, A),
        "folder/": ListedItem(None),
        "new": ListedItem(1),
    }
    there = {
        "same": ListedItem(5, A),
        "changed": ListedItem(5, B),
        "longer": ListedItem(6),
        "unproven": ListedItem(5),
        "folder/": ListedItem(None),
        "old": ListedItem(1),
    }

    compared = compare_listings(here, there)

    assert compared.here == {
        "same": Sign.SAME,
        "changed": Sign.DIFFERS,
        "longer": Sign.DIFFERS,
        "unproven": Sign.UNKNOWN,
        "folder/": Sign.UNKNOWN,
        "new": Sign.ONLY_HERE,
    }
    assert compared.there["old"] is Sign.ONLY_HERE
    assert [compared.count(sign) for sign in Sign] == [1, 2, 1, 1, 2]
