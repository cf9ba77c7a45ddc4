from __future__ import annotations

import pytest
from rich.cells import cell_len

from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.jobs.progress_meter import PhaseProgress
from archive_tui.tui.lines.cells import cut_end, cut_middle, fit_left, fit_right
from archive_tui.tui.lines.progress_lines import phase_figures
from archive_tui.tui.lines.states import IntegrityState, format_state, state_of
from archive_tui.tui.lines.times import format_age, format_time
from archive_tui.tui.widgets.status_line import wrap_question


def test_times_that_no_calendar_has_are_left_out() -> None:
    assert format_time(1e300, now=0.0) == ""
    assert format_time(None) == format_age(None) == ""


@pytest.mark.parametrize("width", range(40))
@pytest.mark.parametrize(
    "name", ["measurement-2026-11-22.raw.dat", "日本語のファイル名です.dat", "e\u0301" * 30, "a", ""]
)
def test_cut_names_never_take_more_cells_than_there_are(name: str, width: int) -> None:
    assert cell_len(cut_middle(name, width)) <= width
    assert cell_len(cut_end(name, width)) <= width
    assert cell_len(fit_left(name, width)) == width
    assert cell_len(fit_right(name, width)) == width


def test_long_names_keep_their_beginning_and_their_end() -> None:
    cut = cut_middle("measurement-2026-11-22T15:00:00.raw.dat", 20)

    assert cut == "measuremen…0.raw.dat"
    assert cut_middle("short.dat", 20) == "short.dat"


def test_states_say_what_is_wrong_at_any_width() -> None:
    evidence = Evidence("s", "k", EvidenceLevel.DAMAGED, None, 1, 0.0, "read")

    assert format_state(state_of(evidence), 0.0, with_word=False) == "✗ damaged"
    assert format_state(IntegrityState.VERIFIED, 0.0, with_word=False, now=2 * 86400) == "✓ 2 d"
    assert format_state(IntegrityState.VERIFIED, 0.0, with_word=True, now=2 * 86400) == "✓ verified 2 d"
    assert format_state(IntegrityState.VERIFIED, 0.0, with_word=True, ascii_only=True, now=0) == "v verified 0 s"


@pytest.mark.parametrize("level", list(EvidenceLevel))
def test_every_level_of_evidence_has_a_state(level: EvidenceLevel) -> None:
    state = state_of(Evidence("s", "k", level, None, 1, 0.0, "x"))

    assert state.value.ascii.isascii()
    assert state_of(Evidence("s", "k", level, None, 1, 0.0, "x"), is_stale=True) is IntegrityState.STALE


def test_states_differ_without_colour() -> None:
    words = {(state.value.glyph, state.value.word) for state in IntegrityState}

    assert len(words) == len(IntegrityState)


def test_a_phase_that_did_nothing_was_not_done_at_once() -> None:
    done = PhaseProgress("check", ended=True, items_done=1, items_total=1, bytes_done=2)
    broken = PhaseProgress("store", ended=True, items_done=0, items_total=3)

    assert phase_figures(done) == "1 file · 2 B · at once"
    assert phase_figures(broken) == "0 of 3 files"


@pytest.mark.parametrize("room", range(30, 80))
def test_a_question_is_never_broken_between_a_key_and_what_it_does(room: int) -> None:
    question = "Copy hostile/ to lab-s3?  Enter copy, what differs there is asked later · Esc no"
    lines = wrap_question(question, room)
    assert any("· Esc no" in line for line in lines), lines
    assert all(cell_len(line) <= room for line in lines)
    leaving = "1 job runs. s stop (resumes next time) · b go on in background · Esc stay"
    assert any("· Esc stay" in line for line in wrap_question(leaving, room))
