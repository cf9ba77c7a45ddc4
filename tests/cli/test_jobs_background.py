"""Jobs in the background: they outlive the terminal, several processes share the queue, and signals lose nothing."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.jobs.background import is_runner_alive
from tests.archives.faults.commands import start_program, wait_for
from tests.cli.job_processes import (
    eventually,
    fill,
    list_jobs,
    run_program,
    show_job,
    state_folder,
    stop_process,
    wait_until_nobody_runs,
)
from tests.servers.sshd import REPOSITORY, RunOverSsh

Queue = Callable[..., int]


@pytest.fixture
def queue(workplace: Path) -> Iterator[Queue]:
    """Queues a job with `--background`; afterwards all jobs are cancelled, and nobody runs any more."""

    def submit(*words: str) -> int:
        done = run_program(workplace, *words, "--background", "--json", "--quiet")
        assert done.status == 0, done.err
        return int(json.loads(done.out)["job"])

    yield submit
    numbers = [str(job["job"]) for job in list_jobs(workplace) if job["ended"] is None]
    if numbers:
        run_program(workplace, "jobs", "cancel", *numbers)
    wait_until_nobody_runs()


def states(workplace: Path) -> list[str]:
    return [job["state"] for job in list_jobs(workplace)]


def test_a_job_in_the_background_needs_neither_the_terminal_nor_the_folder(workplace: Path, queue: Queue) -> None:
    number = queue("dataset", "publish", "lab", "winds", "--source", "work/winds")
    eventually(lambda: states(workplace) == ["verified"], "it is not done")
    job = show_job(workplace, number)
    assert job["source"] == str(workplace / "work" / "winds")
    assert job["policy"] == {"conflicts": "ask", "retries": 5, "bandwidth": None, "deadline": None}
    assert (workplace / "archive" / "winds.0.0.1.zip").is_file()
    wait_until_nobody_runs()
    assert (
        f"job {number}, publish winds 0.0.1: verified. Published winds 0.0.1."
        in (state_folder() / "jobs.log").read_text()
    )


def test_waiting_tells_how_it_has_ended(workplace: Path, queue: Queue) -> None:
    done = run_program(workplace, "dataset", "publish", "lab", "winds", "--background", "--wait")
    assert (done.status, done.out) == (0, "Job 1: verified. Published winds 0.0.1.\n")
    number = queue("verify", "work/winds")
    waited = run_program(workplace, "jobs", "show", str(number), "--wait", "--json")
    assert waited.status == 1
    assert (waited.document["state"], waited.document["code"]) == ("failed", "manifest-missing")


def test_who_stops_waiting_stops_nothing_else(workplace: Path, queue: Queue) -> None:
    fill(workplace, "big", 200_000)
    process = start_program(
        workplace, "dataset", "publish", "lab", "big", "--bandwidth", "100KB/s", "--background", "--wait"
    )
    eventually(lambda: states(workplace) == ["running"], "it does not begin")
    process.send_signal(signal.SIGINT)
    done = wait_for(process)
    assert done.status == ExitStatus.STOPPED
    assert "archive-tui: Stopped waiting; job 1 goes on.\nhint: See: archive-tui jobs show 1 --wait" in done.err
    assert states(workplace) == ["running"]
    assert run_program(workplace, "jobs", "show", "1", "--wait").status == 0


def test_a_refused_plan_is_not_queued(workplace: Path) -> None:
    (workplace / "work" / "winds" / "CON").write_text("a device on some systems")
    done = run_program(workplace, "dataset", "publish", "lab", "winds", "--background", "--json")
    assert (done.status, done.document["error"]["code"]) == (1, "source-refused")
    assert list_jobs(workplace) == []


def test_pause_resume_and_cancel_reach_the_process_in_the_background(workplace: Path, queue: Queue) -> None:
    fill(workplace, "big", 1_000_000)
    number = str(queue("dataset", "publish", "lab", "big", "--bandwidth", "100KB/s"))
    eventually(lambda: states(workplace) == ["running"], "it does not begin")
    run_program(workplace, "jobs", "pause", number)
    assert run_program(workplace, "jobs", "show", number, "--wait").status == ExitStatus.STOPPED
    assert states(workplace) == ["paused"]
    wait_until_nobody_runs()
    assert run_program(workplace, "jobs", "resume", number).status == 0
    eventually(lambda: states(workplace) == ["running"], "it does not go on")
    assert run_program(workplace, "jobs", "cancel", number).status == 0
    eventually(lambda: states(workplace) == ["cancelled"], "it is not cancelled")
    wait_until_nobody_runs()
    assert not [path for path in (workplace / "archive").rglob("*") if path.is_file()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_what_runs_in_the_queue(workplace: Path, number: int) -> None:
    fill(workplace, "big", 250_000)
    queued = run_program(workplace, "dataset", "publish", "lab", "big", "--background", "--bandwidth", "100KB/s")
    assert queued.status == 0
    eventually(lambda: states(workplace) == ["running"], "it does not begin")
    owner = list_jobs(workplace)[0]["owner"]
    os.kill(int(owner.split()[1]), number)
    wait_until_nobody_runs()
    assert states(workplace) == ["queued"]
    assert run_program(workplace, "jobs", "run", "--quiet").status == 0
    (job,) = list_jobs(workplace)
    assert (job["state"], job["attempt"]) == ("verified", 2)


def test_a_killed_process_in_the_background_is_noticed_by_who_waits(workplace: Path, queue: Queue) -> None:
    fill(workplace, "big", 250_000)
    process = start_program(
        workplace, "dataset", "publish", "lab", "big", "--bandwidth", "100KB/s", "--background", "--wait"
    )
    try:
        eventually(lambda: states(workplace) == ["running"], "it does not begin")
        os.kill(int(list_jobs(workplace)[0]["owner"].split()[1]), signal.SIGKILL)
        done = wait_for(process)
    finally:
        stop_process(process)
    assert done.status == 0, done.err
    (job,) = list_jobs(workplace)
    assert (job["state"], job["attempt"]) == ("verified", 2)


def test_two_processes_share_the_queue(workplace: Path) -> None:
    for number in range(6):
        fill(workplace, f"set-{number}", 100_000)
    first = start_program(workplace, "jobs", "run", "--keep-running", "--quiet")
    second = start_program(workplace, "jobs", "run", "--keep-running", "--quiet")
    try:
        eventually(lambda: is_runner_alive(state_folder()), "nobody works through the queue")
        for number in range(6):
            words = ("dataset", "publish", "lab", f"set-{number}", "--background", "--bandwidth", "100KB/s")
            assert run_program(workplace, *words).status == 0
        eventually(lambda: set(states(workplace)) == {"verified"}, "they are not done")
        first.send_signal(signal.SIGTERM)
        second.send_signal(signal.SIGTERM)
        ended = [wait_for(first), wait_for(second)]
    finally:
        stop_process(first)
        stop_process(second)
    assert [done.status for done in ended] == [ExitStatus.STOPPED] * 2
    lines = [line for done in ended for line in done.out.splitlines()]
    assert len(lines) == 6, "each job was done once"
    assert all(done.out for done in ended), "both have worked"
    assert [job["attempt"] for job in list_jobs(workplace)] == [1] * 6


def test_jobs_of_these_numbers_and_no_others(workplace: Path) -> None:
    run_program(workplace, "verify", "work/winds")
    run_program(workplace, "dataset", "publish", "lab", "winds")
    assert states(workplace) == ["failed", "verified"]
    assert run_program(workplace, "jobs", "retry", "1", "--no-start").status == 0
    done = run_program(workplace, "jobs", "run", "2", "--json")
    assert done.status == 0
    assert states(workplace) == ["queued", "verified"]
    done = run_program(workplace, "jobs", "run", "1")
    assert done.status == 1
    assert "job 1, verify winds: failed" in done.out
    assert states(workplace) == ["failed", "verified"]


def test_a_job_that_another_process_runs_is_left_to_it(workplace: Path, queue: Queue) -> None:
    fill(workplace, "big", 200_000)
    number = str(queue("dataset", "publish", "lab", "big", "--bandwidth", "100KB/s"))
    eventually(lambda: states(workplace) == ["running"], "it does not begin")
    done = run_program(workplace, "jobs", "run", number, "--json")
    assert (done.status, done.document["error"]["code"]) == (1, "job-elsewhere")


def test_a_decision_is_asked_for_and_the_rest_is_done(workplace: Path, queue: Queue) -> None:
    assert run_program(workplace, "dataset", "publish", "lab", "winds").status == 0
    assert run_program(workplace, "dataset", "fetch", "lab", "winds", "--to", "there").status == 0
    mine = workplace / "there" / "winds.0.0.1" / "table.csv"
    mine.write_text("mine")
    words = ("dataset", "fetch", "lab", "winds", "--to", "there")
    waited = run_program(workplace, *words, "--background", "--wait")
    assert waited.status == 1
    assert waited.out == "Job 3: 1 item needs a decision; everything else is done.\n"
    assert "archive-tui jobs answer 3" in waited.err
    assert mine.read_text() == "mine"
    asked = run_program(workplace, "jobs", "answer", "3", "--json").document["questions"]
    assert [question["choices"] for question in asked] == [["keep", "keep-both", "replace"]]
    assert run_program(workplace, "jobs", "answer", "3", "replace", "no such item").status == 2
    assert run_program(workplace, "jobs", "answer", "3", "replace").status == 0
    assert run_program(workplace, "jobs", "show", "3", "--wait").status == 0
    assert mine.read_text() == "hour,speed\n1,3.5\n"
    assert run_program(workplace, "jobs", "answer", "3", "keep").status == 2, "nothing is asked any more"
    wait_until_nobody_runs()


def test_manifests_in_the_background(workplace: Path, queue: Queue) -> None:
    made = queue("manifest", "--create", "--dir", "work", "--recursive", "--manifest", "list", "--format", "sha256sum")
    assert run_program(workplace, "jobs", "show", str(made), "--wait").status == 0
    lines = (workplace / "list").read_text().splitlines()
    assert sorted(line.split()[1] for line in lines) == ["work/winds/raw/log.dat", "work/winds/table.csv"]
    for action, status in ((("--archive",), 0), (("--vault", "--read"), 0), (("--check",), 0)):
        words = ("manifest", *action, "--manifest", "list", "--background", "--wait")
        storage = () if "--check" in action else ("--storage", "lab")
        done = run_program(workplace, *words, *storage)
        assert done.status == status, done.err
    (workplace / "work" / "winds" / "table.csv").unlink()
    fetched = queue("manifest", "--fetch", "--manifest", "list", "--storage", "lab")
    assert run_program(workplace, "jobs", "show", str(fetched), "--wait").status == 0
    assert (workplace / "work" / "winds" / "table.csv").read_text() == "hour,speed\n1,3.5\n"


def test_closing_the_ssh_session_ends_nothing(run_over_ssh: RunOverSsh, workplace: Path) -> None:
    fill(workplace, "big", 200_000)
    words = [
        "python",
        "-m",
        "archive_tui",
        "dataset",
        "publish",
        "lab",
        "big",
        "--background",
        "--bandwidth",
        "100KB/s",
    ]
    script = f"cd {shlex.quote(str(workplace))} && PYTHONPATH={shlex.quote(str(REPOSITORY))} {shlex.join(words)}"
    terminal = run_over_ssh(f"sh -c {shlex.quote(script)}")
    terminal.wait_for("Job 1: publish big 0.0.1")
    assert terminal.wait_exit() == 0, "the session does not wait for the process in the background"
    eventually(lambda: states(workplace) == ["verified"], "it was ended with the session")
    wait_until_nobody_runs()


def test_logging_out_of_a_command_in_the_foreground_pauses_it(run_over_ssh: RunOverSsh, workplace: Path) -> None:
    fill(workplace, "big", 300_000)
    words = ["python", "-m", "archive_tui", "dataset", "publish", "lab", "big", "--bandwidth", "100KB/s"]
    script = f"cd {shlex.quote(str(workplace))} && PYTHONPATH={shlex.quote(str(REPOSITORY))} exec {shlex.join(words)}"
    terminal = run_over_ssh(f"sh -c {shlex.quote(script)}")
    terminal.wait_for("pack")
    terminal.close()
    eventually(lambda: states(workplace) in (["paused"], ["queued"]), "it goes on without a terminal")
    assert run_program(workplace, "jobs", "run", "1", "--quiet").status == 0


def test_a_process_in_the_background_finds_the_settings_of_who_asked(workplace: Path, queue: Queue) -> None:
    (workplace / "settings.ini").rename(workplace / "mine.ini")
    number = queue("--settings", "mine.ini", "dataset", "publish", "lab", "winds")
    assert run_program(workplace, "jobs", "show", str(number), "--wait").status == 0
    assert (workplace / "archive" / "winds.0.0.1.zip").is_file()
    (workplace / "mine.ini").write_text("")
    gone = run_program(workplace, "dataset", "verify", "lab", "winds", "--background", "--settings", "mine.ini")
    assert gone.status == 2, "nothing is queued that cannot be opened now"


def test_a_storage_that_vanished_from_the_settings_fails_its_job_and_says_so(workplace: Path) -> None:
    run_program(workplace, "dataset", "publish", "lab", "winds")
    keys = (workplace / "settings.ini").read_text()
    process = start_program(workplace, "dataset", "verify", "lab", "winds")
    assert wait_for(process).status == 0
    fill(workplace, "big", 200_000)
    process = start_program(workplace, "dataset", "publish", "lab", "big", "--bandwidth", "50KB/s")
    eventually(lambda: states(workplace)[-1] == "running", "it does not begin")
    process.send_signal(signal.SIGINT)
    wait_for(process)
    (workplace / "settings.ini").write_text(keys.replace("[lab]", "[other]"))
    done = run_program(workplace, "jobs", "run", "3", "--json")
    assert done.status == 1
    (job,) = done.document["jobs"]
    assert (job["state"], job["code"]) == ("failed", "unknown-storage")
    (workplace / "settings.ini").write_text(keys.replace("storage_area = archive", "storage_area = elsewhere"))
    assert run_program(workplace, "jobs", "run", "3").status == 1
    assert show_job(workplace, 3)["code"] == "place-moved"
    (workplace / "settings.ini").write_text(keys)
    assert run_program(workplace, "jobs", "run", "3").status == 0


def test_the_log_of_the_process_is_of_the_user_alone(workplace: Path, queue: Queue) -> None:
    queue("dataset", "publish", "lab", "winds")
    wait_until_nobody_runs()
    assert (state_folder() / "jobs.log").stat().st_mode & 0o077 == 0
    assert state_folder().stat().st_mode & 0o077 == 0


def test_a_program_that_cannot_start_another_one_says_so(workplace: Path) -> None:
    script = (
        "import sys\nfrom archive_tui.cli.entry import run_command_line\nsys.executable = '/no/such/python'\n"
        "sys.exit(run_command_line(['dataset', 'publish', 'lab', 'winds', '--background']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=workplace, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "archive-tui jobs run does it here" in done.stderr
    assert states(workplace) == ["queued"]
