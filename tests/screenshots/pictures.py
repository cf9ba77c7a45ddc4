"""Turns SVG into PNG through a headless Chromium: other converters shift the columns."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

_PAGE = "<!doctype html><meta charset=utf-8><style>html,body{margin:0}svg{display:block}</style>"


def find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def write_png(svg_path: Path, png_path: Path, chromium: str) -> None:
    """Raises: subprocess.CalledProcessError, subprocess.TimeoutExpired."""
    svg = svg_path.read_text()
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    assert found is not None, svg_path
    width, height = (round(float(number) + 0.5) for number in found.groups())
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(_PAGE + svg)
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1"]
        options += [f"--user-data-dir={folder}/profile", "--host-resolver-rules=MAP * ~NOTFOUND"]
        subprocess.run(
            [chromium, *options, f"--window-size={width},{height}", f"--screenshot={png_path}", page.as_uri()],
            check=True,
            capture_output=True,
            env={**os.environ, "HOME": folder},  # the home of the pictures is gone by now, and stays away
            timeout=60,
        )
