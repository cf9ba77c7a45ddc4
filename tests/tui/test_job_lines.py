"""The lines that the jobs are drawn with: no state is cut, no name is interpreted, no figure is claimed that is not."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from archive_tui.conflicts import Conflict, ConflictRule
from archive_tui.continuation import ItemMark
from archive_tui.jobs.job import JobSnapshot, LogLine, Question
from archive_tui.jobs.request import JobPolicy
from archive_tui.jobs.states import JobState
from archive_tui.tui.actions.job_choices import find_choices
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.lines.glyphs import to_ascii
from archive_tui.tui.lines.job_page_lines import describe_policy, items_heading, log_rows, mark_row, overview_rows
from archive_tui.tui.lines.job_rows import (
    FIGURES_WIDTH,
    NARROW,
    STATE_WIDTH,
    about_lines,
    add_up,
    arrange_jobs,
    count_words,
    describe_now,
    figure_cells,
    figures_width,
    head_cells,
    name_cells,
    state_look,
    state_word,
    total_cells,
)
from archive_tui.tui.lines.jobs_summary import summarise_jobs
from archive_tui.tui.lines.progress_lines import STATE_LOOKS, phase_lines
from archive_tui.tui.lines.question_lines import describe_scope, question_detail, question_row
from archive_tui.tui.lines.sentences import describe_leaving, describe_left_over
from tests.tui.job_samples import NOON, make_job, make_phase

HOSTILE = "evil\x1b[31m\u202e[bold]\n name"


def text_of(cells: list[Cell]) -> str:
    return "".join(text for text, _ in cells)


def width_of(cells: list[Cell]) -> int:
    return cell_len(text_of(cells))


# The list


def test_what_runs_comes_first_then_the_queue_in_its_order_then_the_newest_end() -> None:
    jobs = [
        make_job(1, JobState.VERIFIED, ended_at=NOON),
        make_job(2, JobState.QUEUED, position=9.0),
        make_job(3, JobState.PAUSED, position=4.0),
        make_job(4, JobState.RUNNING, position=7.0),
        make_job(5, JobState.FAILED, ended_at=NOON + 5),
    ]
    assert [job.id for job in arrange_jobs(jobs)] == [4, 3, 2, 5, 1]


@pytest.mark.parametrize("state", JobState)
def test_each_state_has_its_glyph_a_word_that_fits_and_an_ascii_twin(state: JobState) -> None:
    glyph, _ = STATE_LOOKS[state]
    word = state_word(make_job(7, state, questions=12_345, failed_count=12_345, retry_in=599.0))
    assert word and cell_len(f"{glyph} {word}") <= STATE_WIDTH, word
    assert "?" not in to_ascii(glyph) or glyph == "?"


@pytest.mark.parametrize(
    ("job", "word"),
    [
        (make_job(1), "writing"),
        (make_job(1, questions=3), "writing ?3"),
        (make_job(1, phases=()), "running"),
        (make_job(1, JobState.STOPPING, stopping_for=JobState.PAUSED), "pausing"),
        (make_job(1, JobState.STOPPING, stopping_for=JobState.CANCELLED), "cancelling"),
        (make_job(1, JobState.STOPPING, stopping_for=JobState.QUEUED), "letting go"),
        (make_job(1, JobState.WAITING, retry_in=40.2), "retry in 40 s"),
        (make_job(1, JobState.UNDECIDED, questions=1), "1 decision"),
        (make_job(1, JobState.FINDINGS, failed_count=1), "1 finding"),
        (make_job(1, JobState.COPIED), "not verified"),
    ],
)
def test_the_word_says_what_a_user_wants_to_know(job: JobSnapshot, word: str) -> None:
    assert state_word(job) == word


@pytest.mark.parametrize("width", [66, 80, 120, 200])
@pytest.mark.parametrize("title", ["publish station-07 1.5.0", HOSTILE, "字" * 90], ids=["plain", "hostile", "wide"])
def test_a_row_fills_its_line_exactly_whatever_the_title(width: int, title: str) -> None:
    job = make_job(12345, title=title)
    cells = name_cells(job, width - FIGURES_WIDTH)
    assert width_of(cells) == width - FIGURES_WIDTH
    assert width_of(figure_cells(job)) <= FIGURES_WIDTH
    assert width_of(head_cells(width)) <= width
    assert "\x1b" not in text_of(cells) and "\n" not in text_of(cells) and "\u202e" not in text_of(cells)


@pytest.mark.parametrize("width", [60, NARROW - 1])
@pytest.mark.parametrize("state", JobState)
def test_a_narrow_list_keeps_its_names_and_fills_its_lines(width: int, state: JobState) -> None:
    job = make_job(7, state, title="copy station-07/ to lab-s3:", phases=(make_phase(eta=80_000.0),))
    cells, figures = name_cells(job, width - figures_width(width)), figure_cells(job, NOON + 300, is_narrow=True)
    assert "copy station-07/" in text_of(cells) and width_of(cells) == width - figures_width(width)
    assert width_of(figures) <= figures_width(width)
    assert width_of(figure_cells(job, NOON + 9e6, is_narrow=True)) <= figures_width(width)
    assert width_of(head_cells(width)) <= width
    assert width_of(total_cells(add_up([job]), is_narrow=True)) <= figures_width(width)


def test_what_is_copied_is_cut_last() -> None:
    rows = [text_of(name_cells(make_job(title=f"copy station-0{n}/ to lab-s3:"), 48)) for n in (7, 8)]
    assert "copy station-07/ to lab-" in rows[0] and "copy station-08/ to lab-" in rows[1]
    folders = [text_of(name_cells(make_job(title=f"copy winds/ to /srv/archive/{n}"), 48)) for n in (7, 8)]
    assert folders[0] != folders[1]


@pytest.mark.parametrize("width", [60, 80])
def test_figures_of_a_phase_that_do_not_fit_leave_out_the_rate_and_say_what_is_cut(width: int) -> None:
    phase = make_phase(items_done=123_456, items_total=999_999, bytes_done=11_000_000, rate=19_000_000.0, eta=90_000.0)
    line = phase_lines(phase, width)[0]
    assert width_of(line) <= width
    assert text_of(line).endswith(("left", "…"))
    assert text_of(phase_lines(make_phase(eta=80.0), 60)[0]).endswith("left")


def test_figures_of_a_running_job_and_none_that_age_of_one_that_does_not_run() -> None:
    assert text_of(figure_cells(make_job())).split() == ["··", "78", "%", "22", "MB/s", "1", "m"]
    paused = text_of(figure_cells(make_job(1, JobState.PAUSED, phases=(make_phase(),))))
    assert "78 %" in paused and "MB/s" not in paused and " m" not in paused
    assert figure_cells(make_job(1, JobState.QUEUED)) == []


def test_an_end_of_another_day_has_its_date() -> None:
    job = make_job(1, JobState.VERIFIED)
    assert text_of(figure_cells(job, NOON + 300)).startswith(" ended ")
    assert "-" not in text_of(figure_cells(job, NOON + 300))
    later = text_of(figure_cells(job, NOON + 3 * 86400))
    assert "-" in later and later.endswith("took 3 m") and len(later) <= FIGURES_WIDTH


def test_what_another_process_runs_has_its_own_glyph_and_owner() -> None:
    job = make_job(1, is_here=False, owner="pid 4711 on lab")
    assert state_look(job)[0] != state_look(make_job(1))[0]
    assert "pid 4711 on lab" in text_of(about_lines(job, 120)[1])
    assert "\x1b" not in text_of(about_lines(make_job(1, is_here=False, owner=HOSTILE, source=HOSTILE), 80)[0])


def test_the_lines_about_a_job_do_not_change_while_it_runs() -> None:
    before = about_lines(make_job(phases=(make_phase(bytes_done=1),)), 80)
    assert about_lines(make_job(phases=(make_phase(bytes_done=2),)), 80) == before


@pytest.mark.parametrize("state", JobState)
def test_there_is_a_sentence_for_each_state(state: JobState) -> None:
    assert describe_now(make_job(1, state, questions=2, message="", retry_in=4.0)).strip()


def test_totals_add_what_runs_and_count_the_rest() -> None:
    jobs = [
        make_job(1, phases=(make_phase(bytes_done=100, bytes_total=400, rate=10.0, eta=30.0),)),
        make_job(2, phases=(make_phase(bytes_done=300, bytes_total=400, rate=5.0, eta=20.0),)),
        make_job(3, JobState.QUEUED),
        make_job(4, JobState.WAITING),
        make_job(5, JobState.PAUSED),
        make_job(6, JobState.UNDECIDED, questions=1),
        make_job(7, JobState.VERIFIED),
    ]
    totals = add_up(jobs)
    assert (totals.fraction, totals.rate, totals.left) == (0.5, 15.0, 30.0)
    assert count_words(totals) == "2 running  2 waiting  1 paused  1 to decide  1 ended"
    assert "50 %" in text_of(total_cells(totals))
    assert summarise_jobs(jobs) == "▸ 2 jobs  50 %  30 s left  · 2 waiting  ? 1 to decide  ‖ 1 paused"
    assert summarise_jobs(jobs[2:4]) == "· 2 waiting"
    assert summarise_jobs([jobs[-1]]) == ""


def test_a_phase_without_a_known_whole_claims_no_share() -> None:
    totals = add_up([make_job(phases=(make_phase(bytes_total=None, items_total=None, rate=None, eta=None),))])
    assert totals.fraction is None and totals.left is None


# What can be done


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (JobState.QUEUED, {"pause", "cancel", "move"}),
        (JobState.RUNNING, {"pause", "cancel"}),
        (JobState.STOPPING, {"cancel"}),
        (JobState.PAUSED, {"resume", "cancel", "move"}),
        (JobState.WAITING, {"pause", "cancel", "retry", "move"}),
        (JobState.UNDECIDED, {"cancel", "move", "decide"}),
        (JobState.VERIFIED, {"receipt"}),
        (JobState.COPIED, {"receipt"}),
        (JobState.FINISHED, {"receipt"}),
        (JobState.FINDINGS, {"receipt", "retry"}),
        (JobState.FAILED, {"receipt", "retry"}),
        (JobState.CANCELLED, {"receipt", "retry"}),
    ],
)
def test_only_what_makes_sense_is_offered(state: JobState, words: set[str]) -> None:
    questions = 1 if state is JobState.UNDECIDED else 0
    assert find_choices(make_job(1, state, questions=questions, command="")) == words
    assert find_choices(None) == frozenset()


def test_a_pause_that_is_under_way_can_be_taken_back_and_a_cancellation_cannot() -> None:
    pausing = make_job(1, JobState.STOPPING, stopping_for=JobState.PAUSED, command="")
    cancelling = make_job(1, JobState.STOPPING, stopping_for=JobState.CANCELLED, command="")
    assert find_choices(pausing) == {"resume", "cancel"} and find_choices(cancelling) == frozenset()


# One job


def test_the_page_of_a_job_says_from_where_to_where_when_and_how() -> None:
    log = tuple(LogLine(NOON + at, f"line {at}") for at in range(9))
    job = make_job(queued_at=NOON, log=log, attempt=2, policy=JobPolicy(bandwidth=20_000_000, deadline=7200.0))
    text = "\n".join(text_of(row) for row in overview_rows(job, 80))
    for part in ("from ", "to ", "try 2", "conflicts: ask · 5 retries · at most 20 MB/s", "78 %", "4 earlier lines: l"):
        assert part in text, part
    assert "line 8" in text and "line 3" not in text
    assert text_of(log_rows(job, 80)[0]).endswith("line 8")


def test_a_policy_without_retries_says_so() -> None:
    assert describe_policy(JobPolicy(ConflictRule.KEEP_BOTH, 0)) == "conflicts: keep both · no retries"


@pytest.mark.parametrize("width", [80, 120])
def test_an_item_is_one_line_that_tells_a_finding_from_what_is_well(width: int) -> None:
    good = mark_row(ItemMark("raw/a.dat", "uploaded", size=31_000_000, evidence="attested", at=NOON), width)
    bad = mark_row(ItemMark(HOSTILE, "changed", is_good=False, detail="other content"), width)
    assert text_of(good).startswith(" ✓ uploaded") and "attested" in text_of(good)
    assert text_of(bad).startswith(" ✗ changed") and "other content" in text_of(bad) and "\x1b" not in text_of(bad)
    assert width_of(good) <= width and width_of(bad) <= width


def test_the_reason_of_a_failed_item_has_the_room() -> None:
    reason = "Key refused, it holds control char"
    bad = mark_row(ItemMark("hostile/a.txt", "failed", size=0, is_good=False, detail=reason, at=NOON), 80)
    assert "hostile/a.txt" in text_of(bad) and "it holds control" in text_of(bad)


def test_the_items_are_counted() -> None:
    assert items_heading(1600, only_findings=False) == "1,600 items, each with what became of it"
    assert items_heading(1, only_findings=True) == "1 item that needs a look"


# Decisions


def test_a_question_says_what_stands_against_what_and_offers_only_what_is_possible() -> None:
    conflict = Conflict(HOSTILE, "lab:a", "3.1 MB, 2 d", "2.9 MB, now", (ConflictRule.KEEP, ConflictRule.KEEP_BOTH))
    question = Question(19, conflict, NOON)
    row = question_row(question, 80)
    assert width_of(row) <= 80 and "there: 3.1 MB" in text_of(row) and "\x1b" not in text_of(row)
    detail = "\n".join(text_of(row) for row in question_detail(question, "copy a", 78))
    assert " l " in detail and " b " in detail and "overwrite" not in detail
    assert "all 12 questions" in describe_scope(12, for_all=True)


# Sentences


def test_what_last_time_left_is_said_in_one_sentence() -> None:
    jobs = [
        make_job(1, JobState.QUEUED),
        make_job(2, is_here=False),
        make_job(3, JobState.PAUSED),
        make_job(4, JobState.UNDECIDED),
        make_job(5, JobState.VERIFIED),
    ]
    assert describe_left_over(jobs) == (
        "1 job of last time goes on, 1 job runs in another process, 1 job is paused, 1 job needs a decision: J shows."
    )
    assert describe_left_over(jobs[-1:]) == ""


def test_the_question_of_leaving_fits_into_two_lines_of_eighty() -> None:
    question = describe_leaving(12, 34)
    assert question.startswith("12 jobs run, 34 wait.") and "s stop" in question and "b go on" in question
    assert len(question) <= 2 * 78 and len(describe_leaving(2, 0)) <= 78
    assert "b go on" not in describe_leaving(0, 1, 1)
    some = describe_leaving(3, 2, 1)
    assert "1 is kept nowhere and ends now" in some and "b background" in some and len(some) <= 2 * 78
