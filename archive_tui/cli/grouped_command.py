"""A click command whose help lists the options in groups, and that knows which of them were given, in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

_GIVEN = "archive_tui.cli.given_parameters"


class GroupedCommand(click.Command):
    """`groups` maps titles to the names of options; those in no group are listed last."""

    def __init__(self, *arguments: Any, groups: Mapping[str, Sequence[str]], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._groups = groups

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        ctx.meta[_GIVEN] = [parameter.name for parameter in order]
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        listed = [parameter for parameter in self.get_params(ctx) if isinstance(parameter, click.Option)]
        records = {parameter.name: parameter.get_help_record(ctx) for parameter in listed}
        for title, names in self._groups.items():
            self._write_group(formatter, title, [records.pop(name) for name in names])
        self._write_group(formatter, "Options", list(records.values()))

    def _write_group(
        self, formatter: click.HelpFormatter, title: str, records: Sequence[tuple[str, str] | None]
    ) -> None:
        rows = [record for record in records if record is not None]
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows)


def given_parameters(ctx: click.Context) -> list[str]:
    """Returns the names of the parameters that were given, in the order of the command line, each as often as it was.

    Arguments count as given once, always, at the end.
    """
    given: list[str] = ctx.meta[_GIVEN]
    return given
