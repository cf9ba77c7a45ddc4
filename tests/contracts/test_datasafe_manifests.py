"""Manifest and the detection of formats, as programs of users know them."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import yaml

from archive_tui.archives.datasafe import format_detection
from archive_tui.datasafe import (
    EPRFormatDetector,
    FormatDetector,
    Generator,
    Manifest,
    ManifestError,
    MissingInformationError,
    NoFileError,
)
from tests.contracts.datasafe_programs import INFO, RIGHT, write_files


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def manifest(here: Path) -> Manifest:
    write_files(here, {"foo": "", "bar": ""})
    manifest = Manifest()
    manifest.data_filenames, manifest.metadata_filenames = ["foo"], ["bar"]
    return manifest


def test_a_new_manifest() -> None:
    manifest = Manifest()
    assert (manifest.loi, manifest.data_checksum, manifest.checksum) == ("", "", "")
    assert (manifest.data_filenames, manifest.metadata_filenames) == ([], [])
    assert manifest.manifest_filename == "MANIFEST.yaml"
    assert isinstance(manifest.format_detector, FormatDetector)


def test_to_dict_has_what_the_original_has_in_its_order_and_digests_behind(manifest: Manifest) -> None:
    manifest.loi = "42.1001/ds/foo"
    document = manifest.to_dict()
    assert list(document) == ["format", "dataset", "files", "checksums", "integrity"]
    assert document["format"] == {"type": "datasafe dataset manifest", "version": "0.1.0"}
    assert document["dataset"] == {"loi": "42.1001/ds/foo", "complete": False}
    assert document["files"] == {
        "metadata": [{"name": "bar", "format": "", "version": ""}],
        "data": {"format": "undetected", "names": ["foo"]},
    }
    assert [list(row) for row in document["checksums"]] == [["name", "format", "span", "value"]] * 2
    assert document["checksums"][0]["value"] == "020eb29b524d7ba672d9d48bc72db455"
    assert document["checksums"][1]["value"] == "74be16979710d4c4e7c6647856088456"
    assert set(document["integrity"]["files"]) == {"foo", "bar"}


def test_the_example_of_the_contract() -> None:
    write_files(Path(), {"test": "", "test.info": INFO})
    manifest = Manifest()
    manifest.data_filenames, manifest.metadata_filenames = ["test"], ["test.info"]
    manifest.to_file()
    text = Path("MANIFEST.yaml").read_text()
    assert "value: f46475b4905fe2e1a388dc5c6a07ecbc" in text
    assert "- name: test.info\n    format: cwEPR Info file\n    version: 0.1.4\n" in text
    assert yaml.safe_load(text) == manifest.to_dict()


def test_order_of_names_is_kept(here: Path, manifest: Manifest) -> None:
    names = ["foo3", "foo1", "foo2"]
    write_files(here, dict.fromkeys(names, ""))
    manifest.data_filenames = names
    assert manifest.to_dict()["files"]["data"]["names"] == names
    manifest.data_filenames, manifest.metadata_filenames = ["foo"], names
    assert [row["name"] for row in manifest.to_dict()["files"]["metadata"]] == names


def test_a_manifest_goes_through_a_file_and_through_a_dict(manifest: Manifest) -> None:
    manifest.loi = "42.1001/ds/foo"
    manifest.to_file()
    document = yaml.safe_load(Path("MANIFEST.yaml").read_text())
    for take in (lambda new: new.from_file(), lambda new: new.from_dict(document)):
        new = Manifest()
        take(new)
        assert (new.loi, new.data_filenames, new.metadata_filenames) == ("42.1001/ds/foo", ["foo"], ["bar"])
        assert (new.checksum, new.data_checksum) == (
            document["checksums"][0]["value"],
            document["checksums"][1]["value"],
        )
        assert new.to_dict() == document
        assert new.check_integrity() == RIGHT


def test_from_dict_takes_what_readers_of_yaml_make_of_texts(manifest: Manifest) -> None:
    document = manifest.to_dict()
    read = yaml.safe_load("{name: bar, format: yes, version: 2020-04-25}")
    document["files"]["metadata"] = [read]
    document["dataset"]["complete"] = True
    manifest.from_dict(document)
    assert manifest.check_integrity() == RIGHT
    assert manifest.to_dict()["dataset"]["complete"] is True


@pytest.mark.parametrize("document", [{}, {"files": {}}, {"files": []}, {"files": {"data": {"names": "x"}}}])
def test_from_dict_refuses_what_is_no_manifest(document: dict[str, Any]) -> None:
    with pytest.raises(ManifestError):
        Manifest().from_dict(document)


def test_no_names_of_data(manifest: Manifest) -> None:
    manifest.data_filenames = []
    for call in (manifest.to_dict, manifest.to_file, manifest.check_integrity, Manifest().check_integrity):
        with pytest.raises(MissingInformationError):
            call()
    assert not Path("MANIFEST.yaml").exists()


def test_no_checksums(manifest: Manifest) -> None:
    with pytest.raises(MissingInformationError):
        manifest.check_integrity()
    manifest.data_checksum = "74be16979710d4c4e7c6647856088456"
    with pytest.raises(MissingInformationError):
        manifest.check_integrity()


def test_absent_files() -> None:
    with pytest.raises(NoFileError, match=r"^File does not exist$"):
        Manifest().from_file()
    with pytest.raises(NoFileError, match=r"^File does not exist$"):
        Manifest().from_file("foobar")
    write_files(Path(), {"there": ""})
    manifest = Manifest()
    manifest.data_filenames = ["absent"]
    with pytest.raises(NoFileError, match="absent"):
        manifest.to_dict()
    manifest.data_filenames, manifest.metadata_filenames = ["there"], ["absent.info"]
    with pytest.raises(NoFileError, match=r"absent\.info"):
        manifest.to_file()
    manifest.metadata_filenames = []
    manifest.to_file()
    manifest.from_file()
    Path("there").unlink()
    with pytest.raises(NoFileError, match="there"):
        manifest.check_integrity()


def test_a_dataset_without_metadata_is_checked(manifest: Manifest) -> None:
    manifest.metadata_filenames = []
    manifest.to_file()
    manifest.from_file()
    assert manifest.check_integrity() == RIGHT


@pytest.mark.parametrize(
    ("attribute", "which"),
    [("checksum", {"data": True, "all": False}), ("data_checksum", {"data": False, "all": True})],
)
def test_a_checksum_that_is_wrong(manifest: Manifest, attribute: str, which: dict[str, bool]) -> None:
    manifest.from_dict(manifest.to_dict())
    setattr(manifest, attribute, "foo")
    assert manifest.check_integrity() == which


@pytest.mark.parametrize(
    ("name", "which"), [("foo", {"data": False, "all": False}), ("bar", {"data": True, "all": False})]
)
@pytest.mark.parametrize("with_digests", [True, False])
def test_a_file_that_has_changed(manifest: Manifest, name: str, which: dict[str, bool], with_digests: bool) -> None:
    document = manifest.to_dict()
    if not with_digests:
        del document["integrity"]
    manifest.from_dict(document)
    Path(name).write_text("changed")
    assert manifest.check_integrity() == which


def test_swapped_contents_are_found(here: Path, manifest: Manifest) -> None:
    write_files(here, {"one": "1", "two": "2"})
    manifest.data_filenames = ["one", "two"]
    manifest.to_file()
    manifest.from_file()
    Path("one").rename("x")
    Path("two").rename("one")
    Path("x").rename("two")
    assert manifest.check_integrity() == {"data": False, "all": False}


def test_subfolders_are_covered(here: Path) -> None:
    write_files(here, {"a/b/data": "1", "a/data.info": INFO})
    manifest = Manifest()
    manifest.data_filenames, manifest.metadata_filenames = ["a/b/data"], ["a/data.info"]
    manifest.to_file()
    manifest.from_file()
    assert manifest.check_integrity() == RIGHT
    Path("a/b/data").write_text("2")
    assert manifest.check_integrity() == {"data": False, "all": False}


def test_names_are_relative_to_the_folder_of_the_manifest(here: Path) -> None:
    write_files(here / "else", {"foo": "1"})
    manifest = Manifest("else")
    manifest.data_filenames = ["foo"]
    manifest.to_file()
    assert (here / "else" / "MANIFEST.yaml").is_file()
    for path in ("else/MANIFEST.yaml", str(here / "else" / "MANIFEST.yaml")):
        other = Manifest()
        other.from_file(path)
        assert other.check_integrity() == RIGHT
    (here / "foo").write_text("another one, in the current folder")
    assert other.check_integrity() == RIGHT
    (here / "else" / "foo").write_text("2")
    assert other.check_integrity() == {"data": False, "all": False}


def test_names_relative_to_the_current_folder_stay_possible(here: Path) -> None:
    write_files(here, {"path/foo": "", "path/bar": ""})
    manifest = Manifest()
    manifest.data_filenames, manifest.metadata_filenames = ["path/foo"], ["path/bar"]
    manifest.manifest_filename = "path/MANIFEST.yaml"
    manifest.to_file()
    manifest.from_file("path/MANIFEST.yaml")
    assert manifest.check_integrity() == RIGHT


def test_names_that_leave_the_folder_are_never_written(here: Path) -> None:
    write_files(here, {"outside": "", "inside/x": ""})
    for name in ("../outside", str(here / "outside"), "../inside/x"):
        manifest = Manifest("inside")
        manifest.data_filenames = [name]
        with pytest.raises(ManifestError):
            manifest.to_file()
    assert not Path("inside/MANIFEST.yaml").exists()


def test_a_manifest_that_was_there_is_replaced_as_a_whole(manifest: Manifest) -> None:
    Path("MANIFEST.yaml").write_text("x" * 100_000)
    Path("MANIFEST.yaml").chmod(0o444)
    manifest.to_file()
    manifest.from_file()
    assert manifest.check_integrity() == RIGHT
    assert sorted(path.name for path in Path().iterdir()) == ["MANIFEST.yaml", "bar", "foo"]


def test_checksums_of_another_kind(manifest: Manifest) -> None:
    document = manifest.to_dict()
    del document["integrity"]
    generator = Generator("sha256")
    for row, names in zip(document["checksums"], (["foo", "bar"], ["foo"]), strict=True):
        row.update(format="SHA256 checksum", value=generator.generate(names))
    manifest.from_dict(document)
    assert manifest.check_integrity() == RIGHT
    document["checksums"][1]["format"] = "MD5 checksum"
    manifest.from_dict(document)
    with pytest.raises(ManifestError, match="several kinds"):
        manifest.check_integrity()
    for row in document["checksums"]:
        row["format"] = "Fancy checksum"
    manifest.from_dict(document)
    with pytest.raises(ManifestError, match="not known: fancy"):
        manifest.check_integrity()


XML = '<?xml version="1.0" encoding="utf-8"?>\n<ESRXmlFile Version="1" Timestamp="2019-07-23T13:43:49.6413649Z">'
FORMATS = [
    ({"test.DSC": "#DESC\t1.2 * DESCRIPTOR", "test.DTA": ""}, "Bruker BES3T"),
    ({"test.dsc": "", "test.dta": "", "test.par": "DOS"}, "Bruker BES3T"),
    ({"test.par": "DOS  Format\nANZ 1024", "test.spc": ""}, "Bruker EMX"),
    ({"test.PAR": "DOS  Format\r\nANZ 1024", "test.SPC": ""}, "Bruker EMX"),
    ({"test.par": "JSS  2\nADEV  1 DOS", "test.spc": ""}, "Bruker ESP"),
    ({"test.xml": XML}, "Magnettech XML"),
    ({"sub/test.xml": f"\ufeff{XML}"}, "Magnettech XML"),
    ({"test.csv": "Name,20190723-Test\n\nRecipe"}, "Magnettech CSV"),
    ({"test.dsc": ""}, "undetected"),
    ({"test.xml": "<x>\n<y>"}, "undetected"),
    ({"test.xml": ""}, "undetected"),
    ({"test.csv": "Name,a\nRecipe"}, "undetected"),
    ({"test.csv": b"\xff\xfe\x00"}, "undetected"),
    ({"test": "DOS"}, "undetected"),
]


@pytest.mark.parametrize(("files", "name"), FORMATS)
def test_formats_of_data(here: Path, files: dict[str, str | bytes], name: str) -> None:
    write_files(here, files)
    manifest, detector = Manifest(), EPRFormatDetector()
    manifest.data_filenames = detector.data_filenames = list(files)
    assert manifest.to_dict()["files"]["data"]["format"] == name
    assert detector.data_format() == name
    assert detector.detection_successful() == (name != "undetected")


@pytest.mark.parametrize(
    ("name", "content", "stated"),
    [
        ("a.info", INFO, ("cwEPR Info file", "0.1.4")),
        ("a.info", f"\ufeff{INFO}\r\n\r\nGENERAL", ("cwEPR Info file", "0.1.4")),
        ("a.info", "Two - parts - v. 1 (x)", ("Two - parts", "1")),
        ("a.info", "cwEPR Info file", ("", "")),
        ("a.info", "", ("", "")),
        ("a.info", b"\xff\xfe", ("", "")),
        ("a.info", " " * 10_000_000, ("", "")),
        ("a.info", "a - " * 100_000, ("", "")),
        ("a.yaml", "format: {type: info file, version: 0.1.2}", ("info file", "0.1.2")),
        ("a.yml", "format:\n  type: info file\n  version: 0.1.2\n", ("info file", "0.1.2")),
        ("a.yaml", "format: x", ("", "")),
        ("a.yaml", "format: {type: [x]}", ("", "")),
        ("a.yaml", "a: &a [*a]", ("", "")),
        ("a.yaml", "", ("", "")),
        ("a.txt", "format: {type: info file, version: 0.1.2}", ("", "")),
    ],
)
def test_formats_of_metadata(here: Path, name: str, content: str | bytes, stated: tuple[str, str]) -> None:
    write_files(here, {name: content})
    detector = FormatDetector()
    detector.metadata_filenames = [name]
    assert detector.metadata_format() == [{"name": name, "format": stated[0], "version": stated[1]}]


def test_a_detector_alone() -> None:
    detector = FormatDetector()
    assert (detector.data_filenames, detector.metadata_filenames, detector.metadata_format()) == ([], [], [])
    with pytest.raises(NoFileError, match="No data filenames"):
        detector.data_format()
    detector.data_filenames, detector.metadata_filenames = ["foo"], ["absent"]
    assert detector.data_format() == "undetected"
    assert detector.metadata_format() == [{"name": "absent", "format": "", "version": ""}]
    assert EPRFormatDetector().detection_successful() is False


class Lab(FormatDetector):
    def _detect_data_format(self) -> str:
        return "Lab format" if any("LAB" in self.path(name).read_text() for name in self.data_filenames) else ""


class Fails(FormatDetector):
    def _detect_data_format(self) -> str:
        raise RuntimeError("I always do.")


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def install(*names: str) -> None:
        found = [EntryPoint(name, f"{__name__}:{name}", format_detection.ENTRY_POINTS) for name in names]
        monkeypatch.setattr("importlib.metadata.entry_points", lambda group: found if "format" in group else [])
        format_detection._installed.cache_clear()

    yield install  # type: ignore[misc]
    format_detection._installed.cache_clear()


def test_other_packages_add_detectors(here: Path, install: Callable[..., None]) -> None:
    install("Fails", "Absent", "Lab")
    write_files(here, {"sub/a.dat": "LAB", "sub/test.xml": XML})
    manifest = Manifest("sub")
    manifest.data_filenames = ["a.dat"]
    assert manifest.to_dict()["files"]["data"]["format"] == "Lab format"
    manifest.data_filenames = ["test.xml"]
    assert manifest.to_dict()["files"]["data"]["format"] == "Magnettech XML"


def test_a_detector_that_was_set_is_asked_first(here: Path) -> None:
    write_files(here, {"sub/a.dat": "LAB", "sub/test.xml": "x"})
    manifest = Manifest("sub")
    manifest.format_detector = Lab()
    manifest.data_filenames = ["a.dat"]
    assert manifest.to_dict()["files"]["data"]["format"] == "Lab format"


def test_the_entry_points_have_the_name_of_the_contract() -> None:
    assert format_detection.ENTRY_POINTS == "archive_tui.format_detectors"
