"""Workspaces: documents that say which broker keeps the files, and how it is reached."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archive_tui.archives.brokers.broker import Broker
from archive_tui.archives.brokers.factory import get_broker
from archive_tui.archives.brokers.records import ValidationWarning
from archive_tui.errors import ConfigurationError, InvalidBrokerConfiguration
from archive_tui.names.display import escape_for_display

VERSIONS = ("1.0", "6", "7")
LATEST = "7"
LARGEST = 1 << 20
"""Bytes of a document that are read."""

MASK = "*" * 12
_SECRETS = frozenset({"credentials", "conn_str", "credential", "password", "token", "secret", "key"})
CHANGED_TYPE = ValidationWarning("broker_type", "Changing the broker type may disrupt queued/running jobs.")

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Workspace:
    """`configuration` is that of the broker, which has loaded it."""

    version: str
    broker: Broker
    configuration: Mapping[str, Any] = field(repr=False)


def read_workspace(path: Path) -> dict[str, Any]:
    """Reads a document from a file. Raises: ConfigurationError, InvalidBrokerConfiguration for what is no object."""
    name = escape_for_display(str(path))
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigurationError(f"Cannot be read: {name}: {error.strerror}", hint="Check the path.") from error
    try:
        document = json.loads(content if len(content) <= LARGEST else b"")
    except ValueError as error:
        raise InvalidBrokerConfiguration(
            "INVALID_CONFIGURATION", f"It is no JSON document: {name}", hint="Check it with a JSON editor."
        ) from error
    if not isinstance(document, dict):
        raise InvalidBrokerConfiguration("INVALID_CONFIGURATION", f"It is no JSON object: {name}")
    return document


def load_workspace(document: Document | Path) -> Workspace:
    """Makes the broker of a document ready; nobody is contacted. Raises: InvalidBrokerConfiguration."""
    found = read_workspace(document) if isinstance(document, Path) else document
    version, config = _check(found)
    broker = get_broker(config["type"])
    broker.load_configuration(config)
    return Workspace(version, broker, config)


def validate_workspace(document: Document, previous: Document | None = None) -> list[ValidationWarning]:
    """Returns warnings on a document that can be used; S3 and Azure are asked for their bucket once. `previous` is what
    an existing workspace has been until now.

    Raises: InvalidBrokerConfiguration.
    """
    _, config = _check(document)
    warnings = get_broker(config["type"]).validate_configuration(config)
    if previous is not None and _type_of(previous) != config["type"]:
        warnings = [*warnings, CHANGED_TYPE]
    return warnings


def describe_workspace(document: Document) -> dict[str, Any]:
    """Returns the document for people: every secret is masked."""
    return {key: _mask(key, value) for key, value in document.items()}


def _mask(key: str, value: Any) -> Any:
    is_secret = any(word in key.lower() for word in _SECRETS)
    if isinstance(value, Mapping):
        return {name: MASK if is_secret else _mask(name, each) for name, each in value.items()}
    if isinstance(value, list):
        return [_mask(key, each) for each in value]
    if is_secret and value:
        return MASK
    return _mask_address(value) if isinstance(value, str) and "://" in value else value


def _mask_address(address: str) -> str:
    """What stands before an `@` may be a password, what stands behind a `?` a signature."""
    scheme, divider, rest = address.partition("://")
    place, question, _ = rest.partition("?")
    who, at, where = place.rpartition("@")
    return f"{scheme}{divider}{MASK if who else ''}{at}{where}{question}{MASK if question else ''}"


def _type_of(document: Document) -> Any:
    broker = document.get("broker")
    return broker.get("type") if isinstance(broker, Mapping) else None


def _check(document: Document) -> tuple[str, Mapping[str, Any]]:
    unknown = sorted(set(document) - {"version", "broker"})
    if unknown:
        raise InvalidBrokerConfiguration(
            "INVALID_CONFIGURATION", f"Nobody reads this key: {escape_for_display(unknown[0])}"
        )
    version = document.get("version", LATEST)
    if version not in VERSIONS:
        raise InvalidBrokerConfiguration("INVALID_VERSION", f"{version} is an unsupported version number")
    config = document.get("broker")
    if not isinstance(config, Mapping) or not isinstance(config.get("type"), str):
        raise InvalidBrokerConfiguration("INVALID_CONFIGURATION", 'A workspace requires "broker" with a "type"')
    return str(version), config
