from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from archive_tui.archives.vault.outcomes import Outcome
from archive_tui.archives.vault.pruning import ManifestReferences, batch, guard, plan_prune, pruning
from archive_tui.archives.vault.pruning.mark_document import PruneMarks
from archive_tui.errors import ArchiveError, ConfigurationError, ManifestError, OperationStopped, StorageError
from archive_tui.objects.object_store import ObjectStore
from tests.archives.vault.conftest import AZURITE, FOLDER, MEMORY, RCLONE, SEAWEEDFS, digest_of, small_contents
from tests.archives.vault.pruning.conftest import DAY, GRACE, Scene
from tests.jobs.kinds.job_work import MemoryJournal

KEPT = {"keep/a": b"a", "keep/b": b"b"}
LOST = {"lost/x": b"x", "lost/y": b"y", "lost/z": b"z"}

everywhere = pytest.mark.parametrize("place", [FOLDER, SEAWEEDFS, AZURITE], indirect=True)
in_memory = pytest.mark.parametrize("place", [MEMORY], indirect=True)


@everywhere
def test_what_stays_unreferenced_is_deleted_after_the_grace_time_and_nothing_else(scene: Scene) -> None:
    scene.archive(KEPT | LOST)
    other = scene.vault.prefix + "ab/cd/README"
    scene.store.put(other, [b"no content"])
    keep = scene.write_manifest(KEPT)
    first = scene.prune(keep)
    assert (first.marked, first.deleted, first.waiting) == (3, 0, 3)
    scene.wait(GRACE - DAY)
    assert scene.prune(keep).deleted == 0
    scene.wait(DAY + 60)
    plan = plan_prune(scene.vault, ManifestReferences([keep]), grace=GRACE, clock=scene.clock)
    assert {each.digest for each in plan.ripe} == scene.digests(LOST)
    assert scene.held() >= scene.digests(KEPT | LOST)  # a plan changes nothing
    last = scene.prune(keep)
    assert (last.deleted, last.waiting, last.failed) == (3, 0, 0)
    assert last.bytes == 3
    assert scene.held() == scene.digests(KEPT) | {"abcdREADME"}
    assert scene.archive(KEPT | LOST) == [Outcome.ALREADY_THERE] * 2 + [Outcome.UPLOADED] * 3
    assert scene.book.load().marks == PruneMarks()


@everywhere
def test_what_is_archived_again_loses_its_mark(scene: Scene) -> None:
    scene.archive(KEPT | LOST)
    keep = scene.write_manifest(KEPT)
    scene.prune(keep)
    scene.wait(GRACE + 60)
    assert scene.archive({"other/name": b"x"}) == [Outcome.ALREADY_THERE]
    assert scene.book.load().marks.marked == scene.digests(LOST) - {digest_of(b"x")}
    done = scene.prune(keep)
    assert (done.deleted, done.marked) == (2, 1)
    assert digest_of(b"x") in scene.held()


@everywhere
def test_what_lies_there_for_a_short_time_stays_whatever_its_mark_says(scene: Scene) -> None:
    """Programs that know nothing of marks put contents, too."""
    scene.archive(LOST)
    keep = scene.write_manifest(KEPT)
    scene.prune(keep)
    scene.wait(GRACE + 60)
    key = scene.vault.key(digest_of(b"x"))
    scene.place.store.delete(key)
    scene.store.put(key, [b"x"])
    assert scene.prune(keep).deleted == 2
    assert scene.held() == {digest_of(b"x")}


@in_memory
def test_what_is_put_anew_after_the_claim_stays(scene: Scene) -> None:
    scene.archive(LOST)
    keep = scene.write_manifest(KEPT)
    scene.prune(keep)
    scene.wait(GRACE + 60)
    key = scene.vault.key(digest_of(b"x"))

    def put_anew(what: str, its_key: str) -> None:
        if (what, its_key) == ("info", key):
            scene.store.before = lambda what, key: None
            scene.store.put(key, [b"x"], overwrite=True)

    scene.store.before = put_anew
    done = scene.prune(keep)
    assert (done.deleted, done.spared) == (2, 1)
    assert scene.held() == {digest_of(b"x")}


@in_memory
@pytest.mark.parametrize(("store_turns", "here_turns"), [(-3 * GRACE, GRACE), (GRACE, -3 * GRACE), (9 * GRACE, 0.0)])
def test_one_clock_alone_never_deletes(store_turns: float, here_turns: float, scene: Scene) -> None:
    scene.archive(LOST)
    keep = scene.write_manifest(KEPT)
    scene.prune(keep)
    scene.store.later += store_turns
    scene.clock_here += here_turns
    assert scene.prune(keep).deleted == 0
    assert scene.held() == scene.digests(LOST)


@in_memory
def test_a_manifest_that_comes_to_refer_to_it_keeps_it(scene: Scene) -> None:
    scene.archive(LOST)
    keep = scene.write_manifest(KEPT)
    scene.prune(keep)
    scene.wait(GRACE + 60)
    added = scene.write_manifest(KEPT | {"found": b"x"}, "more.sha256")
    done = scene.prune(keep, added)
    assert (done.unmarked, done.deleted) == (1, 2)

    scene.archive(LOST)
    scene.prune(keep)
    scene.wait(GRACE + 60)

    def write_line(what: str, key: str) -> None:
        if what == "list":  # all manifests have been read by now
            scene.write_manifest(KEPT | {"found": b"y"})

    scene.store.before = write_line
    done = scene.prune(keep)
    assert (done.deleted, done.spared) == (2, 1)
    assert digest_of(b"y") in scene.held()


@in_memory
def test_at_every_step_of_a_prune_whoever_archives_loses_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Either archiving says that it cannot be done now, or the contents are there when all is over."""
    monkeypatch.setattr(guard, "WAIT_SECONDS", 0.0)
    monkeypatch.setattr(guard, "LOOK_EVERY", 0.0)
    keep = scene.write_manifest(KEPT)
    outcomes = []
    for step in range(60):
        scene.archive(KEPT | LOST)
        scene.prune(keep)
        scene.wait(GRACE + 60)
        outcomes.append(_archive_at(scene, keep, step))
        assert scene.held() >= scene.digests(KEPT)
        if outcomes[-1] is None:
            break
        if outcomes[-1] == "archived":
            assert scene.held() >= scene.digests(LOST), f"step {step}"
    assert outcomes[-1] is None, "there are more steps"
    assert {"archived", "prune-under-way"} <= set(outcomes)


def _archive_at(scene: Scene, keep: Path, step: int) -> str | None:
    """Prunes, and archives before that step; None: there are not so many."""
    lock, count, outcome = threading.Lock(), 0, None

    def interrupt(what: str, key: str) -> None:
        nonlocal count, outcome
        with lock:
            count += 1
            if count - 1 != step:
                return
        scene.store.before = lambda what, key: None
        try:
            scene.archive(LOST)
            outcome = "archived"
        except ArchiveError as error:
            outcome = error.code

    scene.store.before = interrupt
    try:
        scene.prune(keep)
    finally:
        scene.store.before = lambda what, key: None
    return outcome


@in_memory
def test_at_every_step_of_archiving_a_prune_takes_nothing_of_it(scene: Scene) -> None:
    """Also when what it has listed is deleted before it comes to it."""
    lost = small_contents(20)
    keep = scene.write_manifest(KEPT)
    for step in range(200):
        scene.archive(KEPT | lost)
        scene.prune(keep)
        scene.wait(GRACE + 60)
        done = 0

        def interrupt(what: str, key: str, step: int = step) -> None:
            nonlocal done
            done += 1
            if done - 1 == step:
                scene.store.before = lambda what, key: None
                scene.prune(keep)

        scene.store.before = interrupt
        scene.archive(lost)
        scene.store.before = lambda what, key: None
        assert scene.held() >= scene.digests(KEPT | lost), f"step {step}"
        if done <= step:
            return
    pytest.fail("there are more steps")


class Killed(BaseException):
    """Nothing of the program runs behind it."""


@everywhere
def test_a_run_that_dies_goes_on_and_its_claim_is_its_own(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "WAIT_SECONDS", 0.0)
    scene.archive(KEPT | LOST)
    keep = scene.write_manifest(KEPT)
    scene.prune(keep)
    scene.wait(GRACE + 60)
    journal = MemoryJournal()

    def die(what: str, key: str) -> None:
        if what == "delete":
            raise Killed

    scene.store.after = die
    with pytest.raises(Killed):
        scene.prune(keep, journal=journal)
    scene.store.after = lambda what, key: None
    with pytest.raises(StorageError) as raised:
        scene.archive(LOST)
    assert raised.value.code == "prune-under-way"
    assert scene.prune(keep).deleted == 0  # by another run: what is claimed is not its own
    done = scene.prune(keep, journal=journal)
    assert done.deleted + done.gone_before == 3
    assert scene.held() == scene.digests(KEPT)
    scene.archive(LOST)
    assert scene.held() == scene.digests(KEPT | LOST)


@in_memory
def test_a_claim_that_nobody_has_touched_for_an_hour_is_taken_over(scene: Scene) -> None:
    scene.archive(LOST)
    keep = scene.write_manifest(KEPT)
    scene.prune(keep)
    scene.wait(GRACE + 60)
    scene.book.change(lambda marks: marks.claiming("dead", marks.marked))
    assert scene.prune(keep).deleted == 0
    scene.wait(pruning.STALE_CLAIM - 60)
    assert scene.prune(keep).deleted == 0
    scene.wait(120)
    assert scene.prune(keep).deleted == 3


@in_memory
def test_many_are_stopped_and_gone_on_with(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "LEAST_BATCH", 100)
    many = small_contents(1200)
    for content in many.values():
        scene.place.store.put(scene.vault.key(digest_of(content)), [content])
    scene.archive(KEPT)
    keep = scene.write_manifest(KEPT)
    scene.prune(keep)
    scene.wait(GRACE + 60)
    journal, stop, count = MemoryJournal(), threading.Event(), 0

    def stop_soon(what: str, key: str) -> None:
        nonlocal count
        count += what == "delete"
        if count == 550:
            stop.set()

    scene.store.before = stop_soon
    with pytest.raises(OperationStopped):
        scene.prune(keep, journal=journal, stop=stop)
    scene.store.before = lambda what, key: None
    left = len(scene.held()) - len(KEPT)
    assert 0 < left < 1200
    assert not scene.book.load().marks.claimed
    done = scene.prune(keep, journal=journal)
    assert (done.deleted, done.gone_before, done.waiting) == (left, 1200 - left, 0)
    assert scene.held() == scene.digests(KEPT)


@in_memory
def test_a_claim_that_has_grown_old_is_made_anew(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process may have been asleep after its claim."""
    scene.archive(KEPT | LOST)
    keep = scene.write_manifest(KEPT)
    scene.prune(keep)
    scene.wait(GRACE + 60)
    claims = 0

    def fall_asleep(what: str, key: str) -> None:
        nonlocal claims
        is_claim = what == "put" and key == scene.book.key and scene.book.load().marks.claimed
        claims += bool(is_claim)
        monkeypatch.setattr(batch, "CLAIM_SECONDS", 600.0 if claims > 1 else -1.0)

    scene.store.after = fall_asleep
    done = scene.prune(keep)
    assert (claims, done.deleted, done.spared, done.waiting) == (2, 3, 0, 0)
    assert scene.held() == scene.digests(KEPT)


@in_memory
def test_more_than_was_agreed_to_is_not_deleted(scene: Scene) -> None:
    scene.archive(LOST)
    keep = scene.write_manifest(KEPT)
    scene.prune(keep)
    scene.wait(GRACE + 60)
    with pytest.raises(StorageError) as raised:
        scene.prune(keep, confirmed=2)
    assert raised.value.code == "prune-changed"
    assert scene.held() == scene.digests(LOST)


@in_memory
def test_one_that_cannot_be_deleted_is_a_finding(scene: Scene) -> None:
    scene.archive(LOST)
    keep = scene.write_manifest(KEPT)
    scene.prune(keep)
    scene.wait(GRACE + 60)

    def refuse(what: str, key: str) -> None:
        if what == "delete" and key == scene.vault.key(digest_of(b"x")):
            raise StorageError("under a retention rule", key=key)

    scene.store.before = refuse
    done = scene.prune(keep)
    assert (done.deleted, done.failed, done.waiting) == (2, 1, 1)
    assert "retention rule" in done.findings[0].detail
    assert done.sentence.startswith("Not everything could be deleted: deleted 2 contents")


@pytest.mark.parametrize("place", [FOLDER, RCLONE], indirect=True)
def test_damaged_marks_are_refused_by_both_sides(scene: Scene) -> None:
    scene.archive(LOST)
    keep = scene.write_manifest(KEPT)
    if scene.place.kind == RCLONE:
        with pytest.raises(ConfigurationError) as refused:
            scene.prune(keep)
        assert refused.value.code == "prune-unsafe"
        return
    scene.prune(keep)
    whole = json.loads(b"".join(_read(scene.place.store, scene.book.key)))
    for content in (b"", b"{", b"[]", json.dumps({**whole, "version": 2}).encode(), b'{"rounds": 1}'):
        scene.place.store.put(scene.book.key, [content], overwrite=True)
        for call in (lambda: scene.prune(keep), lambda: scene.archive(LOST)):
            with pytest.raises(ManifestError) as raised:
                call()
            assert raised.value.code == "prune-marks"
    assert scene.held() == scene.digests(LOST)


def _read(store: ObjectStore, key: str) -> list[bytes]:
    with store.open(key) as reader:
        return [reader.read()]
