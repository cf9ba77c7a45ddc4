"""Commands as jobs: they are written down, they go on where they stopped, and they end with an honest word."""

from __future__ import annotations

import json
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archive_tui.cli.diagnostics import ExitStatus
from tests.archives.faults.commands import start_program, wait_for
from tests.cli.conftest import Run
from tests.cli.job_processes import eventually, fill, list_jobs, run_program, show_job


def test_a_command_is_a_job_and_leaves_a_receipt(run: Run) -> None:
    assert run("dataset", "publish", "lab", "winds").status == 0
    (job,) = run("jobs", "list", "--json").document["jobs"]
    assert (job["job"], job["state"], job["title"]) == (1, "verified", "publish winds 0.0.1")
    assert job["command"].startswith("archive-tui dataset publish lab winds --version 0.0.1")
    shown = run("jobs", "show", "1")
    assert shown.status == 0
    assert shown.out.splitlines()[0] == "Job 1: publish winds 0.0.1"
    for part in ("verified", "lab:winds.0.0.1.zip", "winds", "conflicts: keep", "Log:"):
        assert part in shown.out
    assert run("jobs", "show", "1", "--json").document["state"] == "verified"
    receipt = run("jobs", "receipt", "1", "--json")
    assert receipt.status == 0
    assert "winds.0.0.1.zip" in json.dumps(receipt.document)
    assert "winds.0.0.1.zip" in run("jobs", "receipt", "1").out
    assert run("jobs", "logs", "1").out.count("\n") == len(run("jobs", "logs", "1", "--json").document["log"]) > 0


@pytest.mark.parametrize(
    "words",
    [
        ("dataset", "fetch", "lab", "winds", "--to", "there"),
        ("dataset", "verify", "lab", "winds"),
        ("verify", "there/winds.0.0.1"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_each_long_command_is_one(run: Run, words: tuple[str, ...]) -> None:
    assert run("dataset", "publish", "lab", "winds").status == 0
    assert run("dataset", "fetch", "lab", "winds", "--to", "there").status == 0
    before = len(run("jobs", "list", "--json").document["jobs"])
    assert run(*words).status == 0
    jobs = run("jobs", "list", "--json").document["jobs"]
    assert len(jobs) == before + 1
    assert jobs[0]["state"] == "verified"


def test_no_jobs_are_no_failure(run: Run) -> None:
    call = run("jobs", "list")
    assert (call.status, call.out) == (0, "")
    assert "There are no jobs" in call.err
    assert run("jobs", "list", "--json").document == {"jobs": [], "runner": False, "remarks": []}
    assert "Nothing was queued" in run("jobs", "run").err
    assert run("jobs", "run", "--json").document == {"jobs": [], "status": 0}
    assert "Nothing was left behind" in run("jobs", "clean").err


@pytest.mark.parametrize("command", ["show", "logs", "receipt", "pause", "resume", "cancel", "retry", "answer", "run"])
def test_a_number_that_no_job_has_is_a_slip_of_the_pen(run: Run, command: str) -> None:
    call = run("jobs", command, "7", "--json")
    assert call.status == 2
    assert call.document["error"]["code"] == "job-not-found"
    assert "jobs list" in call.document["error"]["hint"]


def test_nothing_is_changed_when_one_of_several_numbers_is_wrong(run: Run) -> None:
    run("verify", "work/winds")  # it has no manifest: a failed job
    assert run("jobs", "list", "--json").document["jobs"][0]["state"] == "failed"
    assert run("jobs", "retry", "1", "2", "--no-start").status == 2
    assert run("jobs", "list", "--json").document["jobs"][0]["state"] == "failed"


def test_what_has_ended_well_is_not_done_again(run: Run) -> None:
    run("dataset", "publish", "lab", "winds")
    for command in ("pause", "resume", "cancel", "retry"):
        call = run("jobs", command, "1")
        assert call.status == 1
        assert "it is verified." in call.err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("dataset", "publish", "lab", "winds", "--wait"), "--wait goes with --background"),
        (("dataset", "publish", "lab", "winds", "--background", "--dry-run"), "--dry-run"),
        (("dataset", "publish", "lab", "winds", "--bandwidth", "fast"), "not a rate"),
        (("verify", "work/winds", "--deadline", "tomorrow"), "not a length of time"),
        (("dataset", "fetch", "lab", "winds", "--overwrite", "--on-conflict", "keep"), "which is meant"),
        (("manifest", "--check", "--manifest", "settings.ini", "--retries", "3"), "--retries does not go with --check"),
        (("manifest", "--archive", "--manifest", "settings.ini", "--on-conflict", "keep"), "--on-conflict does not go"),
        (("manifest", "--check", "--manifest", "-", "--background"), "a manifest that is a file"),
        (("manifest", "--check", "--manifest", "x", "--background", "--strict"), "do not go with --background"),
        (("manifest", "--create", "work/winds/table.csv", "--background"), "--background needs --manifest FILE"),
        (("jobs", "run", "--keep-running", "3"), "--keep-running goes with neither"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_words_that_mean_nothing_together(run: Run, words: tuple[str, ...], complaint: str) -> None:
    call = run(*words)
    assert call.status == 2
    assert complaint in call.err
    assert run("jobs", "list", "--json").document["jobs"] == []


def test_a_name_that_is_wrong_makes_no_job(run: Run) -> None:
    assert run("dataset", "fetch", "lab", "nowhere").status == 1
    assert run("dataset", "verify", "lab", "nowhere").status == 1
    assert run("dataset", "publish", "lab", "nowhere").status == 1
    assert run("jobs", "list", "--json").document["jobs"] == []


def _publish_slowly(workplace: Path) -> list[str]:
    fill(workplace, "big", 250_000)
    return ["dataset", "publish", "lab", "big", "--bandwidth", "100KB/s"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_command_is_a_paused_job_and_the_same_command_goes_on(workplace: Path, number: int) -> None:
    words = _publish_slowly(workplace)
    process = start_program(workplace, *words)
    assert process.stderr is not None
    while "pack: begins" not in process.stderr.readline():
        assert process.poll() is None, "it ended before it could be stopped"
    process.send_signal(number)
    done = wait_for(process)
    assert done.status == ExitStatus.STOPPED
    assert "Nothing of big 0.0.1 is visible" in done.err
    assert "hint: archive-tui jobs resume 1 goes on where it stopped, and so does the same command." in done.err
    assert [job["state"] for job in list_jobs(workplace)] == ["paused"]
    again = run_program(workplace, "dataset", "publish", "lab", "big")
    assert again.status == 0, again.err
    assert "note: Job 1 goes on: the same was begun before" in again.err
    (job,) = list_jobs(workplace)
    assert (job["job"], job["state"], job["attempt"]) == (1, "verified", 2)


def test_a_killed_command_is_not_running_and_the_queue_goes_on_with_it(workplace: Path) -> None:
    process = start_program(workplace, *_publish_slowly(workplace))
    assert process.stderr is not None
    while "pack: begins" not in process.stderr.readline():
        assert process.poll() is None, "it ended before it could be killed"
    (running,) = list_jobs(workplace)
    assert running["state"] == "running"
    assert f"pid {process.pid} " in running["owner"]
    process.kill()
    process.communicate()
    (dead,) = list_jobs(workplace)
    assert (dead["state"], dead["owner"]) == ("queued", None)
    assert any("is gone" in line["text"] for line in show_job(workplace, 1)["log"])
    listed = run_program(workplace, "jobs", "list")
    assert "1 job is queued, and nobody works on it: archive-tui jobs run" in listed.err
    done = run_program(workplace, "jobs", "run")
    assert done.status == 0, done.err
    assert "job 1, publish big 0.0.1: verified. Published big 0.0.1." in done.out
    assert run_program(workplace, "dataset", "verify", "lab", "big").status == 0


def test_a_command_can_be_paused_and_cancelled_from_elsewhere(workplace: Path) -> None:
    process = start_program(workplace, *_publish_slowly(workplace))
    eventually(lambda: [job["state"] for job in list_jobs(workplace)] == ["running"], "it does not begin")
    paused = run_program(workplace, "jobs", "pause", "1")
    assert paused.status == 0, paused.err
    assert paused.out.startswith("Job 1: paus")
    assert wait_for(process).status == ExitStatus.STOPPED
    assert [job["state"] for job in list_jobs(workplace)] == ["paused"]
    assert run_program(workplace, "jobs", "pause", "1").status == 0, "what is so already is no failure"
    assert run_program(workplace, "jobs", "cancel", "1").status == 0
    assert [job["state"] for job in list_jobs(workplace)] == ["cancelled"]
    assert not [path for path in (workplace / "archive").rglob("*") if path.is_file()]


def test_output_that_nobody_reads_any_more_pauses_the_job(workplace: Path) -> None:
    names = [f"{number:05}-{'a-rather-long-name-' * 4}.dat" for number in range(3000)]
    for name in names:
        (workplace / name).write_text(name)
    made = run_program(workplace, "manifest", "--create", *names, "--manifest", "list")
    assert made.status == 0, made.err
    process = start_program(workplace, "manifest", "--archive", "--manifest", "list")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == ExitStatus.OUTPUT_CLOSED
    (job,) = list_jobs(workplace)
    assert job["state"] == "paused"
    done = run_program(workplace, "manifest", "--archive", "--manifest", "list", "--quiet")
    assert done.status == 0, done.err
    (job,) = list_jobs(workplace)
    assert (job["job"], job["attempt"], job["ended"] is not None) == (1, 2, True)


def test_a_damaged_list_is_said_and_nothing_is_claimed_about_what_it_held(run: Run, isolated_home: Path) -> None:
    run("dataset", "publish", "lab", "winds")
    path = isolated_home / ".local" / "state" / "archive-tui" / "jobs.sqlite3"
    path.write_bytes(b"no database at all" * 100)
    call = run("jobs", "list", "--json")
    assert (call.status, call.document["jobs"]) == (0, [])
    assert "a new one is begun, the old one is kept" in call.document["remarks"][0]
    assert run("dataset", "verify", "lab", "winds").status == 0
    assert len(run("jobs", "list", "--json").document["jobs"]) == 1


def test_a_list_of_a_newer_release_is_left_alone(run: Run, isolated_home: Path) -> None:
    run("dataset", "publish", "lab", "winds")
    path = isolated_home / ".local" / "state" / "archive-tui" / "jobs.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.commit()
    before = path.read_bytes()
    assert run("dataset", "verify", "lab", "winds").status == 0
    for command in ("list", "run", "clean"):
        call = run("jobs", command)
        assert call.status == 0
        assert "newer release" in call.err
        for lie in ("There are no jobs", "Nothing was queued", "Nothing was left behind"):
            assert lie not in call.err, command
    assert run("dataset", "verify", "lab", "winds", "--background").status == 1
    assert path.read_bytes() == before


def test_a_state_folder_that_cannot_be_written_stops_nobody(run: Run, isolated_home: Path) -> None:
    (isolated_home / ".local").write_text("not a folder")
    call = run("dataset", "publish", "lab", "winds")
    assert call.status == 0, call.err
    assert "note: Jobs are kept in memory and end with this program" in call.err
    assert run("dataset", "verify", "lab", "winds").status == 0
    background = run("dataset", "verify", "lab", "winds", "--background", "--json")
    assert background.status == 1
    assert background.document["error"]["code"] == "queue-unusable"
