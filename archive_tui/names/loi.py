"""LOIs (Lab Object Identifiers): `42.ISSUER/TYPE/ID`, the names of measurements, recordings, samples and people.

Source of the form: the documentation of LOIs in LabInform. A LOI is judged to its very end: nothing may follow the last
element, and digits are those of ASCII.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from archive_tui.errors import InvalidLoiError, MissingLoiError

ROOT = "42"
TYPES = ("ds", "rec", "img", "info")
METHODS = ("cwepr", "trepr")
"""Methods of measurement that a dataset of an experiment may name, unless somebody configures others."""

LONGEST = 1000
"""Characters of the longest LOI; nobody writes a longer one into a notebook."""

NOT_VALID = "String is not a valid LOI."
NOT_DATASAFE = "LOI is not a datasafe LOI."
NOT_EXPERIMENT = "Loi ist not a valid experiment LOI."

_HINT = "A dataset is named like 42.1001/ds/exp/sa/42/cwepr/1."
_NUMBER = re.compile(r"[0-9]{1,64}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WORD = re.compile(r"[a-z0-9_-]+")
_LOI = re.compile(r"42\.([0-9]{1,64})/(ds|rec|img|info)(?:/(.*))?", re.DOTALL)
_UNSEEN = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_PEOPLE = ("tb", "ms", "jp", "dm", "cm")
_SAMPLES = ("batch", "sample", "substrate", "synthesis", "cell", "tube")
_CALCULATIONS = ("molecule", "geometry", "calculation")
_NAMED = ("project", "publication", "grant", "device", "chemical", "person")

Take = Callable[[], str]
"""Gives the next element, an empty text when there is none."""

Step = tuple[str, bool]
"""The name of a check, and whether it came out right."""


class Parser:
    """Takes a LOI apart. The attributes are those of the LOI that was parsed last, empty before."""

    def __init__(self) -> None:
        self.separator = "/"
        self.root = ROOT
        self.root_issuer_separator = "."
        self.issuer = ""
        self.type = ""
        self.id = ""

    def parse(self, loi: str = "") -> dict[str, str]:
        """Returns root, issuer, type and id, in this order. What the id means is for LoiChecker to judge.

        Raises: MissingLoiError, InvalidLoiError.
        """
        if not loi:
            raise MissingLoiError("No LOI provided.", hint=_HINT)
        found = _LOI.fullmatch(loi) if isinstance(loi, str) and len(loi) <= LONGEST else None
        if found is None:
            raise _refuse(loi, NOT_VALID)
        self.issuer, self.type, self.id = found[1], found[2], found[3] or ""
        return {"root": self.root, "issuer": self.issuer, "type": self.type, "id": self.id}

    def split_id(self) -> list[str]:
        """Returns the elements of the id; none before a LOI was parsed."""
        return self.id.split(self.separator) if self.id else []


class AbstractChecker:
    """A check of one text: `check(text)` says whether it is right."""

    def check(self, string: str = "") -> bool:
        raise NotImplementedError


class InListChecker(AbstractChecker):
    """The text is one of `list`."""

    def __init__(self) -> None:
        self.list: Sequence[str] = []

    def check(self, string: str = "") -> bool:
        return string in self.list


class IsPatternChecker(AbstractChecker):
    """All of the text has the form of the regular expression `pattern`."""

    def __init__(self) -> None:
        self.pattern = ""

    def check(self, string: str = "") -> bool:
        return re.fullmatch(self.pattern, string) is not None


class StartsWithChecker(AbstractChecker):
    """The text begins with `string`."""

    def __init__(self) -> None:
        self.string = ""

    def check(self, string: str = "") -> bool:
        return string.startswith(self.string)


class IsNumberChecker(AbstractChecker):
    """The text is one to 64 ASCII digits."""

    def check(self, string: str = "") -> bool:
        return _NUMBER.fullmatch(string) is not None


class IsDateChecker(AbstractChecker):
    """The text is a day that there is, as YYYY-MM-DD."""

    def check(self, string: str = "") -> bool:
        if _DATE.fullmatch(string) is None:
            return False
        try:
            date.fromisoformat(string)
        except ValueError:
            return False
        return True


class LoiChecker(AbstractChecker):
    """Judges whole LOIs. `ignore_check` names a check that is not made, nor are those after it; `methods` are the
    methods of measurement."""

    def __init__(self, methods: Sequence[str] = METHODS) -> None:
        self.ignore_check = ""
        self.methods = methods

    def check(self, string: str = "") -> bool:
        parser = Parser()
        try:
            parser.parse(string)
        except (InvalidLoiError, MissingLoiError):
            return False
        for name, is_right in _steps(parser.type, parser.id, self.methods):
            if name == self.ignore_check:
                return True
            if not is_right:
                return False
        return True


@dataclass(frozen=True, slots=True)
class DatasafeLoi:
    """The LOI of a dataset; of a reservation the `id` lacks its number."""

    issuer: str
    id: str

    @property
    def text(self) -> str:
        return f"{ROOT}.{self.issuer}/ds/{self.id}"


def parse_datasafe_loi(loi: str, *, methods: Sequence[str] = METHODS) -> DatasafeLoi:
    """Returns the parts of a whole LOI of a dataset.

    Raises: MissingLoiError, InvalidLoiError.
    """
    parser = _parse_dataset(loi)
    if not LoiChecker(methods).check(loi):
        raise _refuse(loi, NOT_VALID)
    return DatasafeLoi(parser.issuer, parser.id)


def parse_reservation(loi: str, *, methods: Sequence[str] = METHODS) -> DatasafeLoi:
    """Returns what a number is to be reserved for: an experiment without the number of the measurement. One that is
    given, and a slash at the end, are left out.

    Raises: MissingLoiError, InvalidLoiError.
    """
    parser = _parse_dataset(loi)
    parts = parser.id.removesuffix("/").split("/")
    if parts[0] != "exp":
        raise _refuse(loi, NOT_EXPERIMENT)
    length = 3 if len(parts) > 1 and IsDateChecker().check(parts[1]) else 4
    kind = "/".join(parts[:length])
    if len(parts) > length + 1 or not LoiChecker(methods).check(f"{ROOT}.{parser.issuer}/ds/{kind}/1"):
        raise _refuse(loi, NOT_VALID)
    if len(parts) > length and not IsNumberChecker().check(parts[length]):
        raise _refuse(loi, NOT_VALID)
    return DatasafeLoi(parser.issuer, kind)


def loi_sort_key(loi: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts as people count: …/2 comes before …/10."""
    parts = loi.replace(".", "/", 1).split("/")
    return tuple((0, int(part), part) if _NUMBER.fullmatch(part) else (1, 0, part) for part in parts)


def read_number(name: str) -> int | None:
    """Returns the number that a name is, as datasets are numbered: from 1, without leading zeros. None: it is none."""
    return int(name) if _NUMBER.fullmatch(name) and not name.startswith("0") else None


def _parse_dataset(loi: str) -> Parser:
    parser = Parser()
    parser.parse(loi)
    if parser.type != "ds":
        raise _refuse(loi, NOT_DATASAFE)
    return parser


def _refuse(loi: object, message: str) -> InvalidLoiError:
    return InvalidLoiError(message, name=str(loi)[:LONGEST], hint=_HINT)


def _steps(kind: str, identifier: str, methods: Sequence[str]) -> Iterator[Step]:
    """Yields the checks in the order of the elements; the last one is that nothing follows."""
    parts = identifier.split("/") if identifier else []
    if kind == "img":
        yield "LoiImgChecker", not identifier or _is_plain(parts)
        return
    taken = [0]

    def take() -> str:
        taken[0] += 1
        return parts[taken[0] - 1] if taken[0] <= len(parts) else ""

    if kind == "ds":
        group = take()
        yield "LoiDsChecker", group in ("exp", "calc")
        yield from _experiment(take, methods) if group == "exp" else _calculation(take)
    elif kind == "rec":
        yield "LoiRecChecker", _is_number(take())
    else:
        yield from _info(take)
    yield "LoiEndChecker", taken[0] == len(parts)


def _experiment(take: Take, methods: Sequence[str]) -> Iterator[Step]:
    thing = take()
    is_date = IsDateChecker().check(thing)
    yield "LoiExpChecker", is_date or thing in ("ba", "sa")
    if not is_date:
        yield "BaSaNumberChecker", _is_number(take())
    yield "LoiExpMethodChecker", take() in methods
    yield "LoiMeasurementNumberChecker", _is_number(take())


def _calculation(take: Take) -> Iterator[Step]:
    yield "LoiCalcChecker", take() in ("geo", "result")
    yield "LoiCalcNumberChecker", _is_number(take())


def _info(take: Take) -> Iterator[Step]:
    yield "LoiInfoChecker", take() in _PEOPLE
    what = take()
    yield "LoiInfoKindChecker", what in ("sample", "calculation", *_NAMED)
    if what in _NAMED:
        yield "LoiInfoNameChecker", _WORD.fullmatch(take()) is not None
        return
    yield "LoiInfoObjectChecker", take() in (_SAMPLES if what == "sample" else _CALCULATIONS)
    yield "LoiInfoNumberChecker", _is_number(take())


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _is_plain(parts: Sequence[str]) -> bool:
    return not any(part in ("", ".", "..") or _UNSEEN.search(part) for part in parts)
