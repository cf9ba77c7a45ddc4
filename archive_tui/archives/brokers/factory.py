"""Finds a broker by the name of its type: those of this program, those that packages bring, those that were added."""

from __future__ import annotations

import warnings
from typing import Any

from archive_tui.archives.brokers.broker import Broker
from archive_tui.errors import InvalidBrokerConfiguration
from archive_tui.registry import load_by_dotted_path

ENTRY_POINTS = "archive_tui.brokers"
"""The group in which other packages name their brokers: `type = module:Class`."""

_HOME = "archive_tui.archives.brokers"
BUILT_IN = {
    "host": f"{_HOME}.host_broker.HostBroker",
    "nfs": f"{_HOME}.host_broker.NfsBroker",
    "s3": f"{_HOME}.bucket_brokers.S3Broker",
    "azure": f"{_HOME}.bucket_brokers.AzureBroker",
}

_added: dict[str, type[Broker]] = {}


def add_broker_type(broker_class: type[Broker]) -> None:
    """Adds a type, under the name that its instances say; another of the same name is replaced, with a warning."""
    name = broker_class().broker_type  # type: ignore[call-arg]  # classes of brokers take no arguments
    if name in get_broker_types():
        warnings.warn(f"The broker type {name} is replaced by {broker_class.__qualname__}", stacklevel=2)
    _added[name] = broker_class


def get_broker(broker_type: str) -> Broker:
    """Returns a new broker without a configuration.

    Raises: InvalidBrokerConfiguration `INVALID_BROKER` for a type that there is not.
    """
    if broker_type in _added:
        return _added[broker_type]()  # type: ignore[call-arg]
    if broker_type in BUILT_IN:
        return _as_broker(load_by_dotted_path(BUILT_IN[broker_type])())
    for entry in _entry_points():
        if entry.name == broker_type:
            return _as_broker(entry.load()())
    raise InvalidBrokerConfiguration(
        "INVALID_BROKER",
        f"'{broker_type}' is an invalid broker type",
        hint=f"There are: {', '.join(get_broker_types())}.",
    )


def get_broker_types() -> list[str]:
    """Returns the names of all types, sorted."""
    return sorted({*BUILT_IN, *_added, *(entry.name for entry in _entry_points())})


def _entry_points() -> list[Any]:
    from importlib.metadata import entry_points

    return list(entry_points(group=ENTRY_POINTS))


def _as_broker(made: Any) -> Broker:
    if isinstance(made, Broker):
        return made
    raise InvalidBrokerConfiguration("INVALID_BROKER", f"{type(made).__qualname__} is no broker")
