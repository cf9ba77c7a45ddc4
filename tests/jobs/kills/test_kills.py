"""The real commands killed at numbered steps and at any moment: nothing acknowledged is lost, nothing half-done shows,
and the work is completed by the same command or by whoever runs the queue."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.archives.faults.commands import PATIENCE, Finished, program_environment, run_program, start_program, wait_for
from tests.archives.faults.places import CREATE_ONLY, FOLDER, Place, make_place
from tests.jobs.kills.scenarios import SCENARIOS, Scenario

SEED = 20_261_122
LONG = 3600
NUMBERED = (sys.executable, "-m", "tests.jobs.kills.numbered_steps")
UNFINISHED = {"queued", "paused", "waiting to retry", "failed"}
"""States in which a job may be found whose process was killed: never in one that claims an end."""


def run_numbered(place: Place, words: tuple[str, ...], **environment: str) -> Finished:
    process = subprocess.run(
        [*NUMBERED, *words],
        cwd=place.folder,
        env={**program_environment(), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return Finished(process.returncode, process.stdout, process.stderr)


def list_jobs(place: Place) -> list[dict[str, Any]]:
    listed = run_program(place.folder, "jobs", "list", "--json")
    assert listed.status == 0, listed.err
    jobs: list[dict[str, Any]] = json.loads(listed.out)["jobs"]
    return jobs


def newest_job(place: Place) -> dict[str, Any]:
    return max(list_jobs(place), key=lambda job: int(job["job"]))


class Proof:
    """Kills one scenario again and again. The work is taken up by the same command, or by `jobs run`, in turn."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._place = scenario.place
        self.killed = 0
        self.turn = 0

    def count_steps(self, target: Path) -> int:
        words = self._scenario.begin_turn(self.turn)
        ended = run_numbered(self._place, words, COUNT_INTO=str(target))
        assert ended.status == 0, ended.err
        self._complete(words, ended)
        return int(target.read_text())

    def kill_at(self, step: int) -> None:
        words = self._begin()
        self._complete(words, run_numbered(self._place, words, KILL_AT=str(step)))

    def kill_after(self, seconds: float) -> bool:
        words = self._begin()
        process = start_program(self._place.folder, *words)
        time.sleep(seconds)
        process.kill()
        ended = wait_for(process)
        self._complete(words, ended)
        return ended.was_killed

    def _begin(self) -> tuple[str, ...]:
        self.turn += 1
        return self._scenario.begin_turn(self.turn)

    def _complete(self, words: tuple[str, ...], ended: Finished) -> None:
        self.killed += ended.was_killed
        assert ended.was_killed or ended.status == 0, ended.err
        with self._place.open_store() as store:
            self._scenario.check_visible(store)
            if ended.was_killed:
                self._take_up(words)
            self._scenario.check_done(store)

    def _take_up(self, words: tuple[str, ...]) -> None:
        jobs = list_jobs(self._place)
        was_recorded = bool(jobs) and newest_job(self._place)["state"] in UNFINISHED
        if was_recorded and self.turn % 2:
            ended = run_program(self._place.folder, "jobs", "run", "--quiet")
            assert ended.status == 0, ended.err
        else:
            ended = run_program(self._place.folder, *words)
            assert ended.status == 0, (ended.out, ended.err)
        assert newest_job(self._place)["state"] in self._scenario.ends


@pytest.fixture(params=CREATE_ONLY)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    yield make_place(request.param, tmp_path / "place", request)


def make_proof(scenario_type: type[Scenario], place: Place, base: Path) -> Proof:
    scenario = scenario_type(place, base)
    base.mkdir(exist_ok=True)
    scenario.prepare()
    return Proof(scenario)


def chosen_steps(count: int, kills: int, seed: str) -> list[int]:
    """The first and the last step, and others spread over all; the seed decides which."""
    chance = random.Random(f"{SEED} {seed}")
    width = count / kills
    return [min(count, max(1, round((number + chance.random()) * width))) for number in range(kills)]


@pytest.mark.timeout(LONG)
@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.slow)])
@pytest.mark.parametrize("scenario_type", SCENARIOS, ids=lambda each: each.name)
def test_killed_at_numbered_steps(scenario_type: type[Scenario], kills: int, place: Place, tmp_path: Path) -> None:
    proof = make_proof(scenario_type, place, tmp_path / "base")
    count = proof.count_steps(tmp_path / "count")
    assert count > 10
    for step in chosen_steps(count, kills, f"{scenario_type.name} {place.kind}"):
        try:
            proof.kill_at(step)
        except AssertionError as error:
            raise AssertionError(f"killed at step {step} of {count}, turn {proof.turn}: {error}") from error
    # Threads make the order of steps differ a little from run to run: the last ones may never come.
    assert proof.killed >= kills // 2


@pytest.mark.timeout(LONG)
@pytest.mark.parametrize(
    ("kind", "kills"), [(FOLDER, 1), *(pytest.param(kind, 14, marks=pytest.mark.slow) for kind in CREATE_ONLY)]
)
@pytest.mark.parametrize("scenario_type", SCENARIOS, ids=lambda each: each.name)
def test_killed_at_any_moment(
    scenario_type: type[Scenario], kind: str, kills: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """In the short form on a folder only; the numbered steps are taken on every kind of place."""
    place = make_place(kind, tmp_path / "place", request)
    proof = make_proof(scenario_type, place, tmp_path / "base")
    started = time.monotonic()
    proof.count_steps(tmp_path / "count")
    duration = time.monotonic() - started
    chance = random.Random(f"{SEED} {scenario_type.name} {place.kind}")
    turns = 0
    while proof.killed < kills and turns < 20 * kills:
        turns += 1
        if not proof.kill_after(chance.uniform(0.2, 0.9) * duration):
            duration *= 0.6
    assert proof.killed >= kills
