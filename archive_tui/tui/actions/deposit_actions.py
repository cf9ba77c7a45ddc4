"""The actions of the guide that deposits files in a datasafe."""

from __future__ import annotations

from archive_tui.tui.actions.registry import REGISTRY, Action, ActionContext

DEPOSIT = "deposit"


def _command(context: ActionContext) -> str | None:
    return getattr(context.subject, "command_line", None) or None


REGISTRY.register(
    Action("deposit.field", "Next field", ("enter",), DEPOSIT, label="next field"),
    Action("deposit.write-now", "Write the metadata file, from any field", ("pagedown",), DEPOSIT, label="write it"),
    Action("deposit.write", "Write the metadata file", ("enter", "pagedown"), DEPOSIT, label="write it"),
    Action("deposit.next", "Next step", ("enter", "pagedown"), DEPOSIT, label="next"),
    Action("deposit.start", "Deposit as planned", ("enter", "pagedown"), DEPOSIT, _command, label="deposit now"),
    Action("deposit.done", "Close the guide", ("enter", "pagedown"), DEPOSIT, label="done"),
    Action("deposit.back", "Back to the step before", ("pageup", "backspace"), DEPOSIT, label="back"),
    Action("deposit.up", "Choice or row above", ("up",), DEPOSIT),
    Action("deposit.down", "Choice or row below", ("down",), DEPOSIT),
    Action("deposit.metadata", "Write a small metadata file", ("m",), DEPOSIT, label="write metadata"),
    Action("deposit.rescan", "Look at the files again", ("r",), DEPOSIT, label="look again"),
    Action("deposit.retry", "Deposit again", ("r",), DEPOSIT, label="try again"),
    Action("deposit.stop", "Stop the job: it can go on later", ("s",), DEPOSIT, label="stop"),
    Action("deposit.resume", "Go on with it", ("s",), DEPOSIT, label="go on"),
    Action("deposit.decide", "Decide what it has left open", ("d",), DEPOSIT, label="decide"),
    Action("deposit.cancel", "Cancel the job", ("c",), DEPOSIT, label="cancel"),
    Action("deposit.copy", "Copy the command line", ("y",), DEPOSIT, _command, label="copy command"),
    Action("deposit.copy-loi", "Copy the LOI", ("Y",), DEPOSIT, label="copy LOI"),
    Action("deposit.leave", "Leave; what was chosen is kept, a job goes on", ("escape",), DEPOSIT, label="leave"),
)
