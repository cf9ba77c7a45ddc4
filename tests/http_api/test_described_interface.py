"""The server does what its OpenAPI description says: requests made from the description, by schemathesis."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from archive_tui.datasafe import create_http_server
from archive_tui.http_api.openapi import openapi_document
from tests.archives.datasafe.served_datasafe import PARENT, pack_dataset

NOT_A_MATTER_OF_FORM = [negative_data_rejection, positive_data_acceptance]
"""Whether a LOI is one, and whether a body is a dataset, no schema can say."""

VERBS = [
    (path, verb) for path, item in openapi_document()["paths"].items() for verb in item if verb not in ("parameters",)
]

LOIS = (None, PARENT, f"{PARENT}/1", f"{PARENT}/2", f"{PARENT}/99")
"""Beside what the description leads to (None): LOIs that are there, that are not, and what can be reserved."""


@schemathesis.serializer("application/zip")
def as_it_is(context: schemathesis.SerializationContext, value: Any) -> Any:
    return value if isinstance(value, bytes) else str(value).encode()


def open_described(folder: Path) -> Any:
    """A datasafe with one dataset, one LOI that is reserved, and its description."""
    application = create_http_server({"ROOT_DIRECTORY": folder / "safe", "MAX_CONTENT_LENGTH": 100_000})
    client = application.test_client()
    for _ in range(2):
        client.post(f"/api/{PARENT}")
    client.put(f"/api/{PARENT}/1", data=pack_dataset(f"{PARENT}/1", {"x": b"content"}))
    return schemathesis.openapi.from_wsgi("/openapi.json", application)


@pytest.mark.parametrize(("path", "verb"), VERBS)
def test_every_answer_is_described(path: str, verb: str) -> None:
    check_operation(path, verb, examples=30)


@pytest.mark.slow
@pytest.mark.parametrize(("path", "verb"), VERBS)
def test_every_answer_of_many_is_described(path: str, verb: str) -> None:
    check_operation(path, verb, examples=3000)


def check_operation(path: str, verb: str, examples: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        described = open_described(Path(folder))
        statuses: set[int] = set()

        @settings(
            max_examples=examples,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=described[path][verb].as_strategy(), loi=st.sampled_from(LOIS))
        def check(case: schemathesis.Case, loi: str | None) -> None:
            if loi is not None and "loi" in case.path_parameters:
                case.path_parameters["loi"] = loi
            response = case.call_and_validate(excluded_checks=NOT_A_MATTER_OF_FORM)
            statuses.add(response.status_code)

        check()
        assert statuses and 500 not in statuses
