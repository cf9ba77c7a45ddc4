"""The instruments themselves: what they show is what a terminal shows, locally and over ssh."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.servers.sshd import RunOverSsh
from tests.servers.terminal import TerminalSession

COLOURS = r"printf 'plain \033[1;31mred\033[0m \033[5;10Hplaced\033[>1u\033[?2026$p end'; cat"

TEXTUAL_PROGRAM = """
from textual.app import App
from textual.widgets import Input

class Echo(App):
    def compose(self):
        yield Input()

Echo().run()
"""


def test_the_screen_is_what_a_person_sees() -> None:
    with TerminalSession(["sh", "-c", COLOURS], columns=40, lines=10) as terminal:
        text = terminal.wait_for("end")
        assert text.splitlines()[0] == "plain red"
        assert terminal.screen()[4][9:20] == "placed end "
        assert len(terminal.screen()) == 10
        assert terminal.bytes_received == len(terminal.output) > len(text)


def test_the_program_knows_size_and_kind_of_the_terminal() -> None:
    with TerminalSession(
        ["sh", "-c", "stty size; echo $TERM; exit 3"], columns=101, lines=33, term="vt100"
    ) as terminal:
        assert terminal.wait_exit() == 3
        assert terminal.text.split() == ["33", "101", "vt100"]


def test_keys_reach_the_program_and_its_answers_are_counted() -> None:
    with TerminalSession([sys.executable, "-c", TEXTUAL_PROGRAM], columns=60, lines=8) as terminal:
        terminal.wait_for("▔")
        terminal.settle()
        before = terminal.bytes_received
        terminal.send("a", "b", "x")
        terminal.wait_for("abx")
        terminal.send("backspace")
        terminal.wait_for(lambda text: "abx" not in text)
        terminal.type_text("up")
        terminal.wait_for("abup")
        assert terminal.settle().count("abup") > 0
        assert terminal.bytes_received - before > 4
        terminal.send("ctrl+q")
        assert terminal.wait_exit() == 0


def test_what_does_not_appear_is_told_with_the_screen() -> None:
    with TerminalSession(["sh", "-c", "echo something else"]) as terminal, pytest.raises(AssertionError) as caught:
        terminal.wait_for("expected", timeout=0.2)
    assert "something else" in str(caught.value)


def test_a_program_that_does_not_end_is_ended() -> None:
    terminal = TerminalSession(["sh", "-c", "trap '' HUP INT TERM; echo ready; while :; do sleep 1; done"])
    terminal.wait_for("ready")
    terminal.close()
    assert terminal.wait_exit(timeout=5) < 0


def test_a_command_runs_over_ssh_in_a_terminal_of_that_size(run_over_ssh: RunOverSsh) -> None:
    terminal = run_over_ssh("sh -c 'stty size; tty; echo $TERM $HOME; cat'", columns=72, lines=20)
    rows = terminal.wait_for(lambda text: "xterm-256color" in text).split()
    assert rows[:2] == ["20", "72"]
    assert rows[2].startswith("/dev/pts/")
    terminal.type_text("echoed\r")
    terminal.wait_for(lambda text: text.count("echoed") == 2)
    assert terminal.bytes_received > 20


def test_the_home_over_ssh_is_that_of_the_test(run_over_ssh: RunOverSsh, isolated_home: Path) -> None:
    (isolated_home / "mine").write_text("the home of this test")
    terminal = run_over_ssh("sh -c 'cat $HOME/mine; python -c \"import sys; print(sys.prefix)\"'", columns=200)
    assert terminal.wait_exit() == 0
    assert "the home of this test" in terminal.text
    assert sys.prefix in terminal.text
