"""Deleting objects that nothing rests on: never a published version, its manifest, or a content of a vault."""

from archive_tui.operations.deleting.deleting import PHASE, delete_objects
from archive_tui.operations.deleting.plan import DeletePlan, check_deletable, plan_delete
from archive_tui.operations.deleting.receipt import DeleteReceipt
from archive_tui.operations.deleting.trashing import trash_objects

__all__ = ["PHASE", "DeletePlan", "DeleteReceipt", "check_deletable", "delete_objects", "plan_delete", "trash_objects"]
