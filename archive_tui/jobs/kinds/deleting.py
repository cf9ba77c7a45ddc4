"""The kind of job that deletes objects: never a published version, its manifest, or a content of a vault."""

from __future__ import annotations

from collections.abc import Sequence

from archive_tui.jobs.kind import JobKind, JobResult, JobWork
from archive_tui.jobs.place_words import (
    check_selection,
    describe_selection,
    describe_source,
    make_command,
    own_folder,
    selection_words,
)
from archive_tui.jobs.places import Place, name_settings
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.operations.deleting import delete_objects


def delete_job(
    place: Place,
    names: Sequence[str],
    *,
    base: str = "",
    confirmed: int | None = None,
    policy: JobPolicy | None = None,
) -> JobRequest:
    """Deletes what the names mean below `base` (see `jobs.place_words`). `confirmed` is the number of objects that
    somebody has seen and agreed to: when there are more by then, nothing is deleted; None: whatever there is.

    The result's value is a DeleteReceipt. The command asks before it deletes.

    Raises: ConfigurationError when nothing is chosen.
    """
    check_selection(base, names)
    place = own_folder(place)
    return JobRequest(
        kind="delete",
        title=f"delete {describe_selection(place, base, names)}",
        source=describe_source(place, base, names),
        destination="",
        command=name_settings(make_command(["delete", *selection_words(place, base, names)]), place),
        parameters={"place": dict(place), "base": base, "names": list(names), "confirmed": confirmed},
        policy=policy or JobPolicy(),
    )


def _run(work: JobWork) -> JobResult:
    parameters = work.parameters
    opened = work.open_place(parameters["place"])
    receipt = delete_objects(
        opened.store,
        parameters["names"],
        base=parameters["base"],
        confirmed=parameters["confirmed"],
        journal=work.journal,
        report=work.report,
        stop=work.stop,
    )
    state = JobState.FINDINGS if receipt.finding_count else JobState.FINISHED
    return JobResult(state, receipt.sentence, receipt.findings, receipt)


DELETE = JobKind("delete", _run)
