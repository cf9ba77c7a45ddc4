"""Which files are opened as a manifest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archive_tui.archives.vault.views.manifest_files import begins_like_manifest, has_manifest_name, is_manifest_file

D = "ab" * 32


@pytest.mark.parametrize("name", ["SHA256SUMS", "sha256sums.txt", "photos.sha256", "x.sha256sum", "A.SHA256SUMS"])
def test_names_of_manifests(name: str) -> None:
    assert has_manifest_name(name)


@pytest.mark.parametrize("name", ["manifest.json", "sha256.py", "SHA256SUMS.gpg", "notes.md", "x.sha256.txt.bak"])
def test_other_names_are_judged_by_their_content(name: str) -> None:
    assert not has_manifest_name(name)


@pytest.mark.parametrize(
    "head",
    [
        f"{D}  a\n",
        f"{D.upper()} *a\r\n",
        f'{D}\t"a"\n',
        f'{D}  "a b"\n{D}  "c"\n',
        f"\\{D}  a\\nb\n",
        f"SHA256 (a) = {D}\n",
        f"# comment\n\n{D}  a\njunk\n{D}  b\n",
        f"File,SHA256,Vault\na,{D},x\n",
        f"\ufeff{D}  a\n",
        '{"format": "archive-tui checksum manifest 1", "created": "x", "files": '
        f'[{{"path": "a", "size": 1, "sha256": "{D}"}}]}}',
    ],
)
def test_every_dialect_is_recognised(head: str) -> None:
    assert begins_like_manifest(head.encode())


@pytest.mark.parametrize(
    "head", ["", "\n\n", "hello\n", f"{D}  a\none\ntwo\n", f"{D}\n", f"{D[:40]}  a\n", '{"files": []}', "\x00" * 500]
)
def test_other_content_is_not(head: str) -> None:
    assert not begins_like_manifest(head.encode())


def test_a_line_cut_off_by_the_limit_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text(f"{D}  {'n' * 1000}\n" * 100)
    assert is_manifest_file(path)


def test_what_is_no_regular_file_is_none_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "SHA256SUMS")
    (tmp_path / "folder.sha256").mkdir()

    assert not is_manifest_file(tmp_path / "SHA256SUMS")
    assert not is_manifest_file(tmp_path / "folder.sha256")
    assert not is_manifest_file(tmp_path / "absent.sha256")
    assert not is_manifest_file(Path("nul\x00"))
