"""Which addresses carry a token so that others can read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_tui.names.plain_addresses import find_plain_host
from archive_tui.settings import load_settings


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://safe.example.org/", "safe.example.org"),
        (" HTTP://Safe.example.org:80/x ", "safe.example.org"),
        ("http://10.0.0.7:5000/", "10.0.0.7"),
        ("http://[2001:db8::1]/", "2001:db8::1"),
        ("https://safe.example.org/", None),
        ("http://localhost:5000/", None),
        ("http://127.0.0.1/", None),
        ("http://127.1.2.3/", None),
        ("http://[::1]:5000/", None),
        ("http://[", None),
        ("", None),
        ("safe.example.org", None),
    ],
)
def test_which_machine_is_reached_in_the_open(url: str, host: str | None) -> None:
    assert find_plain_host(url) == host


def test_the_settings_are_remarked_on(tmp_path: Path) -> None:
    path = tmp_path / "settings.ini"
    path.write_text(
        "[a]\nurl = http://x.example/\ntoken_file = t\n[b]\nurl = http://x.example/\n[c]\nurl = https://x/\ntoken = t\n"
    )
    (remark,) = load_settings(path).remarks
    assert remark.startswith("[a] The token travels to x.example unencrypted")
