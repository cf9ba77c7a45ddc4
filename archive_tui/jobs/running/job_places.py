"""The places that a run opens: under the limits of the settings, with a memory for unfinished uploads, closed at its
end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from archive_tui.jobs.places import OpenedPlace, Place, open_place
from archive_tui.jobs.request import JobPolicy
from archive_tui.objects.unfinished import UnfinishedUploads
from archive_tui.progress import StopSignal


class Limits(Protocol):
    """What an engine asks of `jobs.limits.JobLimits`."""

    def for_job(self, policy: JobPolicy, *, stop: StopSignal) -> Callable[[Place], OpenedPlace]: ...

    def has_room(self, parameters: Mapping[str, Any], running: Iterable[Mapping[str, Any]]) -> bool: ...


def choose_opener(limits: Limits | None, policy: JobPolicy, stop: StopSignal) -> Callable[[Place], OpenedPlace]:
    """Returns what opens the places of one job."""
    return open_place if limits is None else limits.for_job(policy, stop=stop)


class JobPlaces:
    """`open` may be called from any thread; use it as a context manager."""

    def __init__(
        self,
        limits: Limits | None,
        policy: JobPolicy,
        stop: StopSignal,
        remember: Callable[[Place], UnfinishedUploads] | None = None,
    ) -> None:
        self._open_place = choose_opener(limits, policy, stop)
        self._remember = remember
        self._lock = threading.Lock()
        self._opened: list[OpenedPlace] = []

    def open(self, place: Place) -> OpenedPlace:
        """Raises: ConfigurationError, as `jobs.places.open_place`."""
        opened = self._open_place(place)
        with self._lock:
            self._opened.append(opened)
        if self._remember is not None:
            opened.store.unfinished = self._remember(place)
        return opened

    def __enter__(self) -> JobPlaces:
        return self

    def __exit__(self, *error: object) -> None:
        with self._lock:
            opened, self._opened = self._opened, []
        for place in opened:
            place.store.close()
