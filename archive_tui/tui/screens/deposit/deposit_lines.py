"""What the guide that deposits files says, step by step. Pure functions."""

from __future__ import annotations

from archive_tui.archives.datasafe.safe import SafeEntry, SafeState
from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.states import JobState
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_count, format_number, format_size
from archive_tui.operations.scanning.source_scan import SourceScan
from archive_tui.tui.actions.safe_actions import command_of
from archive_tui.tui.lines.cells import Cell, cut_middle
from archive_tui.tui.lines.job_rows import describe_now
from archive_tui.tui.lines.progress_lines import job_lines, state_cells
from archive_tui.tui.lines.receipts import evidence_sentence
from archive_tui.tui.lines.text_rows import labelled_rows, wrap_words
from archive_tui.tui.screens.deposit.draft import NEW, UPDATE, USE, DepositDraft
from archive_tui.tui.widgets.line_view import Line

UNSETTLED = "deposit-unsettled"
"""The code of a failure after which nobody knows whether the server has taken the dataset."""

METADATA_SHOWN = 12
REMARKS_SHOWN = 100


def loi_rows(draft: DepositDraft, width: int) -> list[Line]:
    """Step 1: under which LOI."""
    rows: list[Line] = [[], *source_rows(draft, width), []]
    for choice in draft.choices:
        is_chosen = choice == draft.choice
        for number, text in enumerate(wrap_words(_choice_text(draft, choice), width - 7)):
            sign = ("(•)" if is_chosen else "( )") if number == 0 else "   "
            rows.append([(f" {sign} {text}", "heading" if is_chosen else "")])
    rows.append([])
    if draft.choice == UPDATE:
        rows += labelled_rows("old one", what_becomes_of(draft), width, "doubtful")
    elif draft.choice == NEW:
        rows += labelled_rows("then", "the kind of LOI is asked for; its number is reserved at once", width, "weak")
    return rows


def _choice_text(draft: DepositDraft, choice: str) -> str:
    entry = draft.entry
    if choice == NEW or entry is None:
        return f"reserve a new LOI, such as {draft.kind}/…" if draft.kind != "42." else "reserve a new LOI"
    return f"{entry.loi}  {'reserved, still empty' if choice == USE else f'update: replaces {_describe(entry)}'}"


def _describe(entry: SafeEntry) -> str:
    if entry.state is SafeState.DAMAGED:
        return "what is damaged there"
    amount = [format_count(entry.files, "file")] if entry.files is not None else []
    amount += [format_size(entry.size)] if entry.size is not None else []
    return " of ".join(["the dataset", *amount][:2]) + (f", {amount[1]}" if len(amount) == 2 else "")


def what_becomes_of(draft: DepositDraft) -> str:
    """What an update does with the old version."""
    storage = draft.location.storage
    if storage is not None and storage.kind == "http":
        return "The server keeps it as an old version, unless it was started not to keep any."
    number = draft.entry.old_versions + 1 if draft.entry is not None else 1
    return f"It is kept as old version {number}, and can be retrieved as that."


def source_rows(draft: DepositDraft, width: int) -> list[Line]:
    rows = labelled_rows("files from", str(draft.source), width)
    if draft.chosen:
        shown = ", ".join(draft.chosen[:3]) + (" …" if len(draft.chosen) > 3 else "")
        count = "1 entry" if len(draft.chosen) == 1 else f"{format_number(len(draft.chosen))} entries"
        rows += labelled_rows("", f"{count} of it: {shown}", width)
    return list(rows)


def metadata_rows(draft: DepositDraft, width: int, failure: str) -> list[Line]:
    """Step 2: what says what the data is."""
    scan = draft.scan
    if scan is None:
        text = f" ✗ {failure}" if failure else " ▸ looking at the files"
        return [[], [(text, "damaged" if failure else "running")]]
    found = draft.metadata
    rows: list[Line] = [[], [(f" {format_count(len(scan.files), 'file')}, {format_size(scan.total_bytes)}", "heading")]]
    rows += [[(f" {len(found)} of them {'is' if len(found) == 1 else 'are'} metadata (.info, .yaml, .yml)", "")], []]
    for path in found[:METADATA_SHOWN]:
        rows.append([(" ✓ ", "proven"), (cut_middle(escape_for_display(path), max(10, width - 4)), "")])
    if len(found) > METADATA_SHOWN:
        rows.append([(f"   and {format_number(len(found) - METADATA_SHOWN)} more", "weak")])
    if not found:
        rows += [[(f" {'!' if number == 0 else ' '} {text}", "doubtful")] for number, text in enumerate(
            wrap_words("No metadata file is among them: nobody will know later what was measured, and how.", width - 4)
        )]  # fmt: skip
        rows += [[], [(" m writes a small one: title, operator, sample, comment.", "")]]
    return rows


def plan_rows(draft: DepositDraft, command: str, width: int) -> list[Line]:
    """Step 3: exactly what will happen."""
    scan = draft.scan
    assert scan is not None
    verb = "Update" if draft.is_update else "Deposit"
    rows: list[Line] = [[], *labelled_rows(verb, draft.loi, width, "heading"), *source_rows(draft, width)]
    rows += labelled_rows("into", draft.location.title, width)
    rows += labelled_rows("amount", _describe_amount(draft, scan), width)
    if draft.brings_manifest:
        rows += labelled_rows("manifest", "MANIFEST.yaml of the folder is used: it has to list all files", width)
    if draft.is_update:
        rows += labelled_rows("old one", what_becomes_of(draft), width, "doubtful")
    rows += [[], *_remark_rows(refusals_of(draft), "✗", "damaged", width)]
    rows += _remark_rows([remark.text for remark in scan.warnings], "!", "doubtful", width)
    rows += _remark_rows([f"{remark.text} ({remark.rule})" for remark in scan.skipped], "·", "weak", width)
    if not draft.metadata:
        rows += _remark_rows(["It has no metadata file."], "!", "doubtful", width)
    safety = "It appears at once when all files are proven right by the manifest, or not at all."
    rows += labelled_rows("safety", safety, width)
    return [*rows, *labelled_rows("command", command, width, "weak")]


def _describe_amount(draft: DepositDraft, scan: SourceScan) -> str:
    amount = f"{format_count(len(scan.files), 'file')}, {format_size(scan.total_bytes)}"
    return f"{amount}; {format_count(len(draft.metadata), 'metadata file')}"


def refusals_of(draft: DepositDraft) -> list[str]:
    """Why nothing can be deposited as it is; empty when nothing is in the way."""
    scan = draft.scan
    if scan is None:
        return ["The files are still being looked at."]
    refusals = [remark.text for remark in scan.refusals]
    return refusals if scan.files else [*refusals, "There is no file to deposit."]


def _remark_rows(texts: list[str], sign: str, style: str, width: int) -> list[Line]:
    rows: list[Line] = []
    for text in texts[:REMARKS_SHOWN]:
        lines = wrap_words(text, width - 4)
        rows += [[(f" {sign if number == 0 else ' '} {line}", style)] for number, line in enumerate(lines)]
    if len(texts) > REMARKS_SHOWN:
        rows.append([(f"   and {format_number(len(texts) - REMARKS_SHOWN)} more", style)])
    return rows


def progress_rows(job: JobSnapshot, width: int) -> list[Line]:
    """Step 4: the job at work, or how it has ended when that was not well."""
    head: list[Line] = [[], [(f" {escape_for_display(job.title)}   ", "heading"), *state_cells(job)]]
    head += [[(f" {cut_middle(escape_for_display(f'{job.source} → {job.destination}'), width - 2)}", "weak")], []]
    rows: list[Line] = [*head, *job_lines(job, width), []]
    if job.state is JobState.STOPPING:
        return [*rows, [(" Stopping: the running operation comes to its own end first.", "doubtful")]]
    if job.state is JobState.RUNNING and job.is_here and not job.questions:
        return [*rows, [(" Esc leaves this screen; the job goes on, J shows it.", "weak")]]
    if not job.state.is_end:
        return [*rows, *labelled_rows("now", describe_now(job), width, "doubtful")]
    style = "damaged" if job.state is JobState.FAILED else "doubtful"
    rows += labelled_rows("why", job.message, width, style)
    rows += labelled_rows("what to do", job.hint, width) if job.hint else []
    known = "" if job.code == UNSETTLED else "Nothing was deposited. "
    advice = f"{known}r tries again, PgUp goes back."
    return [*rows, [], *([(f" {text}", "")] for text in wrap_words(advice, width))]


def receipt_rows(draft: DepositDraft, job: JobSnapshot, width: int) -> list[Line]:
    """Step 5: what lies there now, and how that was proven."""
    from archive_tui.jobs.kinds.safe_deposits import DepositResult

    result = job.result
    if not isinstance(result, DepositResult):
        return [[], [(f" {line}", "") for line in wrap_words(job.message, width)[:1]]]
    verb = "was there" if result.was_there else "deposited"
    rows: list[Line] = [[], *labelled_rows(verb, result.loi, width, "heading")]
    amount = f"{format_count(result.files, 'file')}, {format_size(result.size)}, as {format_size(result.archive_size)}"
    rows += labelled_rows("amount", amount, width)
    rows += labelled_rows("in", draft.location.title, width)
    rows += labelled_rows("evidence", evidence_sentence(result.evidence), width, "proven")
    rows += labelled_rows("archive", f"SHA-256 {result.archive_digest}", width)
    if result.replaced is not None:
        rows += labelled_rows("replaced", f"kept as old version {result.replaced.number}", width)
    rows += [[], *labelled_rows("get it", command_of(draft.location, "get", result.loi, "--to", ".") or "", width)]
    rows += labelled_rows("command", job.command, width, "weak") if job.command else []
    return rows


def title_words(step: int, titles: tuple[str, ...], width: int) -> list[Cell]:
    """Where the guide is: all steps where there is room for them."""
    if width < 100:
        return [(f"step {step + 1} of {len(titles)}: {titles[step]} ", "heading")]
    words: list[Cell] = []
    for index, title in enumerate(titles):
        words.append((f" {'▸' if index == step else ''}{title}", "heading" if index == step else "weak"))
    return [*words, (" ", "")]
