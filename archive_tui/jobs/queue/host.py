"""Which computer this is, and which of its starts: locks are told apart from memories of locks by that."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_MACHINE = Path("/etc/machine-id")


@cache
def this_boot() -> str:
    """The same for all processes that see each other's locks; another one after a restart. Where the system does not
    tell, that of the host: then only locks are believed."""
    return _digest(_read(_BOOT) or host_name())


@cache
def this_host() -> str:
    """The same before and after a restart; containers of one image differ by their name."""
    return _digest(_read(_MACHINE), host_name())


def host_name() -> str:
    return os.uname().nodename


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
