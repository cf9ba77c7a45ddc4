"""The actions of the full-screen pages: publish guide, verification, jobs, connections."""

from __future__ import annotations

from typing import Any

from archive_tui.tui.actions.registry import REGISTRY, Action, ActionContext

PUBLISH, VERIFY, JOBS, JOB, CONNECTIONS = "publish", "verify", "jobs", "job", "connections"
RECEIPT, TRAY = "receipt", "tray"
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
    Action("publish.stop", "Stop the job: it can go on later", ("s",), PUBLISH, label="stop"),
    Action("publish.resume", "Go on with the rest", ("s",), PUBLISH, label="go on"),
    Action("publish.decide", "Decide what it has left open", ("d",), PUBLISH, label="decide"),
    Action("publish.cancel", "Cancel the job", ("c",), PUBLISH, label="cancel"),
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
    Action("verify.stop", "Stop: it can go on later", ("s", "space"), VERIFY, label="stop"),
    Action("verify.resume", "Go on with the rest", ("s", "space"), VERIFY, label="go on"),
    Action("verify.decide", "Decide what it has left open", ("d",), VERIFY, label="decide"),
    Action("verify.cancel", "Cancel: nothing is claimed for the rest", ("c",), VERIFY, label="cancel"),
    Action("verify.export", "Save the report as text", ("e",), VERIFY, label="export"),
    Action("verify.export-json", "Save the report as JSON", ("E",), VERIFY),
    Action("verify.again", "Verify again", ("r",), VERIFY, label="verify again"),
    Action("verify.repeat", "Do the same again", ("r",), VERIFY, label="again"),
    Action("verify.retry", "Try again, from where it came to", ("r",), VERIFY, label="try again"),
    Action("verify.copy", "Copy the command line", ("y",), VERIFY, _command, label="copy command"),
    Action("verify.leave", "Leave; the job goes on", ("escape", "q"), VERIFY, label="leave"),
    Action("jobs.detail", "Phases, items and log of the job", ("enter",), JOBS, label="detail"),
    Action("jobs.pause", "Pause the job: it can go on later", ("space",), JOBS, label="pause"),
    Action("jobs.resume", "Go on with the rest", ("space",), JOBS, label="go on"),
    Action("jobs.decide", "Decide what it has left open", ("d",), JOBS, label="decide"),
    Action("jobs.cancel", "Cancel the job", ("c",), JOBS, label="cancel"),
    Action("jobs.retry", "Try again, from where it came to", ("r",), JOBS, label="retry"),
    Action("jobs.receipt", "The receipt of the job", ("o",), JOBS, label="receipt"),
    Action("jobs.leave", "Back to the panes", ("escape", "q", "J"), JOBS, label="back"),
    Action("jobs.sooner", "Earlier in the queue", ("plus", "K"), JOBS, label="sooner"),
    Action("jobs.later", "Later in the queue", ("minus",), JOBS, label="later"),
    Action("jobs.older", "Older jobs", ("h",), JOBS, label="older"),
    Action("jobs.copy", "Copy the command line", ("y",), JOBS, _command, label="copy command"),
    Action("job.items", "What became of each item", ("i",), JOB, label="items"),
    Action("job.log", "The log", ("l",), JOB, label="log"),
    Action("job.overview", "Phases and findings", ("i",), JOB, label="overview"),
    Action("job.close-log", "Phases and findings", ("l",), JOB, label="overview"),
    Action("job.findings", "Only items that need a look, or all", ("f",), JOB, label="findings only"),
    Action("job.pause", "Pause the job: it can go on later", ("space",), JOB, label="pause"),
    Action("job.resume", "Go on with the rest", ("space",), JOB, label="go on"),
    Action("job.decide", "Decide what it has left open", ("d",), JOB, label="decide"),
    Action("job.cancel", "Cancel the job", ("c",), JOB, label="cancel"),
    Action("job.retry", "Try again, from where it came to", ("r",), JOB, label="retry"),
    Action("job.receipt", "The receipt of the job", ("o",), JOB, label="receipt"),
    Action("job.leave", "Back", ("escape", "q", "backspace"), JOB, label="back"),
    Action("job.copy", "Copy the command line", ("y",), JOB, _command, label="copy command"),
    Action("receipt.save", "Save the receipt as text", ("w",), RECEIPT, label="save"),
    Action("receipt.save-json", "Save the receipt as JSON", ("W",), RECEIPT, label="save JSON"),
    Action("receipt.copy", "Copy the command line", ("y",), RECEIPT, _command, label="copy command"),
    Action("receipt.leave", "Back", ("escape", "q", "backspace"), RECEIPT, label="back"),
    Action("tray.keep", "Leave what is there", ("l",), TRAY, label="leave it"),
    Action("tray.keep-both", "Keep both, the new one under another name", ("b",), TRAY, label="keep both"),
    Action("tray.replace", "Overwrite what is there", ("o",), TRAY, label="overwrite"),
    Action("tray.same", "The same answer for all of this job", ("a",), TRAY, label="for all of it"),
    Action("tray.one", "An answer for this one only", ("a",), TRAY, label="one by one"),
    Action("tray.back", "Back", ("escape", "q", "backspace"), TRAY, label="back"),
    Action(
        "connections.test", "Test the storage: what can it do?", ("t", "enter"), CONNECTIONS, _command, label="test"
    ),
    Action("connections.copy", "Copy the command line", ("y",), CONNECTIONS, _command, label="copy command"),
    Action("connections.leave", "Back to the panes", ("escape", "q", "C"), CONNECTIONS, label="back"),
)
