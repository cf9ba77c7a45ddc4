"""`archive_tui.datasafe`: the names of the contract, each imported when it is used; the errors and their words."""

from __future__ import annotations

import subprocess
import sys

import pytest

import archive_tui.datasafe as datasafe
from archive_tui.errors import ArchiveError

PROMISED = [
    "Server",
    "StorageBackend",
    "create_http_server",
    "HTTPServerAPI",
    "LocalClient",
    "HTTPClient",
    "Manifest",
    "Generator",
    "Parser",
    "LoiChecker",
    "MissingPathError",
    "MissingContentError",
    "MissingLoiError",
    "LoiNotFoundError",
    "InvalidLoiError",
    "MissingInformationError",
    "NoFileError",
    "ExistingFileError",
    "Client",
    "FormatDetector",
    "IntegrityError",
]


def test_every_promised_name_is_there() -> None:
    assert set(PROMISED) <= set(datasafe.__all__) == set(dir(datasafe))
    for name in datasafe.__all__:
        assert getattr(datasafe, name).__name__ == name
    with pytest.raises(AttributeError):
        _ = datasafe.nothing


def test_nothing_is_imported_before_it_is_used() -> None:
    program = (
        "import sys; from archive_tui.datasafe import Parser, LoiChecker, MissingLoiError;"
        "print(*sorted({'flask', 'yaml', 'waitress', 'urllib3', 'boto3', 'textual'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


def test_the_local_client_needs_no_network() -> None:
    program = (
        "import sys; from archive_tui.datasafe import LocalClient, Manifest; LocalClient();"
        "print(*sorted({'flask', 'waitress', 'urllib3', 'boto3', 'textual'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


@pytest.mark.parametrize("name", [name for name in PROMISED if name.endswith("Error")])
def test_errors_carry_their_message(name: str) -> None:
    kind = getattr(datasafe, name)
    assert issubclass(kind, ArchiveError)
    error = kind("what happened")
    assert error.message == str(error) == "what happened"
    assert kind(message="by its name").message == "by its name"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("MissingPathError", "No path provided."),
        ("MissingLoiError", "No LOI provided."),
        ("InvalidLoiError", "String is not a valid LOI."),
        ("LoiNotFoundError", "LOI does not exist."),
        ("MissingContentError", "LOI does not have content."),
        ("NoFileError", "File does not exist"),
        ("ExistingFileError", "Directory not empty."),
    ],
)
def test_errors_have_the_words_that_clients_match(name: str, message: str) -> None:
    assert getattr(datasafe, name)().message == message
