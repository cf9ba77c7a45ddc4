"""The keys that move the cursor of a page with one list of rows."""

from __future__ import annotations

from archive_tui.tui.widgets.row_list import RowList


class RowMoves:
    """For a page whose `action_groups` hold ROWS. `moving_rows` is the list, `rows_moved` is called after each move."""

    @property
    def moving_rows(self) -> RowList:
        raise NotImplementedError

    def rows_moved(self) -> None:
        """Nothing else depends on the cursor."""

    def do_row_up(self) -> None:
        self._move(-1)

    def do_row_down(self) -> None:
        self._move(1)

    def do_row_page_up(self) -> None:
        self._move_page(-1)

    def do_row_page_down(self) -> None:
        self._move_page(1)

    def do_row_first(self) -> None:
        self._move_to_end(is_last=False)

    def do_row_last(self) -> None:
        self._move_to_end(is_last=True)

    def _move(self, step: int) -> None:
        self.moving_rows.move_cursor(step)
        self.rows_moved()

    def _move_page(self, step: int) -> None:
        self.moving_rows.move_page(step)
        self.rows_moved()

    def _move_to_end(self, *, is_last: bool) -> None:
        self.moving_rows.move_to_end(is_last=is_last)
        self.rows_moved()
