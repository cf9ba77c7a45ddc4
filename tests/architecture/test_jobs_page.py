"""The page on jobs: its drawing is the table of transitions, its words are the states, its commands can be typed."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from archive_tui.jobs.background import is_runner_alive
from archive_tui.jobs.states import TRANSITIONS, JobState
from tests.architecture.sources import ROOT
from tests.architecture.test_tutorial import shell, shell_lines, type_in

__all__ = ["shell"]

PAGE = (ROOT / "docs" / "jobs.md").read_text(encoding="utf-8")


def drawn_transitions() -> set[tuple[str, str]]:
    """Every arrow of the drawing, by the words of the states; an arrow from or to a group is one for each in it."""
    found = re.search(r"```mermaid\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    drawing = found[1]
    words = {name: word for word, name in re.findall(r'state "([^"]+)" as (\w+)', drawing)}
    groups = {name: inner.split() for name, inner in re.findall(r"state (\w+) \{(.*?)\}", drawing, re.DOTALL)}

    def expand(name: str) -> list[str]:
        return [words.get(each, each) for each in groups.get(name, [name])]

    arrows = re.findall(r"^ +(\w+) --> (\w+)", drawing, re.MULTILINE)
    return {(start, end) for one, other in arrows for start in expand(one) for end in expand(other)}


def test_the_drawing_is_the_table_of_transitions() -> None:
    assert drawn_transitions() == {(start.value, end.value) for start, ends in TRANSITIONS.items() for end in ends}


def test_a_job_begins_queued() -> None:
    assert re.findall(r"\[\*\] --> (\w+)", PAGE) == [JobState.QUEUED.value]


def test_every_state_is_explained() -> None:
    table = PAGE.partition("| word | what it says |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE) == [state.value for state in JobState]


def test_the_commands_of_the_page_can_be_typed(shell: Path) -> None:
    done = type_in(shell, "set -e\n" + "\n".join(shell_lines(PAGE)))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Job 2: Verified: 2 of 2 files, all bytes" in done.stdout
    assert re.search(r"^Job 3: [Cc]ancelled(\.| before it began;)", done.stdout, re.MULTILINE), done.stdout
    assert "? station-07.0.0.1: something else lies at " in done.stdout
    assert (shell / "there" / "station-07.0.0.1" / "table.csv").read_text() == "hour,speed\n1,3.5\n"
    state = Path(os.environ["XDG_STATE_HOME"]) / "archive-tui"
    deadline = time.monotonic() + 60
    while is_runner_alive(state):
        assert time.monotonic() < deadline, "the process in the background does not end"
        time.sleep(0.05)
