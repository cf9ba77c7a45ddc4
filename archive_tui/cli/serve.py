"""`archive-tui serve`."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import click

from archive_tui.cli.diagnostics import ExitStatus, report_note, write_diagnostic
from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.errors import ConfigurationError

THREADS = 32


@click.command()
@click.option("--root", metavar="DIR", help="The datasafe in a folder.  [default: datasafe_root]")
@click.option("--storage", metavar="NAME", help="The datasafe in a storage of the settings.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Another address is served with a token only.")
@click.option("--port", default=5000, show_default=True, type=click.IntRange(0, 65535), help="0: any that is free.")
@click.option("--token-file", metavar="FILE", help="Ask every client for the token in FILE.")
@click.option("--max-size", metavar="SIZE", default="64 GiB", show_default=True, help="The largest dataset taken.")
@click.option("--threads", default=THREADS, show_default=True, type=click.IntRange(1, 1000), help="Requests at a time.")
@click.option("--access-log", metavar="FILE", help="Append a line of JSON for each request.  [default: standard error]")
@common_options
def serve(
    root: str | None,
    storage: str | None,
    host: str,
    port: int,
    token_file: str | None,
    max_size: str,
    threads: int,
    access_log: str | None,
) -> int:
    """Serve a datasafe over HTTP until Ctrl-C or SIGTERM, which let finish what runs.

    The interface is described at /openapi.json, a page for people is at /. TLS is the task of a proxy in front of it.
    """
    from archive_tui.archives.datasafe.opening import open_folder_safe
    from archive_tui.archives.datasafe.safes import open_storage_safe, read_token
    from archive_tui.cli.running import stop_on_signals
    from archive_tui.http_api.application import create_http_server
    from archive_tui.http_api.serving import serve as serve_application

    if root is not None and storage is not None:
        raise click.UsageError("One datasafe at a time: --root or --storage.")
    invocation = current_invocation()
    token = None if token_file is None else read_token(Path(token_file))
    _check_host(host, token)
    most, stop = parse_bytes(max_size), threading.Event()
    limits = {"max_size": most, "max_unpacked_size": most}
    if storage is not None:
        safe = open_storage_safe(invocation.load_settings(), storage, **limits)
    else:
        safe = open_folder_safe(Path(root or "datasafe_root"), create=True, **limits)
    application = create_http_server({"SAFE": safe, "TOKEN": token, "MAX_CONTENT_LENGTH": most})
    with safe, _LogFile(access_log) as log, stop_on_signals(stop):
        finished = serve_application(
            application,
            host=host,
            port=port,
            token=token,
            most=most,
            threads=threads,
            stop=stop,
            write_log=log.write,
            tell_address=lambda at, number: report_note(f"{safe.label} is served at http://{_show(at)}:{number}/"),
        )
    invocation.note("Stopped." if finished else "Stopped; some clients were cut off.")
    return ExitStatus.CLEAN


class _LogFile:
    """Writes lines to a file, or to standard error. One line at a time."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._file: TextIO | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> _LogFile:
        if self._path is not None:
            try:
                self._file = Path(self._path).open("a", encoding="ascii", buffering=1)
            except OSError as error:
                raise ConfigurationError(
                    f"The access log cannot be written: {self._path}: {error.strerror}", hint="Choose another file."
                ) from error
        return self

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def write(self) -> Callable[[str], None]:
        return self._write

    def _write(self, line: str) -> None:
        with self._lock:
            if self._file is None:
                write_diagnostic(line)
                return
            try:
                self._file.write(line + "\n")
            except OSError as error:
                write_diagnostic(f"The access log cannot be written: {error.strerror}")


def parse_bytes(text: str) -> int:
    """Returns a size such as `64 GiB` or `500MB` in bytes.

    Raises: ConfigurationError.
    """
    from archive_tui.names.typed_quantities import parse_rate

    try:
        return parse_rate(f"{text.strip()}/s")
    except ValueError as error:
        raise ConfigurationError(f"No size: {text}", hint="Write something like 500 MB or 64 GiB.") from error


def _check_host(host: str, token: str | None) -> None:
    """A proxy in front of the server always looks like this machine: so it is the address that counts.

    Raises: ConfigurationError for an address that others can reach, without a token.
    """
    try:
        is_own = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_own = False
    if token is None and not is_own:
        raise ConfigurationError(
            f"Others could reach the datasafe at {host}, and no token is asked for.",
            hint="Give it a token with --token-file FILE, or serve it at 127.0.0.1.",
            code="token-needed",
        )


def _show(host: str) -> str:
    return f"[{host}]" if ":" in host else host
