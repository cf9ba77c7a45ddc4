"""Settings are one INI file: a section for each storage, `[DEFAULT]` for all of them, `[archive-tui]` for the program.

Keys are lower-cased and interpolation is off, so that a `%` in a secret means itself.
"""

from __future__ import annotations

import configparser
import difflib
import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import overload

from platformdirs import user_config_path

from archive_tui.errors import ConfigurationError

PROGRAM_SECTION = "archive-tui"
LIMIT_KEYS = ("bandwidth_limit", "jobs_at_once")
"""How much jobs may take, of the program and of each storage; `jobs.limits` reads them."""

DATASAFE_KEY = "datasafe"
RESULTS_KEY = "results"
"""In the section of a storage: the prefix below which a datasafe lies there. In that of the program: the storage whose
datasafe is meant when none is named."""

PROGRAM_KEYS = ("vault", "vault_prefix", DATASAFE_KEY, "manifest_format", "theme", "keymap", "retries", *LIMIT_KEYS)
MANIFEST_FORMATS = ("quoted", "sha256sum", "bsd", "json")
"""What `manifest_format` may be: the dialects in which manifests are written."""

SETTINGS_VARIABLE = "ARCHIVE_TUI_SETTINGS"


class SettingsWarning(UserWarning):
    """Something in a settings file that can be used, but is probably not what was meant."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`path` is None when there is no settings file. `storages` maps section names to their keys, `[DEFAULT]` mixed in;
    `own_keys` are the keys that stand in the section itself. `remarks` are sentences for the user."""

    path: Path | None
    storages: Mapping[str, Mapping[str, str]]
    program: Mapping[str, str] = field(default_factory=dict)
    own_keys: Mapping[str, frozenset[str]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


@overload
def read_config(section_name: None = None, config_name: str | Path = ...) -> configparser.ConfigParser: ...
@overload
def read_config(section_name: str, config_name: str | Path = ...) -> dict[str, str]: ...
def read_config(
    section_name: str | None = None, config_name: str | Path = "secrets/settings.ini"
) -> configparser.ConfigParser | dict[str, str]:
    """Reads an INI file: all of it as a parser, or one section as a plain dict with the `[DEFAULT]` keys mixed in.

    `'DEFAULT'` gives a dict even if the file is absent. A doubled percent sign, which files written for an
    interpolating reader need, is kept as it stands and reported by a SettingsWarning.

    Raises: ConfigurationError (a ValueError) `Error: [NAME] section not found in PATH`, and for a file that cannot be
    read or parsed.
    """
    parser = _parse(Path(config_name))
    if section_name is None:
        return parser
    if section_name == parser.default_section:
        values = dict(parser.defaults())
    elif parser.has_section(section_name):
        values = dict(parser[section_name])
    else:
        raise ConfigurationError(
            f"Error: [{section_name}] section not found in {config_name}",
            hint=_section_hint(section_name, parser, Path(config_name)),
        )
    for remark in _percent_remarks(section_name, values):
        warnings.warn(remark, SettingsWarning, stacklevel=2)
    return values


def user_settings_file() -> Path:
    """Where a user's own settings lie, found from any folder; it need not exist."""
    return user_config_path("archive-tui") / "settings.ini"


def find_settings_file(explicit: Path | None = None) -> Path | None:
    """Returns the settings file that counts, None when there is none.

    Order: `explicit`, `$ARCHIVE_TUI_SETTINGS`, `./settings.ini`, `./secrets/settings.ini`, the user's configuration
    folder. The first two must exist.

    Raises: ConfigurationError when a file that was named does not exist.
    """
    from_environment = os.environ.get(SETTINGS_VARIABLE)
    named = explicit or (Path(from_environment).expanduser() if from_environment else None)
    if named is not None:
        if not named.is_file():
            origin = "--settings" if explicit else f"${SETTINGS_VARIABLE}"
            raise ConfigurationError(
                f"No settings file at {named} (named by {origin}).",
                hint="Check the path, or copy settings.example.ini there and edit it.",
            )
        return named
    candidates = (Path("settings.ini"), Path("secrets/settings.ini"), user_settings_file())
    return next((path for path in candidates if path.is_file()), None)


def load_settings(explicit: Path | None = None) -> Settings:
    """Loads the settings file that `find_settings_file` finds; without one, settings without storages.

    Raises: ConfigurationError for a file that cannot be read or parsed, for misspelt keys of `[archive-tui]`, and for a
    `manifest_format` that is none.
    """
    path = find_settings_file(explicit)
    if path is None:
        return Settings(None, MappingProxyType({}))
    parser = _parse(path)
    storages: dict[str, Mapping[str, str]] = {}
    own_keys: dict[str, frozenset[str]] = {}
    remarks: list[str] = []
    for section in parser.sections():
        if section == PROGRAM_SECTION:
            continue
        storages[section] = MappingProxyType(dict(parser[section]))
        own_keys[section] = frozenset(parser._sections[section])  # type: ignore[attr-defined]
        remarks += _percent_remarks(section, storages[section])
        remarks += _token_remarks(section, storages[section])
    program: dict[str, str] = {}
    if parser.has_section(PROGRAM_SECTION):
        program = dict(parser[PROGRAM_SECTION])
        own = [key for key in program if key not in parser.defaults()]
        remarks += check_keys(PROGRAM_SECTION, own, PROGRAM_KEYS)
        _check_manifest_format(program)
    return Settings(path, MappingProxyType(storages), MappingProxyType(program), own_keys, tuple(remarks))


def _check_manifest_format(program: Mapping[str, str]) -> None:
    chosen = program.get("manifest_format")
    if chosen is not None and chosen not in MANIFEST_FORMATS:
        near = did_you_mean(chosen, MANIFEST_FORMATS)
        raise ConfigurationError(
            f"[{PROGRAM_SECTION}] manifest_format is none that can be written: {chosen}",
            hint=f"{near}There are: {', '.join(MANIFEST_FORMATS)}.",
        )


def check_keys(section: str, keys: Iterable[str], known: Iterable[str]) -> list[str]:
    """Returns remarks on keys that nobody reads.

    Raises: ConfigurationError for a key that looks like a misspelling of a known one.
    """
    known = tuple(known)
    remarks = []
    for key in keys:
        if key in known:
            continue
        close = difflib.get_close_matches(key, known, n=1, cutoff=0.75)
        if close:
            raise ConfigurationError(
                f"Unknown key in section [{section}]: {key}",
                hint=f"Did you mean {close[0]!r}?",
                code="unknown-key",
            )
        remarks.append(f"[{section}] has a key that nobody reads: {key}")
    return remarks


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Returns `Did you mean 'x'? ` for a near miss, else an empty text."""
    close = difflib.get_close_matches(word, tuple(known), n=1, cutoff=0.6)
    return f"Did you mean {close[0]!r}? " if close else ""


def _parse(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"), source=str(path))
    except FileNotFoundError:
        pass
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigurationError(
            f"Cannot read the settings file {path}: {reason}", hint="Check its permissions and encoding."
        ) from error
    except configparser.Error as error:
        # The parser's own message may quote a line, and a line may be a secret.
        where = f" (line {error.lineno})" if hasattr(error, "lineno") and error.lineno else ""
        raise ConfigurationError(
            f"The settings file {path} is not a valid INI file{where}: {type(error).__name__}",
            hint="Each section is [name], each line below it is key = value, and no section or key stands there twice.",
        ) from None
    return parser


def _percent_remarks(section: str, values: Mapping[str, str]) -> list[str]:
    return [
        f"[{section}] {key} holds a doubled percent sign; it is taken literally: write a single % if one is meant."
        for key, value in values.items()
        if "%%" in value
    ]


def _token_remarks(section: str, values: Mapping[str, str]) -> list[str]:
    if "url" not in values or ("token" not in values and "token_file" not in values):
        return []
    from archive_tui.names.plain_addresses import find_plain_host, warn_of_plain_token

    host = find_plain_host(values["url"])
    return [] if host is None else [f"[{section}] {warn_of_plain_token(host)}"]


def _section_hint(section: str, parser: configparser.ConfigParser, path: Path) -> str:
    if not path.is_file():
        return "There is no such file. Copy settings.example.ini there and edit it."
    names: list[str] = parser.sections()
    near = did_you_mean(section, names)
    return f"{near}The file has: {', '.join(names) or 'no sections'}."
