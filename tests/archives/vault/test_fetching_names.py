"""Names of every kind through a fetch: legal ones come back byte by byte, the others are refused by line and rule."""

from __future__ import annotations

import resource
import subprocess
from pathlib import Path

import pytest

from archive_tui.archives.vault import contradicting_lines
from archive_tui.archives.vault.contradicting_lines import find_contradictions
from archive_tui.archives.vault.outcomes import Outcome
from archive_tui.errors import InvalidName, ManifestError
from archive_tui.manifests.checksum_lines.line import BadLine, ManifestLine
from archive_tui.objects.folder.temporary_entries import new_temporary_name
from tests.archives.vault.conftest import MEMORY, VaultPlace, digest_of, manifest_of
from tests.archives.vault.test_fetching import fetch, files_below, lines_of, outcomes, put
from tests.objects.folder_attacker import swapping

pytestmark = pytest.mark.parametrize("place", [MEMORY], indirect=True)

REFUSED = {
    "/etc/passwd": "path-absolute", "../x": "path-parent", "a/../../x": "path-parent", "..": "path-parent",
    "": "path-empty", ".": "path-dot", "a/": "path-empty-segment", "a\0b": "path-nul",
    "n" * 256: "path-segment-too-long", "d/" * 2500 + "x": "path-too-long", "\ud800": "path-encoding",
    new_temporary_name(): "path-temporary", f"{new_temporary_name()}/x": "path-temporary",
}  # fmt: skip


def test_refused_names_do_no_harm(place: VaultPlace, tmp_path: Path) -> None:
    (digest,) = put(place.vault, b"x")
    root = tmp_path / "surrounding" / "root"
    root.mkdir(parents=True)
    names = [*REFUSED, str(root / "below"), "good"]
    results = fetch(lines_of(*((name, digest) for name in names)), place.vault, root, overwrite=True)
    assert outcomes(results) == [Outcome.REFUSED] * (len(names) - 1) + [Outcome.FETCHED]
    for result, rule in zip(results, REFUSED.values(), strict=False):
        assert isinstance(result.error, InvalidName)
        assert result.error.code == rule
        assert rule in str(result.error)
    assert files_below(tmp_path) == {"surrounding/root/good": b"x"}


def test_what_means_nothing_is_taken_away(place: VaultPlace, tmp_path: Path) -> None:
    (digest,) = put(place.vault, b"x")
    results = fetch(lines_of(("./a", digest), ("b//c", digest), ("./a", digest), ("a", digest)), place.vault, tmp_path)
    assert files_below(tmp_path) == {"a": b"x", "b/c": b"x"}
    expected = [Outcome.FETCHED, Outcome.FETCHED, Outcome.ALREADY_THERE, Outcome.ALREADY_THERE]
    assert outcomes(results) == expected


@pytest.mark.parametrize("between", [0, 3, 5000])
@pytest.mark.parametrize("overwrite", [False, True])
def test_lines_that_contradict_each_other_are_all_refused(
    place: VaultPlace, tmp_path: Path, between: int, overwrite: bool
) -> None:
    one, other = put(place.vault, b"one", b"other")
    absent = digest_of(b"absent")
    others = [(f"f{number}", absent) for number in range(between)]
    named = [("./same", one), *others, ("same", other), ("same", one)]
    results = fetch(lines_of(*named), place.vault, tmp_path, overwrite=overwrite)
    refused = [result for result in results if result.outcome is Outcome.REFUSED]
    assert [result.line.number for result in refused] == [1, between + 2, between + 3]
    assert f"line {between + 2} " in str(refused[0].error)
    assert "line 1 " in str(refused[1].error)
    assert list(tmp_path.iterdir()) == []


def test_contradictions_are_found_among_many_equal_paths(place: VaultPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contradicting_lines, "_COMPRESSED_FROM", 16)
    one, other = digest_of(b"1"), digest_of(b"2")
    named = [("same", one)] * 100 + [("twin", other)] * 100 + [("same", other)] + [("twin", other)] * 100
    named += [(f"f{number}", one) for number in range(5000)]
    lines = lines_of(*named)
    found = find_contradictions(lines)
    assert found.lines == 5301
    by_number = {line.number: found.find(line, line.name) for line in lines.lines()}
    assert {number for number, other_line in by_number.items() if other_line} == {*range(1, 101), 201}
    assert by_number[1] == 201
    assert by_number[201] == 1


def test_a_manifest_of_contradictions_is_refused_as_a_whole(
    place: VaultPlace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(contradicting_lines, "MOST_CONTRADICTIONS", 10)
    named = [(f"f{number // 2}", digest_of(b"%d" % number)) for number in range(22)]
    with pytest.raises(ManifestError):
        fetch(lines_of(*named), place.vault, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_bad_lines_and_refused_names_contradict_nobody(place: VaultPlace) -> None:
    news = [BadLine(1, "none"), ManifestLine(2, "../a", digest_of(b"1")), ManifestLine(3, "../a", digest_of(b"2"))]
    assert find_contradictions(manifest_of(news)).lines == 2


def test_a_link_on_the_way_is_not_followed(place: VaultPlace, tmp_path: Path) -> None:
    (digest,) = put(place.vault, b"x")
    (tmp_path / "outside").mkdir()
    root = tmp_path / "root"
    (root / "d").mkdir(parents=True)
    (root / "link").symlink_to("../outside")
    (root / "d" / "inner").symlink_to(".")  # also one that leads nowhere else
    manifest = lines_of(("link/a", digest), ("d/inner/a", digest), ("link/sub/a", digest))
    results = fetch(manifest, place.vault, root, overwrite=True)
    assert outcomes(results) == [Outcome.REFUSED] * 3
    assert all("link" in str(result.error) for result in results)
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_link_that_comes_and_goes_helps_nobody(place: VaultPlace, tmp_path: Path) -> None:
    digests = put(place.vault, *(b"%d" % number for number in range(400)), bytes(9 << 20))
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "d").mkdir(parents=True)
    outside.mkdir()
    (root / "link").symlink_to(outside)
    manifest = lines_of(*((f"d/{number}", digest) for number, digest in enumerate(digests)))
    found: set[Outcome] = set()
    with swapping(root / "d", root / "link"):
        for _ in range(50):
            results = fetch(manifest, place.vault, root, overwrite=True)
            found.update(outcomes(results))
            assert list(outside.iterdir()) == []
            if Outcome.REFUSED in found and Outcome.FETCHED in found:
                break
    assert {Outcome.REFUSED, Outcome.FETCHED} <= found
    assert found <= {Outcome.FETCHED, Outcome.REFUSED, Outcome.FAILED, Outcome.EXISTS, Outcome.ALREADY_THERE}
    assert list(outside.iterdir()) == []
    assert list(root.rglob(".archive-tui-*")) == []


def test_deep_paths_are_no_burden(place: VaultPlace, tmp_path: Path) -> None:
    """More folders are made for one file than files may be open."""
    (digest,) = put(place.vault, b"x")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limit[1]))
    names = [f"{number}/" + "d/" * 700 + "x" for number in range(2)]
    try:
        results = fetch(lines_of(*((name, digest) for name in names)), place.vault, tmp_path, threads=4)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    assert outcomes(results) == [Outcome.FETCHED] * 2
    subprocess.run(["rm", "-rf", *(tmp_path / str(number) for number in range(2))], check=True)  # Python cannot
