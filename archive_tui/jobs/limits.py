"""What the settings allow all jobs together: how many at once, how fast, how often something is tried again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from archive_tui.conflicts import ConflictRule
from archive_tui.errors import ConfigurationError
from archive_tui.jobs.places import OpenedPlace, Place, open_place
from archive_tui.jobs.request import JobPolicy
from archive_tui.names.typed_quantities import parse_rate
from archive_tui.objects.wrappers.throttled_store import Bandwidth, ThrottledStore
from archive_tui.progress import StopSignal, never
from archive_tui.settings import PROGRAM_SECTION, Settings

JOBS_AT_ONCE = 2
"""Of a process, unless the settings say otherwise."""

RETRIES = 5

MOST_JOBS, MOST_RETRIES = 64, 1000

_DEEPEST = 3
"""How deep in the parameters of a job its places are sought."""


@dataclass(frozen=True, slots=True)
class StorageLimits:
    """Of one storage. `bandwidth` in bytes per second each way, `jobs_at_once` of this process; None: no limit."""

    bandwidth: int | None = None
    jobs_at_once: int | None = None


@dataclass(slots=True)
class JobLimits:
    """The limits of one process; its methods may be called from any thread.

    Bandwidths hold each way and for all jobs of the process together: that of a storage for what goes in and out of
    it, that of the program for all storages; folders of this machine that no settings name are not limited by it.
    `jobs_at_once` None: whoever runs the jobs decides. `by_storage` is keyed by the name of the section.
    """

    jobs_at_once: int | None = None
    bandwidth: int | None = None
    retries: int = RETRIES
    by_storage: Mapping[str, StorageLimits] = field(default_factory=dict)
    _overall: Bandwidth | None = field(default=None, init=False, repr=False)
    _shared: dict[str, Bandwidth] = field(default_factory=dict, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @classmethod
    def load(cls, settings: Settings) -> JobLimits:
        """Reads `jobs_at_once`, `bandwidth_limit` and `retries` of `[archive-tui]`, and the first two of each storage.

        Raises: ConfigurationError that names the section and the key.
        """
        program = settings.program
        jobs_at_once = _read_count(PROGRAM_SECTION, "jobs_at_once", program, 1, MOST_JOBS)
        retries = _read_count(PROGRAM_SECTION, "retries", program, 0, MOST_RETRIES)
        return cls(
            jobs_at_once=JOBS_AT_ONCE if jobs_at_once is None else jobs_at_once,
            bandwidth=_read_rate(PROGRAM_SECTION, program),
            retries=RETRIES if retries is None else retries,
            by_storage={name: _storage_limits(name, keys) for name, keys in settings.storages.items()},
        )

    def make_policy(self, conflicts: ConflictRule = ConflictRule.ASK) -> JobPolicy:
        """The policy of a job for which nobody has asked for another."""
        return JobPolicy(conflicts, self.retries)

    def for_job(self, policy: JobPolicy, *, stop: StopSignal = never) -> Callable[[Place], OpenedPlace]:
        """Returns what opens the places of one job: all of them share its own bandwidth. Reading obeys `stop` while it
        has to wait."""
        own = None if policy.bandwidth is None else Bandwidth(policy.bandwidth)
        return lambda place: self._open(place, own, stop)

    def open_place(self, place: Place, policy: JobPolicy, *, stop: StopSignal = never) -> OpenedPlace:
        """Opens the only place of a job; see `for_job`. Raises: as `jobs.places.open_place`."""
        return self.for_job(policy, stop=stop)(place)

    def has_room(self, parameters: Mapping[str, Any], running: Iterable[Mapping[str, Any]]) -> bool:
        """True when a job with these parameters may begin while those with the others run."""
        others = [dict(_find_storages(each)) for each in running]
        if self.jobs_at_once is not None and len(others) >= self.jobs_at_once:
            return False
        for identity, name in _find_storages(parameters):
            most = self.by_storage.get(name, StorageLimits()).jobs_at_once
            if most is not None and sum(identity in other for other in others) >= most:
                return False
        return True

    def _open(self, place: Place, own: Bandwidth | None, stop: StopSignal) -> OpenedPlace:
        opened = open_place(place)
        limits = [limit for limit in (own, *self._limits_of(place)) if limit is not None]
        if not limits:
            return opened
        return OpenedPlace(opened.name, ThrottledStore(opened.store, *limits, stop=stop), opened.storage)

    def _limits_of(self, place: Place) -> Iterator[Bandwidth]:
        if "storage" not in place and "url" not in place:
            return
        rate = self.by_storage.get(place.get("storage", ""), StorageLimits()).bandwidth
        with self._lock:
            if rate is not None:
                yield self._shared.setdefault(place["identity"], Bandwidth(rate))
            if self.bandwidth is not None:
                self._overall = self._overall or Bandwidth(self.bandwidth)
                yield self._overall


def _find_storages(value: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yields identity and name of each storage among the parameters of a job."""
    if not isinstance(value, Mapping) or depth > _DEEPEST:
        return
    if isinstance(value.get("identity"), str) and isinstance(value.get("storage"), str):
        yield value["identity"], value["storage"]
        return
    for part in value.values():
        yield from _find_storages(part, depth + 1)


def _storage_limits(name: str, keys: Mapping[str, str]) -> StorageLimits:
    return StorageLimits(_read_rate(name, keys), _read_count(name, "jobs_at_once", keys, 1, MOST_JOBS))


def _read_rate(section: str, keys: Mapping[str, str]) -> int | None:
    text = keys.get("bandwidth_limit", "").strip()
    if not text:
        return None
    try:
        return parse_rate(text)
    except ValueError as error:
        raise ConfigurationError(
            f"[{section}] bandwidth_limit is no rate: {text}",
            hint="Write something like 20 MB/s, or leave it out for no limit.",
            code="limit-form",
        ) from error


def _read_count(section: str, key: str, keys: Mapping[str, str], least: int, most: int) -> int | None:
    text = keys.get(key, "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not least <= int(text) <= most:
        raise ConfigurationError(
            f"[{section}] {key} is no number from {least} to {most}: {text}",
            hint="Write a whole number, or leave it out.",
            code="limit-form",
        )
    return int(text)
