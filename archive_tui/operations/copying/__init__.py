"""Copying objects from one store to another, each hashed as it passes and proven where it lies afterwards."""

from archive_tui.operations.copying.copying import COPY_THREADS, PHASE, copy_objects
from archive_tui.operations.copying.plan import CopyPlan, plan_copy
from archive_tui.operations.copying.receipt import CopyOutcome, CopyReceipt

__all__ = ["COPY_THREADS", "PHASE", "CopyOutcome", "CopyPlan", "CopyReceipt", "copy_objects", "plan_copy"]
