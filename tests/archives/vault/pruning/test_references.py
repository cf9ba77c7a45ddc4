from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive_tui.archives.vault.pruning import ManifestReferences
from archive_tui.errors import ArchiveError
from archive_tui.manifests.checksum_lines import WRITTEN_DIALECTS, Dialect, ManifestLine, format_lines
from tests.archives.vault.conftest import FOLDER, digest_of
from tests.archives.vault.pruning.conftest import GRACE, Scene

CONTENTS = {"a b": b"1", "back\\slash": b"2", "line\nend": b"3", "ümlaut": b"4"}


def _lines() -> list[ManifestLine]:
    return [ManifestLine(i, name, digest_of(content), 1) for i, (name, content) in enumerate(CONTENTS.items(), 1)]


@pytest.mark.parametrize("dialect", WRITTEN_DIALECTS)
def test_every_dialect_is_understood(dialect: Dialect, tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(b"".join(format_lines(dialect, _lines(), created=datetime.now(UTC))))
    references = ManifestReferences([path])
    assert len(references) == 4
    assert all(digest_of(content) in references for content in CONTENTS.values())


@pytest.mark.parametrize(
    "text",
    [
        f"File,SHA256,Vault\na,{digest_of(b'1')},x\nb,{digest_of(b'2').upper()},x\n",
        f"{digest_of(b'1').upper()} *a\r\n{digest_of(b'2')}  b",
        f'# said so\n\n{digest_of(b"1")}\t"a"\n{digest_of(b"2")}  "b"\n',
        f"SHA256 (a) = {digest_of(b'1')}\n{digest_of(b'2')}  b\n",
    ],
    ids=["csv", "upper case and CR", "tabs", "mixed"],
)
def test_forms_that_others_write(text: str, tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(text.encode())
    references = ManifestReferences([path])
    if not text.startswith("#"):
        assert len(references) == 2
    assert digest_of(b"1") in references
    assert digest_of(b"2") in references


def test_names_that_can_be_read_in_two_ways_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", '"a"'):
        (tmp_path / name).write_text("1")
    (tmp_path / "list").write_text(f'{digest_of(b"1")}  "a"\n')
    assert digest_of(b"1") in ManifestReferences([Path("list")])


GOOD = f"{digest_of(b'1')}  a\n"


@pytest.mark.parametrize("place", [FOLDER], indirect=True)
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "manifest-no-lines"),
        (b"# nothing\n\n", "manifest-no-lines"),
        (GOOD.encode() + b"junk\n", "prune-manifest"),
        (GOOD.encode() + GOOD[:40].encode(), "prune-manifest"),
        (GOOD.encode() + GOOD[:64].encode(), "prune-manifest"),
        (b"d41d8cd98f00b204e9800998ecf8427e  a\n", "prune-manifest"),
        (GOOD.encode("utf-16"), "prune-manifest"),
        (b'{"format": "archive-tui manifest", "files": [', None),
        (b'{"files": []}', None),
        (b"\0" * 4096, "prune-manifest"),
        (None, "source-not-found"),
    ],
)
def test_a_manifest_that_is_not_whole_touches_nothing(content: bytes | None, code: str | None, scene: Scene) -> None:
    scene.archive({"lost": b"x"})
    keep = scene.write_manifest({"keep": b"a"})
    scene.prune(keep)
    scene.wait(GRACE + 60)
    before = scene.place.store.info(scene.book.key).version
    path = scene.folder / "other"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ArchiveError) as raised:
        scene.prune(keep, path)
    if code is not None:
        assert raised.value.code == code
    assert scene.place.store.info(scene.book.key).version == before
    assert scene.held() == {digest_of(b"x")}


def test_a_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ArchiveError, match="Not a file"):
            ManifestReferences([path])


@pytest.mark.parametrize("place", [FOLDER], indirect=True)
def test_one_that_vanishes_or_is_damaged_meanwhile_ends_the_run(scene: Scene) -> None:
    scene.archive({"lost": b"x"})
    keep = scene.write_manifest({"keep": b"a"})
    scene.prune(keep)
    scene.wait(GRACE + 60)

    def damage(what: str, key: str) -> None:
        if what == "list":
            keep.write_text("junk\n")

    scene.store.before = damage
    with pytest.raises(ArchiveError) as raised:
        scene.prune(keep)
    assert raised.value.code == "prune-manifest"
    assert scene.held() == {digest_of(b"x")}
