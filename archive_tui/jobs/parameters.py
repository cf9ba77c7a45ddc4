"""Reads the parameters of a job, which an older release, or another package, may have written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from archive_tui.errors import ConfigurationError

Value = TypeVar("Value")


def require(parameters: Mapping[str, Any], name: str, kind: type[Value]) -> Value:
    """Returns the parameter of that name.

    Raises: ConfigurationError (job-too-old) when it is absent or no `kind`.
    """
    value = parameters.get(name)
    if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    raise ConfigurationError(
        f"This job was queued by another release: it has no {name} that can be used.",
        hint="Cancel it, and ask for the same again.",
        code="job-too-old",
    )
