"""Giving objects and folders other names where they are: one name, or many by a pattern."""

from archive_tui.operations.renaming.plan import RenameClash, RenamePlan, plan_renames
from archive_tui.operations.renaming.receipt import RenameReceipt
from archive_tui.operations.renaming.renaming import list_names, rename_objects
from archive_tui.operations.renaming.rule import RenameRule

__all__ = ["RenameClash", "RenamePlan", "RenameReceipt", "RenameRule", "list_names", "plan_renames", "rename_objects"]
