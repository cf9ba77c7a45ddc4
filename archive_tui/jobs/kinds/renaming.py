"""The kind of job that gives objects and folders other names where they are."""

from __future__ import annotations

from collections.abc import Sequence

from archive_tui.errors import ConfigurationError
from archive_tui.jobs.kind import JobKind, JobResult, JobWork
from archive_tui.jobs.kinds.copying import noting_evidence
from archive_tui.jobs.place_words import (
    check_selection,
    describe_source,
    make_command,
    own_folder,
    place_word,
    selection_words,
)
from archive_tui.jobs.places import Place, name_settings
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.names.quantities import format_count
from archive_tui.operations.renaming import rename_objects


def rename_job(
    place: Place,
    renames: Sequence[tuple[str, str]],
    *,
    base: str = "",
    policy: JobPolicy | None = None,
) -> JobRequest:
    """Renames what lies directly below `base`: each pair is the old and the new name, both with a `/` at their end for
    a folder. Names may be exchanged with each other. Nothing is ever replaced, whatever the policy says.

    The result's value is a RenameReceipt. The command is empty for several names: no command line says the same.

    Raises: ConfigurationError (selection-empty, selection-form, rename-clash).
    """
    olds = [old for old, _ in renames]
    check_selection(base, olds)
    _check_pairs(renames)
    place = own_folder(place)
    command = ""
    if len(renames) == 1:
        new = renames[0][1].rstrip("/")
        # What begins with a dash would be an option.
        words = ["rename", *selection_words(place, base, olds), *(["--"] if new.startswith("-") else []), new]
        command = name_settings(make_command(words), place) if not new.startswith("-") else ""
    return JobRequest(
        kind="rename",
        title=f"rename {renames[0][0]} to {renames[0][1]}"
        if len(renames) == 1
        else f"rename {format_count(len(renames), 'item')}",
        source=describe_source(place, base, olds),
        destination=place_word(place, base) + (renames[0][1] if len(renames) == 1 else ""),
        command=command,
        parameters={"place": dict(place), "base": base, "renames": [list(pair) for pair in renames]},
        policy=policy or JobPolicy(),
    )


def _check_pairs(renames: Sequence[tuple[str, str]]) -> None:
    for side in (0, 1):
        names = [pair[side].rstrip("/") for pair in renames]
        if len(set(names)) != len(names) or "" in names:
            raise ConfigurationError(
                "Two would have the same name, or one none." if side else "A name is there twice, or empty.",
                hint="Nothing was renamed. Choose other names.",
                code="rename-clash",
            )


def _run(work: JobWork) -> JobResult:
    parameters = work.parameters
    opened = work.open_place(parameters["place"])
    renames = [(str(old), str(new)) for old, new in parameters["renames"]]
    with noting_evidence(work, opened) as note:
        receipt = rename_objects(
            opened.store,
            renames,
            base=parameters["base"],
            journal=work.journal,
            report=work.report,
            stop=work.stop,
            note_evidence=note,
        )
    state = JobState.FINDINGS if receipt.finding_count else JobState.FINISHED
    return JobResult(state, receipt.sentence, receipt.findings, receipt)


RENAME = JobKind("rename", _run)
