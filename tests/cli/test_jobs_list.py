"""How `archive-tui jobs list` and `jobs show` describe jobs: honest words, and lines that fit."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import pytest

from archive_tui.cli import jobs_list, jobs_show
from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.cli.invocation import Invocation
from archive_tui.cli.job_documents import describe_share, describe_state, describe_when, job_document, status_of_job
from archive_tui.integrity.report import Finding, FindingKind, IntegrityReport
from archive_tui.jobs.job import FailedItem
from archive_tui.jobs.states import JobState
from tests.tui.job_samples import make_job, make_phase

LONG = "publish a-dataset-with-a-rather-long-name/and-a-part-below-it 1.20.300"


@pytest.fixture
def columns(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes standard output a terminal of so many columns; 0: none."""

    def become(width: int) -> None:
        monkeypatch.setattr(jobs_list, "_terminal_columns", lambda: width)

    return become


def every_state() -> list[jobs_list.JobSnapshot]:  # type: ignore[name-defined]
    return [make_job(number, state, title=LONG) for number, state in enumerate(JobState, start=1)]


def test_every_line_fits_into_80_columns(columns: Callable[[int], None], capsys: pytest.CaptureFixture[str]) -> None:
    columns(80)
    waiting = make_job(1000, JobState.WAITING, retry_in=599.0, title=LONG)
    jobs_list._show([*every_state(), waiting])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(JobState) + 2
    assert max(map(len, lines)) <= 80
    assert all("publish a-dataset" in line for line in lines[1:])


def test_in_a_pipe_nothing_is_cut(columns: Callable[[int], None], capsys: pytest.CaptureFixture[str]) -> None:
    columns(0)
    jobs_list._show(every_state())
    assert capsys.readouterr().out.count(LONG) == len(JobState)


def test_columns_that_say_nothing_are_left_out(
    columns: Callable[[int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    columns(80)
    jobs_list._show([make_job(3, JobState.QUEUED)])
    assert capsys.readouterr().out.splitlines() == ["#  state   what", "3  queued  publish station-07 1.5.0"]


def test_a_running_job_says_how_far_it_is(columns: Callable[[int], None], capsys: pytest.CaptureFixture[str]) -> None:
    columns(80)
    jobs_list._show([make_job(17)])
    line = capsys.readouterr().out.splitlines()[1]
    assert line.split() == [
        "17",
        "running",
        "78",
        "%",
        "22",
        "MB/s",
        "1",
        "m",
        "left",
        "publish",
        "station-07",
        "1.5.0",
    ]


def test_a_name_cannot_paint_on_the_terminal(
    columns: Callable[[int], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:

    columns(80)
    jobs_list._show([make_job(1, JobState.QUEUED, title="verify \x1b[31mred\n2  verified")])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert len(out.splitlines()) == 2


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"state": JobState.STOPPING, "stopping_for": JobState.PAUSED}, "pausing"),
        ({"state": JobState.STOPPING, "stopping_for": JobState.CANCELLED}, "cancelling"),
        ({"state": JobState.STOPPING, "stopping_for": JobState.QUEUED}, "stopping"),
        ({"state": JobState.UNDECIDED, "questions": 1}, "needs 1 decision"),
        ({"state": JobState.UNDECIDED, "questions": 2000}, "needs 2,000 decisions"),
        ({"state": JobState.UNDECIDED, "questions": 0}, "needs a decision"),
        ({"state": JobState.COPIED}, "copied, not verified"),
    ],
)
def test_the_word_says_what_happens(changes: dict[str, object], word: str) -> None:
    assert describe_state(dataclasses.replace(make_job(), **changes)) == word  # type: ignore[arg-type]


def test_a_waiting_job_says_when_it_tries_again() -> None:
    assert describe_when(make_job(state=JobState.WAITING, retry_in=42.0)) == "in 42 s"


def test_a_waiting_job_sends_nobody_to_repeat_the_command() -> None:
    facts = [text for _, text in jobs_show._facts(make_job(state=JobState.WAITING, hint="Repeat the command."))]
    assert "It tries again by itself." in facts
    assert "Repeat the command." not in facts
    assert "Repeat." in [text for _, text in jobs_show._facts(make_job(state=JobState.FAILED, hint="Repeat."))]


@pytest.mark.parametrize(
    ("state", "heading"), [(JobState.RUNNING, "Findings so far:"), (JobState.VERIFIED, "Met on the way:")]
)
def test_what_was_met_is_no_finding_of_a_job_that_ended_well(state: JobState, heading: str) -> None:
    job = make_job(state=state, failed_items=(FailedItem("verify", "a.txt", "extra", 1),), failed_count=1)
    assert list(jobs_show._describe_findings(job)) == [heading, "  a.txt: extra"]


def test_a_share_is_said_of_a_phase_that_has_one_and_of_no_end() -> None:
    assert describe_share(make_job(phases=(make_phase(bytes_done=999, bytes_total=1000, items_total=None),))) == "99 %"
    assert describe_share(make_job(phases=(make_phase(bytes_total=None, items_total=None),))) == ""
    assert describe_share(make_job(state=JobState.FAILED, phases=(make_phase(),))) == ""
    assert describe_share(make_job(state=JobState.UNDECIDED, phases=(make_phase(),))) == ""
    assert describe_share(make_job(state=JobState.PAUSED, phases=(make_phase(),))) == "78 %"


def test_a_time_of_today_is_a_clock_time_and_another_one_a_date() -> None:
    now = time.time()
    assert jobs_list.format_clock(now - 60) == time.strftime("%H:%M", time.localtime(now - 60))
    assert jobs_list.format_clock(now - 3 * 86400) == time.strftime("%Y-%m-%d", time.localtime(now - 3 * 86400))
    assert jobs_list.format_clock(None) == ""


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (JobState.VERIFIED, ExitStatus.CLEAN),
        (JobState.COPIED, ExitStatus.CLEAN),
        (JobState.FINISHED, ExitStatus.CLEAN),
        (JobState.FINDINGS, ExitStatus.FINDINGS),
        (JobState.FAILED, ExitStatus.FINDINGS),
        (JobState.UNDECIDED, ExitStatus.FINDINGS),
        (JobState.CANCELLED, ExitStatus.STOPPED),
        (JobState.PAUSED, ExitStatus.STOPPED),
    ],
)
def test_the_exit_status_tells_how_a_job_has_ended(state: JobState, status: ExitStatus) -> None:
    assert status_of_job(make_job(state=state)) is status


def test_a_verification_that_could_not_look_is_inconclusive() -> None:
    failed = make_job(state=JobState.FAILED, kind="verify-version", code="storage-unavailable")
    assert status_of_job(failed) is ExitStatus.INCONCLUSIVE
    assert status_of_job(dataclasses.replace(failed, kind="publish")) is ExitStatus.FINDINGS
    closed = (Finding(FindingKind.UNREADABLE, "closed.dat"),)
    report = IntegrityReport("x", 2, 1, 2, 1, closed, complete=True, proven="", seconds=0.0)
    assert status_of_job(make_job(state=JobState.FINDINGS, result=report)) is ExitStatus.INCONCLUSIVE


def test_a_document_has_every_field_in_every_state() -> None:
    documents = [job_document(job) for job in every_state()]
    assert len({tuple(document) for document in documents}) == 1
    assert [document["state"] for document in documents] == [state.value for state in JobState]


@pytest.mark.parametrize("is_alive", [True, False])
def test_a_queue_that_nobody_works_on_is_said(is_alive: bool, capsys: pytest.CaptureFixture[str]) -> None:
    jobs = [make_job(4, JobState.QUEUED), make_job(5, JobState.UNDECIDED, questions=1)]
    jobs_list._note_what_is_missing(Invocation(), jobs, is_alive)
    err = capsys.readouterr().err
    assert ("note: 1 job is queued, and nobody works on it: archive-tui jobs run" in err) is not is_alive
    assert "note: Job 5 needs you: archive-tui jobs answer 5" in err
