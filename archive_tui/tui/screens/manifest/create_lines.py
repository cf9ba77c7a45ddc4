"""What the panel says in which a manifest is made: what is listed, how it is written, how far it is. Pure functions."""

from __future__ import annotations

from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.kinds.manifest_creation import Amount, ListedPart
from archive_tui.jobs.progress_meter import PhaseProgress
from archive_tui.manifests.checksum_lines.line import Dialect
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_count, format_number, format_rate, format_size, format_span
from archive_tui.tui.lines.cells import Cell, cut_end, cut_middle
from archive_tui.tui.lines.progress_lines import PHASE_STATES, STATE_LOOKS, format_percent
from archive_tui.tui.lines.sentences import join_sentences
from archive_tui.tui.lines.text_rows import wrap_words
from archive_tui.tui.panes.panel import PanelLine

DIALECT_WORDS = {
    Dialect.QUOTED: ("each name in quotes", "each name in quotes: blanks can be seen"),
    Dialect.SHA256SUM: ("for sha256sum --check", "what sha256sum --check and most tools read"),
    Dialect.BSD: ("for shasum and OpenSSL", "SHA256 (name) = …, as shasum and OpenSSL"),
    Dialect.JSON: ("sizes too, for programs", "sizes and time of creation, for programs"),
}
"""What each dialect is good for: for half of eighty columns, and where there is more room."""

_ROOM_FOR_MORE = 55

_BLANK: PanelLine = (("", ""),)


def describe_part(part: ListedPart) -> str:
    picked = (*part.files, *part.folders)
    if not picked:
        return "All that lies in this folder"
    if len(picked) == 1:
        return picked[0] + ("/" if part.folders else "")
    counts = []
    if part.files:
        counts.append(format_count(len(part.files), "file"))
    if part.folders:
        counts.append(format_count(len(part.folders), "folder"))
    return f"{' and '.join(counts)} picked"


def describe_amount(amount: Amount | None) -> str:
    if amount is None:
        return "counting …"
    files = format_count(amount.files, "file")
    if amount.is_complete:
        return f"{files} · {format_size(amount.bytes)}"
    return f"{files} · {format_size(amount.bytes)} · counting …" if amount.bytes else f"{files} · counting …"


def choice_lines(
    part: ListedPart, amount: Amount | None, dialect: Dialect, dialects: tuple[Dialect, ...], fault: str, width: int
) -> list[PanelLine]:
    """The form: the name itself is typed in the status line."""
    lines: list[PanelLine] = [
        _BLANK,
        ((cut_middle(escape_for_display(describe_part(part)), width), "heading"),),
        ((describe_amount(amount), ""),),
        _BLANK,
        (("written as", "weak"),),
    ]
    for each in dialects:
        text = f"{each.value:<10} {DIALECT_WORDS[each][width >= _ROOM_FOR_MORE]}"
        lines.append((_chosen(text, width) if each is dialect else ("  " + cut_end(text, width - 2), ""),))
    lines += [_BLANK, (("into this folder, by the name below", "weak"),)]
    lines += [((text, "damaged"),) for text in (wrap_words(f"✗ {fault}", width) if fault else ())]
    return lines


def _chosen(text: str, width: int) -> Cell:
    return (cut_end(f"▸ {text}", width).ljust(width), "cursor")


def progress_lines(job: JobSnapshot, width: int) -> list[PanelLine]:
    """The job at work, in the width of a pane."""
    lines: list[PanelLine] = [_BLANK, ((cut_middle(escape_for_display(job.title), width), "heading"),), _BLANK]
    phase = job.current_phase
    if phase is None:
        return [*lines, ((str(job.state), ""),)]
    word = "stopping" if job.state.value == "stopping" else PHASE_STATES.get(phase.phase, phase.phase)
    lines.append(((f"{word:<10}{format_percent(phase.fraction):>6}", "heading"),))
    lines += [((text, ""),) for text in _figures(phase)]
    if phase.fraction is not None:
        filled = int(phase.fraction * width)
        lines.append(((" " * filled, "cursor"), ("·" * (width - filled), "weak")))
    return lines


def _figures(phase: PhaseProgress) -> list[str]:
    """Two lines that keep their places, so that a tick sends only figures."""
    items = format_number(phase.items_done)
    items += f" of {format_number(phase.items_total)}" if phase.items_total is not None else ""
    done = format_size(phase.bytes_done)
    done += f" of {format_size(phase.bytes_total)}" if phase.bytes_total is not None else ""
    left = f" · {format_span(phase.eta)} left" if phase.eta is not None else ""
    return [f"{items} files", f"{done}  {format_rate(phase.rate)}{left}" if phase.bytes_done else ""]


def end_lines(job: JobSnapshot, width: int) -> list[PanelLine]:
    """How it has ended, and what can be done now."""
    glyph, style = STATE_LOOKS[job.state]
    lines: list[PanelLine] = [_BLANK, ((cut_middle(escape_for_display(job.title), width), "heading"),), _BLANK]
    lines.append(((f"{glyph} {job.state}", style),))
    lines += [((text, ""),) for text in wrap_words(join_sentences(job.message, job.hint), width)]
    return lines
