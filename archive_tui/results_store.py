"""Write-once results stores for Python, under the names of the original.

Each name is imported when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archive_tui.archives.results_store.opening import create_results_store, open_results_store
    from archive_tui.archives.results_store.result_entry import ResultEntry
    from archive_tui.archives.results_store.results_store import ResultsStore
    from archive_tui.archives.results_store.store import Manifest, Store
    from archive_tui.errors import AlreadyPresentException, HashError, NotAStoreError

_HOME = "archive_tui.archives.results_store"
_PLACES = {
    "AlreadyPresentException": "archive_tui.errors",
    "HashError": "archive_tui.errors",
    "Manifest": f"{_HOME}.store",
    "NotAStoreError": "archive_tui.errors",
    "ResultEntry": f"{_HOME}.result_entry",
    "ResultsStore": f"{_HOME}.results_store",
    "Store": f"{_HOME}.store",
    "create_results_store": f"{_HOME}.opening",
    "open_results_store": f"{_HOME}.opening",
}

__all__ = [
    "AlreadyPresentException",
    "HashError",
    "Manifest",
    "NotAStoreError",
    "ResultEntry",
    "ResultsStore",
    "Store",
    "create_results_store",
    "open_results_store",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
