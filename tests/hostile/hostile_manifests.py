"""Hostile manifests, each named after what must happen; `__` and a word tell its cases apart.

never_written    the reader says the name as it stands; whoever writes files refuses it
stays_inside     an odd name, and yet one of a file: it may be made below the root, and nowhere else
disputed         every line is a line, but two of them cannot both be true, or both be made
bad_line         a line that is none, among good ones, is told by its number
no_line          there is no good line at all
refused          the document is refused, with a code
read             nothing is wrong with it, however odd it looks
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from archive_tui.manifests.checksum_lines import Dialect, ManifestLine

CONTENT = b"what the good lines stand for\n"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
OTHER_CONTENT = b"something else\n"
OTHER_DIGEST = hashlib.sha256(OTHER_CONTENT).hexdigest()

HEX = DIGEST.encode()
GOOD_LINE = HEX + b"  good\n"


@dataclass(frozen=True, slots=True)
class HostileManifest:
    """What the reader must say of `content`: the `good` lines, the numbers of the `bad` ones, or an error with `code`.

    Lines with DIGEST or OTHER_DIGEST can be fetched from a vault that holds CONTENT and OTHER_CONTENT.
    """

    name: str
    content: bytes
    dialect: Dialect = Dialect.SHA256SUM
    good: tuple[ManifestLine, ...] = ()
    bad: tuple[int, ...] = ()
    code: str = ""

    @property
    def outcome(self) -> str:
        return self.name.partition("__")[0]


HOSTILE_MANIFESTS: list[HostileManifest] = []


def _add(
    name: str,
    content: bytes,
    *good: ManifestLine,
    dialect: Dialect = Dialect.SHA256SUM,
    bad: tuple[int, ...] = (),
    code: str = "",
) -> None:
    HOSTILE_MANIFESTS.append(HostileManifest(name, content, dialect, good, bad, code))


def _line(number: int, name: str, digest: str = DIGEST, size: int | None = None) -> ManifestLine:
    return ManifestLine(number, name, digest, size)


def _quoted(name: str) -> bytes:
    return HEX + b'  "' + name.encode(errors="surrogateescape").replace(b"\\", b"\\\\") + b'"\n'


def _entry(**entry: object) -> bytes:
    return json.dumps({"format": "archive-tui manifest", "files": [{"path": "good", "sha256": DIGEST}, entry]}).encode()


GOOD = _line(1, "good")

NEVER_WRITTEN = {
    "traversal": "../evil",
    "traversal_far": "../" * 40 + "evil",
    "traversal_inside": "a/../../evil",
    "traversal_to_a_folder": "a/..",
    "parent": "..",
    "absolute": "/etc/archive-tui-evil",
    "absolute_twice": "//evil",
    "dot": ".",
    "dot_slash": "./",
    "folder": "folder/",
    "reserved_for_unfinished_files": ".archive-tui-1.part",
    "root": "/",
    "over_long": "a" * 256,
    "over_long_path": "/".join(["a" * 200] * 25),
    "traversal_behind_what_is_not_there": "no/such/../../../evil",
}
"""Names under which nothing may be written below a root."""

STAYS_INSIDE = {
    "drive": "C:/evil",
    "drive_relative": "C:evil",
    "unc": "?/C:/evil",
    "unc_backslash": "\\\\host\\evil",
    "backslash": "..\\evil",
    "device": "CON",
    "device_with_ending": "sub/NUL.txt",
    "home": "~/evil",
    "home_of_root": "~root",
    "variable": "$HOME/evil",
    "command": "$(touch evil)",
    "dash": "-rf",
    "glob": "*",
    "control": "a\x07b",
    "escape": "a\x1b[31mb",
    "escape_title": "\x1b]0;evil\x07",
    "c1_control": "a\x9b31mb",
    "bidi": "a\u202etxt.exe",
    "zero_width": "a\u200bb",
    "trailing_dot": "a.",
    "trailing_space": "a ",
    "leading_space": " a",
    "only_space": " ",
    "three_dots": "...",
    "dots_in_a_name": "a..b",
    "markup": "[bold red]x[/]",
    "markup_open": "[/b",
    "no_utf8": "a\udcff\udcfe",
    "percent": "%s%n",
    "reserved_for_the_manifest": "manifest.sha256",
    "private_use": "\ue000",
}
"""Names that are harmless below a root on this system; a screen shows them without obeying them."""

for _case, _name in NEVER_WRITTEN.items():
    _add(f"never_written__{_case}", _quoted(_name), _line(1, _name), dialect=Dialect.QUOTED)
    _add(f"never_written__{_case}_gnu", GOOD_LINE + HEX + b"  " + _name.encode() + b"\n", GOOD, _line(2, _name))
for _case, _name in STAYS_INSIDE.items():
    _add(f"stays_inside__{_case}", _quoted(_name), _line(1, _name), dialect=Dialect.QUOTED)

_add("stays_inside__line_break", b"\\" + HEX + b"  a\\nb\n", _line(1, "a\nb"))
_add(
    "stays_inside__a_line_in_a_name",
    HEX + b'  "a\\n' + HEX + b'  b"\n',
    _line(1, f"a\n{DIGEST}  b"),
    dialect=Dialect.QUOTED,
)
_add("stays_inside__lone_cr_line_ends", HEX + b"  a\r" + HEX + b"  b\r", _line(1, f"a\r{DIGEST}  b"))

for _case, _names in {
    "same_line_twice": ("a", "a"),
    "case": ("data", "Data"),
    "file_and_folder": ("a", "a/b"),
    "folder_and_file": ("a/b", "a"),
    "normalisation": (unicodedata.normalize("NFC", "café"), unicodedata.normalize("NFD", "café")),
    "another_spelling": ("a/b", "a/./b"),
    "two_slashes": ("a/b", "a//b"),
}.items():
    _content = b"".join(HEX + b"  " + name.encode() + b"\n" for name in _names)
    _add(f"disputed__{_case}", _content, *(_line(number, name) for number, name in enumerate(_names, 1)))
_add("disputed__two_digests", GOOD_LINE + OTHER_DIGEST.encode() + b"  good\n", GOOD, _line(2, "good", OTHER_DIGEST))
_add(
    "disputed__two_digests_json",
    json.dumps({"files": [{"path": "good", "sha256": digest} for digest in (DIGEST, OTHER_DIGEST)]}).encode(),
    GOOD,
    _line(2, "good", OTHER_DIGEST),
    dialect=Dialect.JSON,
)

for _case, _text in {
    "md5": b"d41d8cd98f00b204e9800998ecf8427e  x",
    "sha1": b"da39a3ee5e6b4b0d3255bfef95601890afd80709  x",
    "sha512": HEX * 2 + b"  x",
    "crc32": b"deadbeef  x",
    "md5_tag": b"MD5 (x) = d41d8cd98f00b204e9800998ecf8427e",
    "sha1_tag": b"SHA1 (x) = da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "md5_as_sha256": b"SHA256 (x) = " + HEX[:32],
    "one_digit_too_few": HEX[1:] + b"  x",
    "one_digit_too_many": HEX + b"0  x",
    "not_hexadecimal": b"g" * 64 + b"  x",
    "full_width_digits": "０".encode() * 64 + b"  x",
    "no_name": HEX,
    "empty_name": b"SHA256 () = " + HEX,
    "one_blank": HEX + b" x",
    "nul_in_name": HEX + b"  a\0b",
    "nul_at_end": HEX + b"  good\0",
    "nul_behind_digest": HEX + b"\0  x",
    "only_nul": b"\0" * 100,
    "bad_escape": b"\\" + HEX + b"  a\\x41",
    "lone_backslash": b"\\" + HEX + b"  a\\",
    "words": b"this is no line of a manifest",
    "terminal_escape": b"\x1b[2J\x1b]0;evil\x07",
    "vertical_tab": HEX + b"\x0bx",
    "indented_comment": b" # comment",
    "swapped": b"x  " + HEX,
    "mail_quote": b"> " + GOOD_LINE.rstrip(),
    "numbered": b"2: SHA256 (x) = " + HEX,
    "name_first_csv": b"x," + HEX,
    "no_closing_bracket": b"SHA256 (x = " + HEX,
    "merge_mark": b"<" * 7 + b" HEAD",
    "base64": b"SHA256 (x) = JPEdJiaTkSIN9bGNT4mtuTvSgVzz5c9xQIRS6O6eB0Q=",
}.items():
    _add(f"bad_line__{_case}", GOOD_LINE + _text + b"\n" + HEX + b"  last\n", GOOD, _line(3, "last"), bad=(2,))

for _case, _text in {
    "not_closed": HEX + b'  "x\\"',
    "quote_inside": HEX + b'  "a"b"',
    "bad_escape": HEX + b'  "a\\tb"',
    "empty": HEX + b'  ""',
    "nul": HEX + b'  "a\0b"',
    "mail_quote": b"> " + HEX + b'  "x"',
    "md5": b'd41d8cd98f00b204e9800998ecf8427e  "x"',
    "mark_of_gnu": b"words",
}.items():
    _add(
        f"bad_line__quoted_{_case}",
        _quoted("good") + _text + b"\n" + _quoted("last"),
        GOOD,
        _line(3, "last"),
        dialect=Dialect.QUOTED,
        bad=(2,),
    )

HEADER = b"File,SHA256,Vault\r\n"
for _case, _text in {
    "quote_not_closed": b'"x,' + HEX,
    "quote_inside": b'a"b",' + HEX,
    "too_many_columns": b"a,b," + HEX + b",no",
    "one_column": b"x",
    "empty_name": b"," + HEX,
    "md5": b"x,d41d8cd98f00b204e9800998ecf8427e",
    "nul": b"a\0b," + HEX,
    "swapped": HEX + b",x",
    "no_digest": b"x,,no",
    "formula": b"=cmd|' /C calc'!A0,",
    "header_again": HEADER.rstrip(),
}.items():
    _content = HEADER + b"good," + HEX + b",no\r\n" + _text + b"\r\nlast," + HEX + b"\r\n"
    _add(f"bad_line__csv_{_case}", _content, _line(2, "good"), _line(4, "last"), dialect=Dialect.CSV, bad=(3,))

for _case, _values in {
    "no_path": {"sha256": DIGEST},
    "path_is_a_number": {"path": 1, "sha256": DIGEST},
    "path_is_a_list": {"path": ["x"], "sha256": DIGEST},
    "empty_path": {"path": "", "sha256": DIGEST},
    "nul": {"path": "a\0b", "sha256": DIGEST},
    "two_paths": {"path": "x", "path_bytes": "eA==", "sha256": DIGEST},
    "no_digest": {"path": "x"},
    "digest_is_a_number": {"path": "x", "sha256": 7},
    "md5": {"path": "x", "sha256": "0" * 32},
    "digest_with_blank": {"path": "x", "sha256": DIGEST + " "},
    "digest_full_width": {"path": "x", "sha256": "０" * 64},
    "bad_base64": {"path_bytes": "===", "sha256": DIGEST},
    "base64_with_line_break": {"path_bytes": "e\nA==", "sha256": DIGEST},
    "base64_of_nul": {"path_bytes": "AA==", "sha256": DIGEST},
    "base64_is_no_ascii": {"path_bytes": "é", "sha256": DIGEST},
    "size_negative": {"path": "x", "sha256": DIGEST, "size": -1},
    "size_float": {"path": "x", "sha256": DIGEST, "size": 1.0},
    "size_huge": {"path": "x", "sha256": DIGEST, "size": 1 << 63},
    "size_text": {"path": "x", "sha256": DIGEST, "size": "1"},
    "size_true": {"path": "x", "sha256": DIGEST, "size": True},
    "dataset_entry": {"file": "x", "sha256": DIGEST},
}.items():
    _add(f"bad_line__json_{_case}", _entry(**_values), GOOD, dialect=Dialect.JSON, bad=(2,))
_add("bad_line__json_no_object", b'{"files": [[], 1, null, "x"]}', dialect=Dialect.JSON, bad=(1, 2, 3, 4))

_TEXT = GOOD_LINE.decode()
for _case, _content, _bad in (
    ("empty", b"", ()),
    ("blank_lines", b"\n\n\r\n", ()),
    ("comments", b"# nothing\n#\n", ()),
    ("utf_16_le", _TEXT.encode("utf-16-le"), (1, 2)),
    ("utf_16_be", _TEXT.encode("utf-16-be"), (1,)),
    ("utf_16_mark", b"\xff\xfe" + _TEXT.encode("utf-16-le"), (1, 2)),
    ("utf_32", _TEXT.encode("utf-32"), (1, 2)),
    ("byte_order_mark", b"\xef\xbb\xbf" + GOOD_LINE, (1,)),
    ("binary", bytes(range(256)), (1, 2)),
    ("zip", b"PK\x03\x04\0\0\n\n", (1,)),
    ("header_in_lower_case", b"file,sha256,vault\ngood," + HEX + b"\n", (1, 2)),
    ("header_with_semicolons", b"File;SHA256;Vault\n", (1,)),
    ("header_swapped", b"SHA256,File,Vault\n", (1,)),
    ("html", b"<!doctype html>\n<p>404</p>\n", (1, 2)),
    ("csv_lone_cr_line_ends", b"File,SHA256,Vault\rgood," + HEX + b"\r", (1,)),
    ("brackets", b"[" * 100_000, (1,)),
    ("brace", b"{ good }", (1,)),
):
    _add(f"no_line__{_case}", _content, bad=_bad)
_add("no_line__csv_header_only", HEADER, dialect=Dialect.CSV)
_add("no_line__json_empty", b'{"files": []}', dialect=Dialect.JSON)

for _case, _code, _content in (
    ("cut", "manifest-json", b'{"files": [{"path": "good"'),
    ("behind", "manifest-json", b'{"files": []} {}'),
    ("nan", "manifest-json", b'{"files": [], "x": NaN}'),
    ("infinity", "manifest-json", b'{"files": [], "x": -Infinity}'),
    ("huge_float", "manifest-json", b'{"files": [], "x": 1e999}'),
    ("huge_number", "manifest-json", b'{"files": [], "x": ' + b"9" * 5000 + b"}"),
    ("double_name", "manifest-json", b'{"files": [], "files": [1]}'),
    ("double_path", "manifest-json", b'{"files": [{"path": "a", "path": "b"}]}'),
    ("deep", "manifest-deep", b'{"x": ' + b"[" * 100_000),
    ("deep_objects", "manifest-deep", b'{"x": ' * 100_000),
    ("list", "manifest-form", b'[{"path": "good"}]'),
    ("no_files", "manifest-files", b"{}"),
    ("files_is_an_object", "manifest-files", b'{"files": {"good": 1}}'),
    ("format_is_a_number", "manifest-form", b'{"format": 1, "files": []}'),
    ("byte_order_mark", "manifest-encoding", b'\xef\xbb\xbf{"files": []}'),
    ("no_utf8", "manifest-encoding", b'{"files": [{"path": "\xff"}]}'),
    (
        "double_name_behind_many",
        "manifest-json",
        b"{" + b"".join(b'"%d": 0, ' % number for number in range(200_000)) + b'"0": 0}',
    ),
    ("half_a_surrogate", "manifest-encoding", b'{"files": [{"path": "\\ud800"}]}'),
    ("raw_control", "manifest-json", b'{"files": [{"path": "a\nb"}]}'),
):
    _add(f"refused__json_{_case}", _content, dialect=Dialect.JSON, code=_code)

_MIXED = (
    b"SHA256 (bsd) = " + HEX,
    HEX + b" *binary",
    b"\\" + HEX + b"  a\\\\b",
    HEX.upper() + b'  "quoted"',
    b"  " + HEX + b"\t x",
)
_add(
    "read__mixed_forms",
    GOOD_LINE + b"\n".join(_MIXED),
    GOOD,
    *(_line(number, name) for number, name in enumerate(("bsd", "binary", "a\\b", '"quoted"', "x"), 2)),
)
_add("read__quotes_not_everywhere", GOOD_LINE + HEX + b'  "x"\n', GOOD, _line(2, '"x"'))
_add("read__quote_not_closed_at_the_end", _quoted("a") + HEX + b'  "b', _line(1, '"a"'), _line(2, '"b'))
_add("read__one_blank_settles_the_file", HEX + b" a\n" + HEX + b"  b\n", _line(1, "a"), _line(2, " b"))
_add("read__no_final_newline", HEX + b"  good", GOOD)
_add("read__crlf", HEX + b"  good\r\n", GOOD)
_add("read__cr_twice", HEX + b"  good\r\r\n", _line(1, "good\r"))
_add("read__upper_case", HEX.upper() + b"  good\n", GOOD)
_add("read__its_own_digest", b"SHA256 (a) = x) = " + HEX, _line(1, "a) = x"), dialect=Dialect.BSD)
_add("read__quoted_byte_order_mark", b"\xef\xbb\xbf" + _quoted("good"), GOOD, dialect=Dialect.QUOTED)
_add(
    "bad_line__quoted_byte_order_mark_in_the_middle",
    _quoted("good") + b"\xef\xbb\xbf" + _quoted("x") + _quoted("last"),
    GOOD,
    _line(3, "last"),
    dialect=Dialect.QUOTED,
    bad=(2,),
)
_add("read__quoted_tab_crlf", HEX + b'\t"good"\r\n', GOOD, dialect=Dialect.QUOTED)
_add("read__csv_byte_order_mark", b"\xef\xbb\xbfFile,SHA256\ngood," + HEX, _line(2, "good"), dialect=Dialect.CSV)
_add(
    "read__csv_quoted_header",
    b'"File","SHA256","Vault"\n"good","' + HEX + b'",""\n',
    _line(2, "good"),
    dialect=Dialect.CSV,
)
_add(
    "read__csv_line_break",
    HEADER + b'"a,\n""b""",' + HEX + b"\nlast," + HEX,
    _line(2, 'a,\n"b"'),
    _line(4, "last"),
    dialect=Dialect.CSV,
)
_add(
    "read__json_unknown_names",
    b'{"x": {}, "files": [{"path": "good", "sha256": "%s", "x": 1}]}' % HEX,
    GOOD,
    dialect=Dialect.JSON,
)
_add(
    "read__json_bytes",
    b'{"files": [{"path_bytes": "YP8=", "sha256": "%s", "size": 0}]}' % HEX,
    _line(1, "`\udcff", size=0),
    dialect=Dialect.JSON,
)


def write_long_line(path: Path, size: int) -> None:
    """Line 2 has `size` bytes (a hole in the file: they take no room); lines 1 and 3 are good."""
    with path.open("wb") as file:
        file.write(GOOD_LINE)
        file.truncate(len(GOOD_LINE) + size)
        file.seek(0, 2)
        file.write(b"\n" + HEX + b"  last\n")


def write_many_lines(path: Path, count: int, form: bytes = HEX + b"  f%d\n") -> None:
    """`count` lines with the names f0, f1, …."""
    with path.open("wb") as file:
        for start in range(0, count, 10_000):
            file.write(b"".join(form % number for number in range(start, min(count, start + 10_000))))
