"""The kind of job that moves objects from one place to another: copied, proven, and only then deleted at the source."""

from __future__ import annotations

from collections.abc import Sequence

from archive_tui.conflicts import ConflictRule
from archive_tui.jobs.kind import JobKind, JobResult, JobWork
from archive_tui.jobs.kinds.copying import keep_parts, noting_evidence
from archive_tui.jobs.place_words import (
    check_selection,
    describe_selection,
    describe_source,
    make_command,
    own_folder,
    place_word,
    selection_words,
)
from archive_tui.jobs.places import Place, name_settings
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.operations.copying import plan_copy
from archive_tui.operations.moving import MoveReceipt, move_objects


def move_job(
    source: Place,
    names: Sequence[str],
    target: Place,
    *,
    base: str = "",
    into: str = "",
    policy: JobPolicy | None = None,
) -> JobRequest:
    """Moves what the names mean below `base` (see `jobs.place_words`) to the same names below `into`.

    A name that ends in `/` keeps its own name at the target, the empty name does not: `names=["a/"]` makes `into/a/…`.
    Plain folders are taken for a person's own. The result's value is a MoveReceipt.

    Raises: ConfigurationError when nothing is chosen.
    """
    check_selection(base, names)
    into = f"{into.rstrip('/')}/" if into.strip("/") else ""
    source, target = own_folder(source), own_folder(target)
    policy = policy or JobPolicy()
    words = ["move", *selection_words(source, base, names), place_word(target, into)]
    rule = [] if policy.conflicts is ConflictRule.KEEP else ["--on-conflict", str(policy.conflicts)]
    return JobRequest(
        kind="move",
        title=f"move {describe_selection(source, base, names)} to {place_word(target, into)}",
        source=describe_source(source, base, names),
        destination=place_word(target, into),
        command=name_settings(make_command(words, rule), source, target),
        parameters={
            "source": dict(source),
            "base": base,
            "names": list(names),
            "target": dict(target),
            "into": into,
        },
        policy=policy,
    )


def _run(work: JobWork) -> JobResult:
    parameters = work.parameters
    source, target = work.open_place(parameters["source"]), work.open_place(parameters["target"])
    plan = plan_copy(source.store, parameters["names"], target.store, parameters["into"], base=parameters["base"])
    with noting_evidence(work, target) as note:
        receipt = move_objects(
            plan,
            journal=work.journal,
            resolve=work.resolve,
            report=work.report,
            stop=work.stop,
            note_evidence=note,
            parts=keep_parts(work.journal, parameters["target"]),
        )
    return JobResult(_state_of(receipt), receipt.sentence, receipt.findings, receipt)


def _state_of(receipt: MoveReceipt) -> JobState:
    if receipt.undecided:
        return JobState.UNDECIDED
    if receipt.finding_count:
        return JobState.FINDINGS
    return JobState.VERIFIED if receipt.weakest else JobState.FINISHED


MOVE = JobKind("move", _run)
