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
from archive_tui.operations.deleting import delete_objects, trash_objects


def delete_job(
    place: Place,
    names: Sequence[str],
    *,
    base: str = "",
    confirmed: int | None = None,
    to_trash: bool = False,
    policy: JobPolicy | None = None,
) -> JobRequest:
    """Deletes what the names mean below `base` (see `jobs.place_words`). `confirmed` is the number of objects that
    somebody has seen and agreed to: when there are more by then, nothing is deleted; None: whatever there is.
    `to_trash`: into the trash of this machine, or of a store that keeps earlier versions so that they remain (see
    `operations.trash`); where there is neither, the job fails and deletes nothing.

    The result's value is a DeleteReceipt. The command asks before it deletes.

    Raises: ConfigurationError when nothing is chosen.
    """
    check_selection(base, names)
    place = own_folder(place)
    words = ["delete", *selection_words(place, base, names)]
    return JobRequest(
        kind="delete",
        title=f"delete {describe_selection(place, base, names)}{' to the trash' if to_trash else ''}",
        source=describe_source(place, base, names),
        destination="",
        command=name_settings(make_command(words, ["--trash"] if to_trash else []), place),
        parameters={
            "place": dict(place),
            "base": base,
            "names": list(names),
            "confirmed": confirmed,
            "to_trash": to_trash,
        },
        policy=policy or JobPolicy(),
    )


def _run(work: JobWork) -> JobResult:
    parameters = work.parameters
    opened = work.open_place(parameters["place"])
    delete = trash_objects if parameters.get("to_trash") else delete_objects  # older releases did not ask
    receipt = delete(
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
