"""The suites that every store runs. Their assertions are explained as those of test modules are."""

import pytest

pytest.register_assert_rewrite(
    "tests.conformance.put_guarantees",
    "tests.conformance.replacement_guarantees",
    "tests.conformance.reading_guarantees",
    "tests.conformance.rereading_guarantees",
    "tests.conformance.listing_guarantees",
    "tests.conformance.behaviour_guarantees",
    "tests.conformance.suite_settings",
)
