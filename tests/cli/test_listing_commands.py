"""`ls` and `storage`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def filled(run: Run, workplace: Path) -> Path:
    run("dataset", "publish", "lab", "winds")
    run("dataset", "publish", "lab", "deep/er/winds", "--source", "work/winds")
    return workplace


def test_ls_shows_one_level_sorted_with_folders_marked(run: Run, filled: Path) -> None:
    assert run("ls", "lab").out.splitlines() == ["deep/", "winds.0.0.1.manifest.json", "winds.0.0.1.zip"]
    assert run("ls", "lab:deep").out.splitlines() == ["er/"]
    assert run("ls", "lab:deep/er/").out.splitlines() == ["winds.0.0.1.manifest.json", "winds.0.0.1.zip"]


def test_ls_recursive_shows_everything(run: Run, filled: Path) -> None:
    assert sorted(run("ls", "lab", "-r").out.splitlines()) == [
        "deep/er/winds.0.0.1.manifest.json",
        "deep/er/winds.0.0.1.zip",
        "winds.0.0.1.manifest.json",
        "winds.0.0.1.zip",
    ]


def test_ls_long_shows_sizes_and_times(run: Run, filled: Path) -> None:
    lines = run("ls", "lab", "-l").out.splitlines()
    assert lines[0].split() == ["-", "-", "deep/"] or lines[0].endswith("  deep/")
    assert (lines[2].endswith("winds.0.0.1.zip") and " B " in lines[2]) or "KB" in lines[2]


def test_ls_shows_a_single_object(run: Run, filled: Path) -> None:
    assert run("ls", "lab:winds.0.0.1.zip").status == 0
    assert "winds.0.0.1.zip" in run("ls", "lab:winds.0.0.1.zip", "-l").out


def test_ls_of_a_prefix_where_nothing_lies_fails_and_of_an_empty_storage_does_not(run: Run) -> None:
    assert run("ls", "lab").status == 0
    call = run("ls", "lab:nothing")
    assert call.status == 1
    assert "nothing" in call.err


def test_ls_of_a_folder(run: Run, workplace: Path) -> None:
    assert run("ls", "work/winds").out.splitlines() == ["raw/", "table.csv"]
    (workplace / "void").mkdir()
    assert run("ls", "void").status == 0


def test_ls_as_json(run: Run, filled: Path) -> None:
    entries = run("ls", "lab", "--json").document["entries"]
    assert [entry["kind"] for entry in entries] == ["prefix", "object", "object"]
    assert entries[2]["size"] == (filled / "archive" / "winds.0.0.1.zip").stat().st_size
    assert entries[2]["modified"].endswith("+00:00")


def test_a_storage_comes_before_a_folder_of_the_same_name(run: Run, workplace: Path) -> None:
    (workplace / "lab").mkdir()
    (workplace / "lab" / "in-the-folder").write_text("")
    assert run("ls", "lab").out == ""
    assert run("ls", "./lab").out == "in-the-folder\n"


def test_storage_list_masks_secrets(run: Run, workplace: Path) -> None:
    with (workplace / "settings.ini").open("a") as settings:
        settings.write(
            "[cloud]\nstorage_client = archive_tui.core.AwsStorageClient\nlocal_path = .\nbucket = b\n"
            "aws_secret_access_key = not-a-real-secret\n"
        )
    call = run("storage", "list")
    assert call.status == 0
    assert "not-a-real-secret" not in call.out + run("storage", "list", "--json").out
    assert [one["name"] for one in run("storage", "list", "--json").document["storages"]] == ["lab", "cloud", "local"]


def test_without_settings_there_is_the_embedded_archive(
    run: Run, workplace: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert [one["name"] for one in run("storage", "list", "--json").document["storages"]] == ["local"]
    source = str(workplace / "work" / "winds")
    assert run("dataset", "publish", "local", "winds", "--source", source).status == 0
    assert "winds.0.0.1.zip" in run("ls", "local").out


def test_storage_test_shows_a_card_and_leaves_nothing(run: Run, workplace: Path) -> None:
    call = run("storage", "test", "lab")
    assert call.status == 0
    assert call.out.splitlines()[0].startswith("lab: folder ")
    assert "never overwrites" in call.out and "So: publishing is safe here" in call.out
    assert not list((workplace / "archive").rglob("*"))


def test_storage_test_of_a_store_out_of_reach_is_a_card_that_says_so(run: Run, workplace: Path) -> None:
    (workplace / "settings.ini").write_text(
        "[lab]\nstorage_client = archive_tui.core.AwsStorageClient\nlocal_path = .\nbucket = bucket\n"
        "aws_access_key_id = key\naws_secret_access_key = secret\nendpoint_url = http://127.0.0.1:9\n"
    )
    call = run("storage", "test", "lab", "--json")
    assert call.status == 1
    assert call.document["usable"] is False
    outcomes = {row["name"]: row["outcome"] for row in call.document["rows"]}
    assert outcomes["reaches"] == "failed"
    assert outcomes["reads back equal"] == "unknown"
