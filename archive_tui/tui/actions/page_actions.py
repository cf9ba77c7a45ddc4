"""The actions of the full-screen pages: publish guide, verification, jobs, connections."""

from __future__ import annotations

from typing import Any

from archive_tui.tui.actions.registry import REGISTRY, Action, ActionContext

PUBLISH, VERIFY, JOBS, JOB, CONNECTIONS = "publish", "verify", "jobs", "job", "connections"
ROWS, PAGE = "rows", "page"


def _command(context: ActionContext) -> str | None:
    """The command line of the page's job or plan, where it has one."""
    subject: Any = context.subject
    return getattr(subject, "command_line", None) or None


REGISTRY.register(
    Action("publish.field", "Next field", ("enter",), PUBLISH, label="next field"),
    Action("publish.onward", "Next step, from any field", ("pagedown",), PUBLISH, label="next step"),
    Action("publish.next", "Next step", ("enter", "pagedown"), PUBLISH, label="next"),
    Action("publish.start", "Publish as planned", ("enter", "pagedown"), PUBLISH, label="publish now"),
    Action("publish.done", "Close the guide", ("enter", "pagedown"), PUBLISH, label="done"),
    Action("publish.back", "Back to the step before", ("pageup", "backspace"), PUBLISH, label="back"),
    Action("publish.up", "Field or row above", ("up",), PUBLISH),
    Action("publish.down", "Field or row below", ("down",), PUBLISH),
    Action("publish.left", "Choice before", ("left",), PUBLISH),
    Action("publish.right", "Choice after", ("right",), PUBLISH),
    Action("publish.rescan", "Look at the source again", ("r",), PUBLISH, label="look again"),
    Action("publish.hash", "Compare by SHA-256", ("h",), PUBLISH, label="compare"),
    Action("publish.differences", "Show every difference", ("d",), PUBLISH, label="differences"),
    Action("publish.retry", "Publish again", ("r",), PUBLISH, label="try again"),
    Action("publish.stop", "Stop the job", ("s",), PUBLISH, label="stop"),
    Action("publish.copy", "Copy the command line", ("y",), PUBLISH, _command, label="copy command"),
    Action("publish.save", "Save the receipt", ("w",), PUBLISH, label="save"),
    Action("publish.leave", "Leave; the draft is kept, a job goes on", ("escape",), PUBLISH, label="leave"),
    Action("page.palette", "All actions of this page", ("colon", "ctrl+p"), PAGE, label="more"),
    Action("page.help", "Help for this page", ("f1", "question_mark"), PAGE, label="help"),
    Action("row.up", "Up", ("up", "k"), ROWS),
    Action("row.down", "Down", ("down", "j"), ROWS),
    Action("row.page-up", "A page up", ("pageup", "ctrl+u"), ROWS),
    Action("row.page-down", "A page down", ("pagedown", "ctrl+d"), ROWS),
    Action("row.first", "First row", ("home",), ROWS),
    Action("row.last", "Last row", ("end",), ROWS),
    Action("verify.detail", "The finding in full", ("enter",), VERIFY, label="detail"),
    Action("verify.stop", "Stop: nothing is claimed for the rest", ("s",), VERIFY, label="stop"),
    Action("verify.export", "Save the report as text", ("e",), VERIFY, label="export"),
    Action("verify.export-json", "Save the report as JSON", ("E",), VERIFY),
    Action("verify.again", "Verify again", ("r",), VERIFY, label="verify again"),
    Action("verify.repeat", "Do the same again", ("r",), VERIFY, label="again"),
    Action("verify.copy", "Copy the command line", ("y",), VERIFY, _command, label="copy command"),
    Action("verify.leave", "Leave; the job goes on", ("escape", "q"), VERIFY, label="leave"),
    Action("jobs.detail", "Log and findings of the job", ("enter",), JOBS, label="detail"),
    Action("jobs.cancel", "Cancel the job", ("c",), JOBS, label="cancel"),
    Action("jobs.receipt", "The receipt of the job", ("o",), JOBS, label="receipt"),
    Action("jobs.copy", "Copy the command line", ("y",), JOBS, _command, label="copy command"),
    Action("jobs.leave", "Back to the panes", ("escape", "q", "J"), JOBS, label="back"),
    Action("job.cancel", "Cancel the job", ("c",), JOB, label="cancel"),
    Action("job.receipt", "The receipt of the job", ("o",), JOB, label="receipt"),
    Action("job.copy", "Copy the command line", ("y",), JOB, _command, label="copy command"),
    Action("job.leave", "Back", ("escape", "q", "backspace"), JOB, label="back"),
    Action(
        "connections.test", "Test the storage: what can it do?", ("t", "enter"), CONNECTIONS, _command, label="test"
    ),
    Action("connections.copy", "Copy the command line", ("y",), CONNECTIONS, _command, label="copy command"),
    Action("connections.leave", "Back to the panes", ("escape", "q", "C"), CONNECTIONS, label="back"),
)
