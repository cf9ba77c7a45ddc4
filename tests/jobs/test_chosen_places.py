"""What the words of somebody who copies or deletes mean."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archive_tui.errors import ArchiveError, ConfigurationError, ObjectNotFound, SourceNotFound, TargetExists
from archive_tui.jobs.chosen_places import ChosenPlace, choose_source, choose_target, gather
from archive_tui.jobs.places import folder_place
from archive_tui.settings import Settings, load_settings

SECTION = "[lab]\nstorage_client = archive_tui.core.LocalStorageClient\nstorage_area = {0}/area\nlocal_path = .\n"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    for file in ("area/d/e/x", "area/y", "data/sub/b", "data/a"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(file)
    (tmp_path / "link").symlink_to("data")
    (tmp_path / "lab").mkdir()
    (tmp_path / "settings.ini").write_text(SECTION.format(tmp_path))
    return load_settings()


@pytest.mark.parametrize(
    ("word", "base", "names"),
    [
        ("lab", "", ("",)),
        ("lab:", "", ("",)),
        ("lab:/", "", ("",)),
        ("lab:d/", "d/", ("",)),
        ("lab:nothing/there/", "nothing/there/", ("",)),
        ("lab:y", "", ("y",)),
        ("lab:/y", "", ("y",)),
        ("lab:d/e/x", "d/e/", ("x",)),
        ("lab:d/e", "d/", ("e/",)),
        ("lab:d", "", ("d/",)),
    ],
)
def test_words_for_what_lies_in_a_storage(word: str, base: str, names: tuple[str, ...], settings: Settings) -> None:
    chosen = choose_source(word, settings)
    assert (chosen.place["storage"], chosen.base, chosen.names) == ("lab", base, names)


@pytest.mark.parametrize(
    ("word", "folder", "names"),
    [
        ("data", "", ("data/",)),
        ("data/", "data", ("",)),
        ("./data/", "data", ("",)),
        ("data/.", "data", ("",)),
        (".", "", ("",)),
        ("data/sub/..", "data", ("",)),
        ("data/a", "data", ("a",)),
        ("./lab", "", ("lab/",)),
        ("link", "", ("link",)),
        ("link/", "link", ("",)),
        ("link/a", "link", ("a",)),
    ],
)
def test_words_for_what_lies_on_this_machine(
    word: str, folder: str, names: tuple[str, ...], settings: Settings, tmp_path: Path
) -> None:
    assert choose_source(word, settings) == ChosenPlace(folder_place(tmp_path / folder), "", names)


def test_the_root_and_the_home(settings: Settings, isolated_home: Path) -> None:
    assert choose_source("/", settings) == ChosenPlace(folder_place(Path("/")), "", ("",))
    (isolated_home / "x").write_text("x")
    assert choose_source("~/x", settings) == ChosenPlace(folder_place(isolated_home), "", ("x",))


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("absent", SourceNotFound),
        ("data/absent", SourceNotFound),
        ("lap:x", ConfigurationError),
        ("lab:absent", ObjectNotFound),
        ("lab:d/abs", ObjectNotFound),
    ],
)
def test_words_that_mean_nothing(word: str, error: type[ArchiveError], settings: Settings) -> None:
    with pytest.raises(error) as caught:
        choose_source(word, settings)
    assert caught.value.hint


def test_a_target_is_always_a_folder(settings: Settings, tmp_path: Path) -> None:
    for word, into in (("lab", ""), ("lab:", ""), ("lab:in", "in/"), ("lab:in/deep/", "in/deep/"), ("lab:/in", "in/")):
        place, found = choose_target(word, settings)
        assert (place["storage"], found) == ("lab", into)
    for word in ("data", "data/", "new", "./lab", "link"):
        assert choose_target(word, settings) == (folder_place(Path(word)), "")
    for word, error in (("data/a", TargetExists), ("lap:x", ConfigurationError)):
        with pytest.raises(error):
            choose_target(word, settings)
    os.mkdir("a:b")  # noqa: PTH102
    assert choose_target("a:b", settings)[0] == folder_place(tmp_path / "a:b")


def test_what_is_in_one_place_is_one_job(settings: Settings) -> None:
    chosen = gather(choose_source(word, settings) for word in ("data/a", "lab:y", "data/sub", "lab:d", "lab:y", "link"))
    assert [(each.base, each.names) for each in chosen] == [
        ("", ("a", "sub/")),
        ("", ("y", "d/")),
        ("", ("link",)),
    ]
