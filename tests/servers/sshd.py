"""An OpenSSH server of the user who runs the tests, on loopback, with keys that are thrown away.

def test_first_screen(run_over_ssh):
    terminal = run_over_ssh("archive-tui", columns=80, lines=24)
    terminal.wait_for("datasets")
"""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from tests.servers.ports import free_ports
from tests.servers.required_servers import skip_missing_server
from tests.servers.server_process import running_server
from tests.servers.terminal import TerminalSession

INSTALL = "apt-get install openssh-server openssh-client"
REPOSITORY = Path(__file__).parents[2]

_CONFIGURATION = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 50
PrintMotd no
PrintLastLog no
"""


@dataclass(frozen=True)
class SshServer:
    port: int
    folder: Path

    def make_command(self, command: str) -> list[str]:
        """Returns the command line of an ssh client that runs `command` in a terminal of the server."""
        user = pwd.getpwuid(os.getuid()).pw_name
        options = (
            "StrictHostKeyChecking=no", f"UserKnownHostsFile={self.folder}/known_hosts", "IdentitiesOnly=yes",
            "LogLevel=ERROR", "BatchMode=yes", "SendEnv=-*", "EscapeChar=none",
        )  # fmt: skip
        words = [
            shutil.which("ssh") or "ssh",
            "-tt",
            "-F",
            "none",
            "-p",
            str(self.port),
            "-i",
            f"{self.folder}/user_key",
        ]
        for option in options:
            words += ["-o", option]
        return [*words, f"{user}@127.0.0.1", command]


class RunOverSsh(Protocol):
    def __call__(
        self,
        command: str,
        columns: int = 80,
        lines: int = 24,
        *,
        term: str = "xterm-256color",
        env: Mapping[str, str] | None = None,
    ) -> TerminalSession: ...


def find_sshd() -> str:
    """Returns the absolute path of the server, as it wants to be called; ordinary users have it not on PATH."""
    folders = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/sbin"))
    found = shutil.which("sshd", path=folders)
    if found is None or shutil.which("ssh") is None or shutil.which("ssh-keygen") is None:
        skip_missing_server("sshd", INSTALL)
    return str(Path(found).absolute())


def _make_key(path: Path) -> None:
    arguments = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)]
    subprocess.run(arguments, check=True, stdin=subprocess.DEVNULL)


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


@pytest.fixture(scope="session")
def ssh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    program = find_sshd()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # a server of root insists on it
    folder = tmp_path_factory.mktemp("sshd")
    _make_key(folder / "host_key")
    _make_key(folder / "user_key")
    (port,) = free_ports()
    configuration = folder / "sshd_config"
    configuration.write_text(_CONFIGURATION.format(port=port, folder=folder))
    with running_server([program, "-D", "-e", "-f", configuration], lambda: _greets(port), folder):
        yield SshServer(port, folder)


@pytest.fixture
def run_over_ssh(ssh_server: SshServer, isolated_home: Path) -> Iterator[RunOverSsh]:
    """Runs a shell command over ssh in a terminal; in the repository, with the test's own home and interpreter."""
    sessions: list[TerminalSession] = []

    def run(
        command: str,
        columns: int = 80,
        lines: int = 24,
        *,
        term: str = "xterm-256color",
        env: Mapping[str, str] | None = None,
    ) -> TerminalSession:
        line = f"cd {shlex.quote(str(REPOSITORY))} && exec env {_quote_environment(env or {})} {command}"
        session = TerminalSession(ssh_server.make_command(line), columns=columns, lines=lines, term=term)
        sessions.append(session)
        return session

    yield run
    for session in sessions:
        session.close()


def _quote_environment(changes: Mapping[str, str]) -> str:
    # A login does not hand on the variables that keep a test out of the real home and on loopback.
    handed_on = {name: os.environ[name] for name in os.environ if name.startswith("XDG_") or name.endswith("_proxy")}
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    values = {"HOME": os.environ["HOME"], "PATH": path, "LANG": "C.UTF-8", **handed_on, **changes}
    return " ".join(shlex.quote(f"{name}={value}") for name, value in values.items())
