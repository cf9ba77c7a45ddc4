"""What `manifest --vault`, `--archive` and `--fetch` say: words, statuses, documents, and what they leave behind."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archive_tui.archives.vault import asking, fetching
from archive_tui.archives.vault.outcomes import LineNews, LineResult, Outcome, Tally
from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.cli.manifest_vault_lines import DocumentResults
from archive_tui.errors import StorageUnavailable
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.names.content_address import content_key
from archive_tui.progress import check_stop
from archive_tui.state.database import open_state_database
from archive_tui.state.evidence_table import EvidenceTable
from tests.archives.vault.conftest import digest_of
from tests.cli.conftest import Call, Run

NEVER = digest_of(b"never archived")


@pytest.fixture
def listed(run: Run, workplace: Path) -> Path:
    """Three files in the vault of storage `lab`, and the manifest that lists them."""
    for name, content in {"a.txt": "first\n", "b c.txt": "second\n", "sub/d.txt": "third\n"}.items():
        (workplace / name).parent.mkdir(exist_ok=True)
        (workplace / name).write_text(content)
    with (workplace / "settings.ini").open("a") as settings:
        settings.write("[archive-tui]\nvault = lab\n")
    lines = [f'{digest_of((workplace / name).read_bytes())}  "{name}"\n' for name in ("a.txt", "b c.txt", "sub/d.txt")]
    manifest = workplace / "list.txt"
    manifest.write_text("".join(lines))
    assert run("manifest", "--archive", "--manifest", "list.txt", "--quiet").status == 0
    return manifest


def add_lines(manifest: Path, *lines: str) -> None:
    manifest.write_text(manifest.read_text() + "".join(f"{line}\n" for line in lines))


def key_path(workplace: Path, content: bytes) -> Path:
    return workplace / "archive" / content_key(digest_of(content))


def results(call: Call) -> list[str]:
    return call.out.splitlines()


def test_asking_says_what_it_is_worth(run: Run, listed: Path) -> None:
    call = run("manifest", "--vault", "--manifest", "list.txt")
    assert call.status == 0
    assert results(call)[:3] == [
        "a.txt: in the vault (unchanged since it was verified)",
        "b c.txt: in the vault (unchanged since it was verified)",
        "sub/d.txt: in the vault (unchanged since it was verified)",
    ]
    assert results(call)[3] == "3 of 3 files in the vault lab; 3 unchanged since they were read."


def test_asking_without_records_claims_no_more_than_is_listed(run: Run, listed: Path, isolated_home: Path) -> None:
    state = isolated_home / ".local" / "state" / "archive-tui"
    for path in state.glob("state.sqlite3*"):
        path.unlink()
    call = run("manifest", "--vault", "--manifest", "list.txt")
    assert results(call)[0] == "a.txt: in the vault (listed only, not verified)"
    assert results(call)[3] == "3 of 3 files in the vault lab; 3 listed only."
    assert "verified)" not in call.out.replace("not verified)", "")
    call = run("manifest", "--vault", "--read", "--manifest", "list.txt")
    assert results(call)[0] == "a.txt: in the vault (read and verified)"


def test_what_is_absent_is_a_warning(run: Run, listed: Path) -> None:
    add_lines(listed, f'{NEVER}  "gone"', f'{NEVER}  "gone too"')
    call = run("manifest", "--vault", "--manifest", "list.txt")
    assert call.status == 0
    assert "gone: not in the vault" in results(call)
    assert "archive-tui: WARNING: 2 listed files not in the vault" in call.err
    assert results(call)[-1].endswith("Not so: 2 not in the vault.")
    quiet = run("manifest", "--vault", "--manifest", "list.txt", "--quiet")
    assert results(quiet) == ["gone: not in the vault", "gone too: not in the vault"]
    assert quiet.err == "archive-tui: WARNING: 2 listed files not in the vault\n"


def test_a_damaged_object_is_a_finding(run: Run, listed: Path, workplace: Path) -> None:
    spoilt = key_path(workplace, b"first\n")
    spoilt.chmod(0o644)
    spoilt.write_bytes(b"FIRST\n")
    call = run("manifest", "--vault", "--read", "--manifest", "list.txt")
    assert call.status == 1
    assert "a.txt: damaged" in results(call)
    for part in ("list.txt: 1: ", digest_of(b"first\n"), digest_of(b"FIRST\n"), content_key(digest_of(b"first\n"))):
        assert part in call.err
    (workplace / "a.txt").unlink()
    call = run("manifest", "--fetch", "--manifest", "list.txt")
    assert call.status == 1
    assert results(call)[0] == "a.txt: damaged"
    assert not (workplace / "a.txt").exists()
    assert spoilt.read_bytes() == b"FIRST\n"


def test_archiving_names_what_no_longer_matches(run: Run, listed: Path, workplace: Path) -> None:
    (workplace / "a.txt").write_text("changed since\n")
    (workplace / "new.txt").write_text("new\n")
    add_lines(listed, f'{digest_of(b"new")}  "new.txt"', f'{NEVER}  "missing.txt"')
    key_path(workplace, b"first\n").unlink()
    call = run("manifest", "--archive", "--manifest", "list.txt")
    assert call.status == 1
    assert [line.partition(": ")[2] for line in results(call)[:5]] == [
        "changed", "already there (unchanged since it was verified)",
        "already there (unchanged since it was verified)", "changed", "missing",
    ]  # fmt: skip
    assert "list.txt: 1: " in call.err
    assert "list.txt: 5: " in call.err
    assert results(call)[5].endswith("Not so: 2 changed, 1 missing.")
    assert not key_path(workplace, b"changed since\n").exists()
    assert not key_path(workplace, b"new\n").exists()


def test_archiving_below_a_path(run: Run, listed: Path, workplace: Path) -> None:
    call = run("manifest", "--archive", "--manifest", "list.txt", "--path", "lab:copies/2026")
    assert call.status == 0
    assert results(call)[-1].startswith("3 of 3 files in lab:copies/2026: ")
    call = run("manifest", "--archive", "--manifest", "list.txt", "--path", "lab:copies/2026", "--all")
    assert call.status == 0
    assert (workplace / "archive" / "copies" / "2026" / "sub" / "d.txt").read_text() == "third\n"


def test_fetching(run: Run, listed: Path, workplace: Path) -> None:
    call = run("manifest", "--fetch", "--manifest", "list.txt", "--root", "there")
    assert call.status == 0
    assert results(call)[:3] == ["a.txt: fetched", "b c.txt: fetched", "sub/d.txt: fetched"]
    sentence = "3 of 3 files in there: 3 fetched and verified (19 B), 0 already there with the same content."
    assert results(call)[3] == sentence
    assert (workplace / "there" / "sub" / "d.txt").read_text() == "third\n"
    again = run("manifest", "--fetch", "--manifest", "list.txt", "--root", "there", "--quiet")
    assert (again.status, again.out, again.err) == (0, "", "")


def test_fetching_over_another_file(run: Run, listed: Path, workplace: Path) -> None:
    (workplace / "a.txt").write_text("mine\n")
    call = run("manifest", "--fetch", "--manifest", "list.txt")
    assert call.status == 1
    assert results(call)[:3] == ["a.txt: exists", "b c.txt: already there", "sub/d.txt: already there"]
    assert "list.txt: 1: Something else is there: a.txt" in call.err
    assert "--overwrite" in call.err
    assert (workplace / "a.txt").read_text() == "mine\n"
    assert run("manifest", "--fetch", "--manifest", "list.txt", "--overwrite").status == 0
    assert (workplace / "a.txt").read_text() == "first\n"


def test_fetching_what_is_not_there_and_what_may_not_be_written(run: Run, listed: Path, workplace: Path) -> None:
    add_lines(listed, f'{NEVER}  "gone"', f'{digest_of(b"first" + bytes([10]))}  "/tmp/evil"')
    add_lines(listed, f'{digest_of(b"first" + bytes([10]))}  "../evil"')
    call = run("manifest", "--fetch", "--manifest", "list.txt", "--root", "there")
    assert call.status == 1
    assert results(call)[3:6] == ["gone: not in the vault", "/tmp/evil: refused", "../evil: refused"]
    for part in ("list.txt: 4: ", "list.txt: 5: ", "path-absolute", "list.txt: 6: ", "path-parent"):
        assert part in call.err
    assert sorted(path.name for path in (workplace / "there").iterdir()) == ["a.txt", "b c.txt", "sub"]


@pytest.mark.parametrize("action", ["--vault", "--archive", "--fetch"])
def test_a_manifest_that_is_not_there(run: Run, action: str) -> None:
    call = run("manifest", action, "--manifest", "nowhere.txt")
    assert call.status == 1
    assert call.out == ""
    assert "nowhere.txt" in call.err
    document = run("manifest", action, "--manifest", "nowhere.txt", "--json").document
    assert document["error"]["code"] == "source-not-found"


@pytest.mark.parametrize("action", ["--vault", "--archive", "--fetch"])
@pytest.mark.parametrize("content", ["", "junk\nmore junk\n"])
def test_a_manifest_without_a_good_line(run: Run, workplace: Path, action: str, content: str) -> None:
    (workplace / "junk.txt").write_text(content)
    call = run("manifest", action, "--manifest", "junk.txt")
    assert call.status == 1
    assert "junk.txt: no properly formatted checksum lines found" in call.err
    document = run("manifest", action, "--manifest", "junk.txt", "--json").document
    assert "no properly formatted" in document["error"]["message"]
    assert document["status"] == 1


def test_bad_lines_are_named_by_their_numbers(run: Run, listed: Path) -> None:
    add_lines(listed, *(f"junk {number}" for number in range(30)))
    call = run("manifest", "--vault", "--manifest", "list.txt", "--format", "quoted")
    assert call.status == 0
    warnings = [line for line in call.err.splitlines() if "WARNING" in line]
    assert warnings[0].startswith("archive-tui: WARNING: list.txt: 4: ")
    assert len(warnings) == 21
    assert warnings[20] == "archive-tui: WARNING: list.txt: 10 more lines improperly formatted"
    assert results(call)[-1].endswith("Not so: 30 lines improperly formatted.")


def test_the_document_lists_every_line(run: Run, listed: Path) -> None:
    add_lines(listed, f'{NEVER}  "gone"', "junk")
    call = run("manifest", "--fetch", "--manifest", "list.txt", "--format", "quoted", "--json")
    document: Any = call.document
    assert call.status == document["status"] == 1
    assert [line["outcome"] for line in document["lines"]] == [
        "already there", "already there", "already there", "not in the vault", "improperly formatted",
    ]  # fmt: skip
    assert document["lines"][3]["error"]["code"] == "object-not-found"
    assert document["lines"][3]["sha256"] == NEVER
    assert document["counts"] == {"already there": 3, "not in the vault": 1}
    assert document["bad_lines"] == 1
    assert document["action"] == "fetch"
    quiet = run("manifest", "--fetch", "--manifest", "list.txt", "--format", "quoted", "--json", "--quiet").document
    assert [line["line"] for line in quiet["lines"]] == [4, 5]
    assert quiet["counts"] == document["counts"]


def test_a_name_that_is_no_utf8_in_lines_and_document(run: Run, listed: Path, workplace: Path) -> None:
    with listed.open("ab") as manifest:
        manifest.write(NEVER.encode() + b'  "\xff"\n' + NEVER.encode() + b'  "new\\nline"\n')
    document = run("manifest", "--vault", "--manifest", "list.txt", "--json").document
    assert document["lines"][3]["path_bytes"] == "/w=="
    assert document["lines"][4]["path"] == "new\nline"
    listed.write_text(f'{NEVER}  "new\\nline"\n')
    lines = results(run("manifest", "--vault", "--manifest", "list.txt"))
    assert lines[0] == "\\new\\nline: not in the vault"


def test_names_are_escaped_on_a_terminal(run: Run, listed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed.write_bytes(listed.read_bytes() + NEVER.encode() + b'  "\x1b]0;evil\x07\xe2\x80\xae"\n')
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    call = run("manifest", "--vault", "--manifest", "list.txt")
    assert "\x1b" not in call.out
    assert "\\x1b]0;evil\\x07\\u202e: not in the vault" in call.out


def evidence_of(workplace: Path, content: bytes) -> EvidenceLevel | None:
    database = open_state_database()
    try:
        key = content_key(digest_of(content))
        found = EvidenceTable(database).lookup(f"file://{workplace / 'archive'}", [key])
        return found[key].level if key in found else None
    finally:
        database.close()


def test_evidence_is_recorded(run: Run, listed: Path, workplace: Path, isolated_home: Path) -> None:
    assert evidence_of(workplace, b"first\n") is EvidenceLevel.READ
    for path in (isolated_home / ".local" / "state" / "archive-tui").glob("state.sqlite3*"):
        path.unlink()
    assert evidence_of(workplace, b"first\n") is None
    run("manifest", "--fetch", "--manifest", "list.txt", "--root", "there")
    assert evidence_of(workplace, b"first\n") is EvidenceLevel.READ
    spoilt = key_path(workplace, b"second\n")
    spoilt.chmod(0o644)
    spoilt.write_bytes(b"other")
    run("manifest", "--fetch", "--manifest", "list.txt", "--root", "elsewhere")
    assert evidence_of(workplace, b"second\n") is EvidenceLevel.DAMAGED
    assert run("manifest", "--vault", "--manifest", "list.txt").status == 1


def _break_off(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    def ask(manifest: Any, *others: Any, **options: Any) -> Iterator[LineNews]:
        for number, line in enumerate(manifest.lines()):
            if number == after:
                raise StorageUnavailable("The lab cannot be reached", hint="Check the network.")
            assert isinstance(line, ManifestLine)
            yield LineResult(line, Outcome.HELD)

    monkeypatch.setattr(asking, "ask_vault", ask)
    monkeypatch.setattr(fetching, "fetch_manifest", ask)


@pytest.mark.parametrize(("action", "status"), [("--vault", 3), ("--fetch", 1)])
def test_a_vault_that_vanishes_in_the_middle(
    run: Run, listed: Path, monkeypatch: pytest.MonkeyPatch, action: str, status: int
) -> None:
    _break_off(monkeypatch, 2)
    call = run("manifest", action, "--manifest", "list.txt")
    assert call.status == status
    assert len(results(call)) == 2
    assert "archive-tui: The lab cannot be reached" in call.err
    assert "broke off after 2 lines" in call.err
    document = run("manifest", action, "--manifest", "list.txt", "--json").document
    assert (len(document["lines"]), document["error"]["code"]) == (2, "storage-unavailable")
    assert document["status"] == status
    _break_off(monkeypatch, 0)
    document = run("manifest", action, "--manifest", "list.txt", "--json").document
    assert document == {"error": document["error"], "status": status}


def test_no_vault_to_be_reached(run: Run, workplace: Path, listed: Path) -> None:
    with (workplace / "settings.ini").open("a") as settings:
        settings.write(
            "[far]\nstorage_client = archive_tui.core.AwsStorageClient\nbucket = far-bucket\nlocal_path = work\n"
            "endpoint_url = http://127.0.0.1:9\naws_access_key_id = key\naws_secret_access_key = not-a-secret\n"
        )
    (workplace / "b c.txt").unlink()  # what is there already needs no vault
    (workplace / "sub" / "d.txt").unlink()
    for action, status in (("--vault", 3), ("--fetch", 1)):
        call = run("manifest", action, "--manifest", "list.txt", "--storage", "far")
        assert (action, call.status) == (action, status), call.err
        assert call.out in ("", "a.txt: already there\n")
        assert "not-a-secret" not in call.err


def test_words_that_do_not_go_together(run: Run, listed: Path, workplace: Path) -> None:
    for words in (
        ("--archive", "--all"), ("--vault", "--overwrite"), ("--fetch", "--path", "lab:x"), ("--vault", "--fetch"),
        ("--archive", "--storage", "nobody"), ("--archive", "--path", "nowhere"),
    ):  # fmt: skip
        call = run("manifest", *words, "--manifest", "list.txt")
        assert call.status == 2, words
        assert call.out == ""
    for words in (("--vault", "--storage", ""), ("--archive", "--path", ""), ("--fetch", "--root", "")):
        call = run("manifest", *words, "--manifest", "list.txt")
        assert (call.status, call.out) == (2, ""), words
        assert f"{words[1]} needs a value" in call.err
    for option in ("--manifest", "--format", "--storage", "--root", "--path"):
        call = run("manifest", "--archive", option, "quoted", option, "quoted", "--manifest", "list.txt")
        assert (call.status, call.out) == (2, ""), option
        assert f"{option} can be given once only" in call.err
    assert run("manifest", "--archive", "--manifest", "list.txt", "--root", "nowhere").status == 1
    assert run("manifest", "--fetch", "--manifest", "list.txt", "--root", "settings.ini").status == 1


class Sink(io.RawIOBase):
    written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.written += len(data)
        return len(data)


def test_a_document_of_many_lines_takes_the_memory_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Sink()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(sink)))
    tally = Tally()
    document = DocumentResults({"manifest": "many"}, tally, quiet=False)
    tracemalloc.start()
    try:
        for number in range(20_000):
            news = LineResult(ManifestLine(number, f"name {number}", NEVER), Outcome.HELD)
            tally.add(news)
            document.add(news)
        document.finish("All of them.", ExitStatus.CLEAN)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sink.written > 20_000 * 150
    assert peak < 1 << 20


def test_a_stop_says_how_far_it_came(run: Run, listed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(manifest: Any, *others: Any, stop: threading.Event, **options: Any) -> Iterator[LineNews]:
        for number, line in enumerate(manifest.lines()):
            check_stop(stop)
            assert isinstance(line, ManifestLine)
            yield LineResult(line, Outcome.FETCHED, size=1)
            if number == 1:
                os.kill(os.getpid(), signal.SIGINT)
                while not stop.is_set():
                    threading.Event().wait(0.01)

    monkeypatch.setattr(fetching, "fetch_manifest", fetch)
    call = run("manifest", "--fetch", "--manifest", "list.txt")
    assert call.status == 130
    assert "Stopped after 2 lines: 2 of 2 files" in call.err
    assert "The same command again does the rest." in call.err
    document = run("manifest", "--fetch", "--manifest", "list.txt", "--json").document
    assert (document["status"], document["error"]["code"], len(document["lines"])) == (130, "stopped", 2)
