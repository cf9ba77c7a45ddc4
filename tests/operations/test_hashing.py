import errno
import hashlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archive_tui.errors import OperationStopped, SourceError, SourceNotFound, SourceUnreadable
from archive_tui.operations.hashing import batches as hash_batches
from archive_tui.operations.hashing import workers as hash_workers
from archive_tui.operations.hashing.batches import HashedFile, cut_batches
from archive_tui.operations.hashing.files import count_workers, hash_file, hash_files
from archive_tui.operations.hashing.opened_paths import open_paths
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.operations.hashing.process import HashProcess
from archive_tui.operations.hashing.small_files import LARGER, SmallDigests, hash_small_files
from archive_tui.progress import BytesDone, Event, ItemDone, ItemStarted


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def hash_all(root: Path, paths: list[str], threads: int = 2) -> dict[str, HashedFile]:
    found = list(hash_files(root, paths, threads=threads))
    assert sorted(item.path for item in found) == sorted(paths)
    return {item.path: item for item in found}


@pytest.fixture(autouse=True)
def nothing_is_left_running() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@pytest.fixture(name="tree")
def make_tree(tmp_path: Path) -> dict[str, bytes]:
    contents = {f"d{number % 7}/s{number}": b"%d" % number * (number % 50) for number in range(400)}
    contents |= {
        "large": b"L" * 3_000_000,
        "d1/middle": b"M" * 300_000,
        "edge": b"E" * (256 << 10),
        "e\u0301/\u6f22": b"x",
    }
    for path, content in contents.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    return contents


def test_one_file(tmp_path: Path) -> None:
    content = os.urandom(1 << 20) * 9
    (tmp_path / "f").write_bytes(content)
    counts: list[int] = []
    assert hash_file(tmp_path / "f", done=counts.append) == (digest_of(content), len(content))
    assert counts[-1] == len(content)
    (tmp_path / "link").symlink_to("f")
    assert hash_file(str(tmp_path / "link"))[1] == len(content)


def test_one_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceNotFound) as caught:
        hash_file(tmp_path / "absent")
    assert isinstance(caught.value, FileNotFoundError)
    with pytest.raises(SourceError):
        hash_file(tmp_path)

    def refuse(*arguments: object, **options: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(SourceUnreadable):
        hash_file(tmp_path / "f")


def test_one_file_stops(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(bytes(20 << 20))
    stop = threading.Event()
    with pytest.raises(OperationStopped):
        hash_file(tmp_path / "f", done=lambda count: stop.set(), stop=stop)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_every_path_is_hashed_once(threads: int, tree: dict[str, bytes], tmp_path: Path) -> None:
    found = hash_all(tmp_path, list(tree), threads)
    for path, content in tree.items():
        assert found[path] == HashedFile(path, len(content), digest_of(content), None)


@pytest.fixture(name="eager")
def start_processes_at_once(monkeypatch: pytest.MonkeyPatch) -> list[HashProcess[Any]]:
    """Small batches, and other processes from the first of them on; the list is of those."""
    started: list[HashProcess[Any]] = []
    real = HashProcess.__init__

    def note(self: HashProcess[Any], *arguments: Any, **options: Any) -> None:
        real(self, *arguments, **options)
        started.append(self)

    monkeypatch.setattr(HashProcess, "__init__", note)
    monkeypatch.setattr(hash_workers, "PROCESSES_AFTER", 0)
    monkeypatch.setattr(hash_batches, "BATCH_FILES", 16)
    return started


@pytest.mark.parametrize("in_order", [True, False])
@pytest.mark.parametrize("follow", [True, False])
def test_several_processes_give_the_same(
    follow: bool, in_order: bool, tree: dict[str, bytes], tmp_path: Path, eager: list[HashProcess[Any]]
) -> None:
    paths = sorted(tree) * 3
    found = list(hash_files(tmp_path, paths, threads=3, follow_symlinks=follow, in_order=in_order))
    assert len(eager) == 2
    if in_order:
        assert [item.path for item in found] == paths
    assert sorted(item.path for item in found) == sorted(paths)
    assert {item.path: item.digest for item in found} == {path: digest_of(content) for path, content in tree.items()}


def test_other_processes_do_hash(tree: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> object:
        raise AssertionError("hashed here")

    monkeypatch.setattr(hash_workers, "PROCESSES_AFTER", 0)
    monkeypatch.setattr(hash_workers, "hash_small_files", refuse)
    assert all(item.digest for item in hash_all(tmp_path, list(tree)[:100], 2).values())


def test_without_other_processes_it_works_as_well(
    tree: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hash_workers, "PROCESSES_AFTER", 0)
    monkeypatch.setattr(sys, "executable", "")
    assert all(item.digest for item in hash_all(tmp_path, list(tree), 3).values())


@pytest.mark.parametrize("dies_after", [0, 1, 5])
def test_a_process_that_dies_costs_nothing(
    dies_after: int, tree: dict[str, bytes], tmp_path: Path, eager: list[HashProcess[Any]]
) -> None:
    found = hash_files(tmp_path, sorted(tree), threads=3, in_order=True)
    digests = {}
    for position, item in enumerate(found):
        digests[item.path] = item.digest
        if position == dies_after * 16:
            for process in eager:
                process._process.kill()
                process._process.wait()
    assert eager
    assert list(digests.items()) == [(path, digest_of(tree[path])) for path in sorted(tree)]


def test_a_process_that_cannot_even_begin_costs_nothing(
    tree: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eager: list[HashProcess[Any]]
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert all(item.digest for item in hash_all(tmp_path, sorted(tree), 3).values())
    assert eager


def ask_process(process: HashProcess[str], names: list[bytes]) -> SmallDigests:
    process.ask("task", b"\0".join(names))
    while True:
        select.select([process.reader], [process.writer] if process.has_unsent else [], [], 10)
        process.send()
        for task, answer in process.take_answers():
            assert task == "task"
            return answer


@pytest.mark.parametrize("follow", [True, False])
def test_the_other_process_answers_as_the_function(follow: bool, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "x").write_bytes(b"x")
    (tmp_path / "d" / "large").write_bytes(b"x" * 200_001)
    (tmp_path / os.fsdecode(b"\xff\n")).write_bytes(b"odd")
    (tmp_path / "link").symlink_to("d")
    names = [b"d/x", b"d/absent", b"link/x", b"\xff\n", b"link", b"nowhere/y", b"d/large", b"", b"d/../d/./x"]
    process: HashProcess[str] = HashProcess(os.fspath(tmp_path), follow_symlinks=follow, largest=200_000)
    try:
        answer = ask_process(process, names)
    finally:
        process.close()
    assert answer == hash_small_files(open_paths(os.fspath(tmp_path), follow_symlinks=follow), names, largest=200_000)
    sizes, digests, errors, changed = answer
    assert not changed
    assert sizes == [1, 0, int(follow), 3, 0, 0, 200_001, 0, 1]
    assert digests[:32].hex() == digest_of(b"x")
    assert digests[96:128].hex() == digest_of(b"odd")
    others = {4: errno.EISDIR} if follow else {2: errno.ENOTDIR, 4: errno.ELOOP}
    assert errors == {1: errno.ENOENT, 5: errno.ENOENT, 6: LARGER, 7: errno.ENOENT} | others


def test_the_other_process_imports_nothing_of_weight() -> None:
    script = "import sys; import archive_tui.operations.hashing.serving; print(*sys.modules)"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, cwd=root, text=True, check=True)
    assert {"typing", "dataclasses", "re", "contextlib", "hashlib", "subprocess"} & set(done.stdout.split()) == set()


def test_the_other_process_dies_with_its_parent(tmp_path: Path) -> None:
    script = (
        "from archive_tui.operations.hashing.process import HashProcess; import time;"
        f"p = HashProcess({str(tmp_path)!r}, follow_symlinks=True, largest=1); p.ask(1, b'x');"
        "print(p._process.pid, flush=True); time.sleep(60)"
    )
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=root, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    deadline = time.monotonic() + 10
    while _is_running(child):
        assert time.monotonic() < deadline, "the process outlives its parent"
        time.sleep(0.02)


def _is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_what_cannot_be_read_is_yielded_with_its_error(tree: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("large")
    (tmp_path / "linked").symlink_to("d1")
    os.mkfifo(tmp_path / "pipe")
    paths = ["absent", "link", "pipe", "d1", "linked/middle", "none/x", "large/x", "large"]
    found = hash_all(tmp_path, paths)
    numbers = {path: item.error.errno if item.error else None for path, item in found.items()}
    assert numbers == {
        "absent": errno.ENOENT,
        "link": errno.ELOOP,
        "pipe": errno.EINVAL,
        "d1": errno.EISDIR,
        "linked/middle": errno.ENOTDIR,
        "none/x": errno.ENOENT,
        "large/x": errno.ENOTDIR,
        "large": None,
    }
    assert all(item.error is None or item.error.strerror for item in found.values())


def test_a_large_file_that_fails_half_way_is_an_error(
    tree: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.readv

    def fail(descriptor: int, buffers: list[memoryview]) -> int:
        if os.fstat(descriptor).st_size == 3_000_000:
            raise OSError(errno.EIO, "Input/output error")
        return real(descriptor, buffers)

    monkeypatch.setattr(os, "readv", fail)
    found = hash_all(tmp_path, ["large", "d1/middle", "edge"])
    error = found["large"].error
    assert error is not None
    assert error.errno == errno.EIO
    assert found["d1/middle"].digest
    assert found["edge"].digest


def test_no_paths() -> None:
    assert list(hash_files(Path("/nonexistent"), [])) == []


def test_paths_may_come_one_by_one(tree: dict[str, bytes], tmp_path: Path) -> None:
    assert len(list(hash_files(tmp_path, iter(tree), threads=2))) == len(tree)


def test_an_error_of_the_paths_is_raised_here(tree: dict[str, bytes], tmp_path: Path) -> None:
    def paths() -> Iterator[str]:
        yield from tree
        raise RuntimeError("no more paths")

    with pytest.raises(RuntimeError, match="no more paths"):
        list(hash_files(tmp_path, paths(), threads=2))


def test_many_files_stop(tree: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hash_batches, "BATCH_FILES", 8)
    stop = threading.Event()
    found = hash_files(tmp_path, list(tree) * 50, stop=stop, threads=2)
    next(found)
    stop.set()
    with pytest.raises(OperationStopped):
        for _ in range(len(tree) * 50):
            next(found)


def test_a_consumer_may_leave_early(tree: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hash_batches, "BATCH_FILES", 1)
    found = hash_files(tmp_path, list(tree) * 5, threads=3)
    next(found)
    found.close()  # type: ignore[attr-defined]


def test_progress_is_told_in_totals(tree: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "huge").write_bytes(bytes(30 << 20))
    events: list[Event] = []
    total = sum(map(len, tree.values())) + (30 << 20)
    list(hash_files(tmp_path, [*tree, "huge", "absent"], report=events.append, threads=2, phase="verify"))
    assert {event.phase for event in events if not isinstance(event, type(None))} == {"verify"}  # type: ignore[union-attr]
    assert ItemStarted("verify", "huge", 30 << 20) in events
    assert [event.total for event in events if isinstance(event, BytesDone)][-1] == total
    assert [event.items_total for event in events if isinstance(event, ItemDone)][-1] == len(tree) + 2


def test_many_files_are_few_events(tree: dict[str, bytes], tmp_path: Path) -> None:
    events: list[Event] = []
    begun = time.monotonic()
    list(hash_files(tmp_path, list(tree) * 10, report=events.append, threads=2))
    assert len(events) <= 2 * ((time.monotonic() - begun) / 0.05 + 4)


def test_a_paced_report_goes_back_when_an_item_fails() -> None:
    events: list[Event] = []
    report = PacedReport(events.append, "p")
    report.set_partial("a", 100)
    report.end_partial("a")
    report.add(0, 1, "a")
    report.flush()
    assert events == [BytesDone("p", 100), BytesDone("p", 0), ItemDone("p", "a", 1)]


def test_batches_keep_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hash_batches, "BATCH_FILES", 4)
    batches = [batch.paths for batch in cut_batches(iter(["a", "b/c", "b/d", "b/e/f", "b/g", "h"]))]
    assert batches == [["a", "b/c", "b/d", "b/e/f"], ["b/g", "h"]]


def test_the_number_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)))
    assert count_workers() == 4
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3})
    assert count_workers() == 1
    assert (count_workers(7), count_workers(0)) == (7, 1)
