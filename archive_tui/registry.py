"""Loads a class by its dotted path, for names that users write into their settings."""

from __future__ import annotations

import importlib
from typing import Any

from archive_tui.errors import ConfigurationError


def load_by_dotted_path(dotted_path: str) -> Any:
    """Returns what `package.module.Name` names.

    Raises: ConfigurationError when there is no dot, the module cannot be imported, or it lacks the name.
    """
    module_name, dot, attribute = dotted_path.strip().rpartition(".")
    if not dot or not module_name or not attribute:
        raise ConfigurationError(
            f"Not a dotted path of a class: {dotted_path!r}",
            hint="Write it as package.module.Class, for example archive_tui.core.LocalStorageClient.",
        )
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ConfigurationError(
            f"Cannot import the module {module_name!r}: {error}",
            hint="Check the spelling, and that the package is installed in this Python environment.",
        ) from error
    try:
        return getattr(module, attribute)
    except AttributeError as error:
        raise ConfigurationError(
            f"The module {module_name!r} has no {attribute!r}.",
            hint="Check the spelling of the class name.",
        ) from error
