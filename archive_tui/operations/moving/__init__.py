"""Moving objects from one store to another: copied, proven where they lie then, and only then deleted at the source."""

from archive_tui.operations.moving.moving import PHASE, move_objects
from archive_tui.operations.moving.receipt import MoveReceipt

__all__ = ["PHASE", "MoveReceipt", "move_objects"]
