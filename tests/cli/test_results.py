"""`archive-tui store`: results of an analysis checked in, listed, checked out and verified from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

ROOT = ("--root", "results")
MD5 = "b1946ac92492d2347c6235b4d2611184"


@pytest.fixture
def made(run: Run, workplace: Path) -> Path:
    (workplace / "f1.txt").write_text("hello\n")
    (workplace / "chains.dat").write_bytes(bytes(range(256)) * 4000)
    call = run("store", "init", "--name", "GW results", *ROOT)
    assert (call.status, call.out) == (0, f"Made: GW results, folder {workplace}/results\n")
    return workplace / "results"


@pytest.fixture
def filled(run: Run, made: Path) -> Path:
    assert run("store", "store", "S0", "Prod0", "f1.txt", "chains.dat", *ROOT).status == 0
    return made


def test_the_whole_way(run: Run, filled: Path, workplace: Path) -> None:
    call = run("store", "info", *ROOT)
    assert call.out.splitlines()[0] == "name   GW results"
    assert "1 event, 1 production, 2 files, 1.0 MB" in call.out
    lines = run("store", "list", "S0", "Prod0", *ROOT).out.splitlines()
    assert lines[0].split() == ["Resource", "Hash", "UUID", "Size"]
    resource, md5, uuid, *_ = lines[2].split()
    assert (resource, md5) == ("f1.txt", MD5)
    for options in ((), ("--hash", MD5)):
        call = run("store", "fetch", "S0", "Prod0", "f1.txt", *options, *ROOT)
        assert (call.status, call.out) == (0, f"{filled}/S0/Prod0/{uuid}\n")
    call = run("store", "fetch", "S0", "Prod0", "chains.dat", "--to", "out", *ROOT)
    assert (workplace / "out" / "chains.dat").read_bytes() == (workplace / "chains.dat").read_bytes()
    call = run("store", "verify", *ROOT)
    assert (call.status, call.out.splitlines()[0]) == (0, "Verified: 2 of 2 files, all bytes")


def test_the_same_as_documents(run: Run, filled: Path) -> None:
    assert run("store", "info", *ROOT, "--json").document["files"] == 2
    row = run("store", "list", "S0", *ROOT, "--json").document["files"][1]
    assert (row["event"], row["production"], row["file"], row["hash"], row["size"]) == ("S0", "Prod0", "f1.txt", MD5, 6)
    assert run("store", "fetch", "S0", "Prod0", "f1.txt", *ROOT, "--json").document["evidence"]["level"] == "read"
    done = run("store", "store", "S0", "Prod0", "f1.txt", *ROOT, "--json").document
    assert (done["files"], done["same"], done["status"]) == ([], 1, 0)


def test_what_is_refused_is_named_and_the_rest_goes_in(run: Run, filled: Path, workplace: Path) -> None:
    (workplace / "new.dat").write_text("new")
    call = run("store", "store", "S0", "Prod1", "f1.txt", "new.dat", "nowhere.dat", *ROOT)
    assert call.status == 1
    assert "The same content is in" in call.out and "No such file" in call.out
    assert "1 file checked in, 3 B; 2 not checked in" in call.out
    call = run("store", "store", "S0", "Prod1", "f1.txt", "--allow-duplicate", "--name", "again.txt", *ROOT)
    assert (call.status, call.out.split()[2]) == (0, "again.txt")
    (workplace / "f1.txt").write_text("other")
    call = run("store", "store", "S0", "Prod0", "f1.txt", *ROOT)
    assert call.status == 1 and "Exists already" in call.out


def test_damage_is_found(run: Run, filled: Path, workplace: Path) -> None:
    path = Path(run("store", "fetch", "S0", "Prod0", "f1.txt", *ROOT).out.strip())
    path.chmod(0o644)
    path.write_text("HELLO\n")
    call = run("store", "verify", *ROOT)
    assert call.status == 1
    assert "✗ changed    S0/Prod0/f1.txt" in call.out and "w writable   S0/Prod0/f1.txt" in call.out
    call = run("store", "fetch", "S0", "Prod0", "f1.txt", *ROOT)
    assert (call.status, call.out) == (1, "")
    assert "not what was checked in" in call.err
    assert run("store", "fetch", "S0", "Prod0", "f1.txt", "--to", "out", *ROOT).status == 1
    assert not (workplace / "out" / "f1.txt").exists()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("info",), 1, "No results store lies here"),
        (("list", "S0", "Prod0", "--root", "nowhere"), 1, "No results store lies here"),
        (("init", "--name", "x", "--root", "."), 1, "Not empty"),
        (("init",), 2, "--name"),
        (("fetch", "S0", "Prod0", "none", *ROOT), 1, "Not in folder"),
        (("fetch", "S0", "Prod0", "f1.txt", "--hash", "abc", *ROOT), 1, "hash that was supplied"),
        (("fetch", "S0", "Prod0", "../f1.txt", "--to", "out", *ROOT), 1, "Not in folder"),
        (("store", "../../x", "p", "f1.txt", *ROOT), 2, "No name of an event"),
        (("store", "S0", "a/b", "f1.txt", *ROOT), 2, "No name of a production"),
        (("store", "S0", "p", "f1.txt", "chains.dat", "--name", "n", *ROOT), 2, "single file"),
        (("verify", "--storage", "lab"), 2, "no results store in the storage lab"),
        (("verify", "--storage", "nope"), 2, "No storage of this name"),
        (("info", "--storage", "lab", *ROOT), 2, "One results store at a time"),
    ],
)
def test_mistakes_are_explained(run: Run, filled: Path, words: tuple[str, ...], status: int, said: str) -> None:
    call = run("store", *words)
    assert call.status == status, call.err
    assert said in call.err
    assert "Traceback" not in call.err


def test_a_results_store_in_a_storage(run: Run, workplace: Path) -> None:
    with (workplace / "settings.ini").open("a") as settings:
        settings.write("results = gw/\n")
    (workplace / "f1.txt").write_text("hello\n")
    lab = ("--storage", "lab")
    assert run("store", "init", "--name", "n", *lab).status == 0
    assert run("store", "store", "S0", "Prod0", "f1.txt", *lab).status == 0
    call = run("store", "fetch", "S0", "Prod0", "f1.txt", "--to", "out", *lab)
    assert call.out == f"{workplace}/out/f1.txt\n"
    assert run("store", "verify", *lab).out.startswith("Verified: 1 of 1 files")
    assert (workplace / "archive" / "gw" / ".manifest" / "manifest.yaml").is_file()


def test_in_the_background_and_again_from_its_command(run: Run, made: Path) -> None:
    call = run("store", "store", "S0", "Prod0", "f1.txt", *ROOT, "--background", "--wait", "--json")
    assert call.status == 0, call.err
    assert call.document["state"] == "verified"
    assert run("store", "verify", *ROOT, "--background", "--wait").status == 0
    assert "checked in" in run("jobs", "receipt", "1").out
