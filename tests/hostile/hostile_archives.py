"""Hostile archives, each named after the refusal that it must give; `__` and a word tell its cases apart."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from tests.hostile.zip_builder import Lying, build, deflate, end_record, split, zip64_end

Generator = Callable[[], bytes]
GENERATORS: dict[str, Generator] = {}


def hostile(generator: Generator) -> Generator:
    GENERATORS[generator.__name__] = generator
    return generator


def refusal_of(name: str) -> str:
    return name.partition("__")[0].replace("_", "-")


def _named(case: str, name: str) -> None:
    if name.endswith("/"):
        member = Lying(name.encode(), content=b"", method=0, attributes=0o040755 << 16)
    else:
        member = Lying(name.encode(), flags=0x800)
    GENERATORS[f"archive_member_path__{case}"] = lambda: build(member)


for _case, _name in {
    "absolute": "/etc/passwd", "parent": "../evil", "parent_inside": "a/../../evil", "dot": "a/./b",
    "empty_part": "a//b",
    "backslash": "a\\b", "drive": "C:/evil", "drive_relative": "C:evil", "unc": "\\\\host\\share", "home": "~/evil",
    "nul": "a\0.txt", "control": "a\x1b[31mb", "bidi": "a\u202etxt.exe", "trailing_dot": "a./b", "trailing_space": "a ",
    "device": "sub/CON.txt", "long_part": "a" * 256, "long": "/".join(["a" * 200] * 25), "folder_absolute": "/etc/",
    "temporary": ".archive-tui-1.part", "other_case_of_manifest": "Manifest.json", "manifest_folder": "manifest.json/",
}.items():  # fmt: skip
    _named(_case, _name)


@hostile
def archive_member_path__empty() -> bytes:
    return build(Lying(name=b""))


@hostile
def archive_name_encoding() -> bytes:
    return build(Lying(name=b"\xff\xfe.txt", flags=0x800))


@hostile
def archive_symlink() -> bytes:
    return build(Lying(attributes=0o120777 << 16, content=b"/etc/passwd", method=0))


@hostile
def archive_symlink__from_another_host() -> bytes:
    return build(Lying(attributes=0o120777 << 16, content=b"/etc", method=0, host=0))


@hostile
def archive_symlink__and_a_file_through_it() -> bytes:
    link = Lying(name=b"out", attributes=0o120777 << 16, content=b"/tmp", method=0)
    return build(link, Lying(name=b"out/evil"))


@hostile
def archive_device__character() -> bytes:
    return build(Lying(attributes=0o020666 << 16))


@hostile
def archive_device__block() -> bytes:
    return build(Lying(attributes=0o060666 << 16))


@hostile
def archive_device__pipe() -> bytes:
    return build(Lying(attributes=0o010666 << 16))


@hostile
def archive_device__socket() -> bytes:
    return build(Lying(attributes=0o140666 << 16))


@hostile
def archive_setuid() -> bytes:
    return build(Lying(attributes=0o104755 << 16))


@hostile
def archive_setuid__group() -> bytes:
    return build(Lying(attributes=0o102755 << 16))


@hostile
def archive_hard_link__pkware_unix() -> bytes:
    return build(Lying(extra=struct.pack("<2H", 0x000D, 17) + bytes(12) + b"/etc/"))


@hostile
def archive_hard_link__asi_unix() -> bytes:
    field = struct.pack("<LHL2H", 0, 0o120777, 4, 0, 0) + b"/etc"
    return build(Lying(extra=struct.pack("<2H", 0x756E, len(field)) + field))


@hostile
def archive_file_type__folder_without_slash() -> bytes:
    return build(Lying(attributes=0o040755 << 16))


@hostile
def archive_file_type__file_with_slash() -> bytes:
    return build(Lying(name=b"a/", content=b"", method=0))


@hostile
def archive_file_type__dos_folder() -> bytes:
    return build(Lying(attributes=0x10, host=0))


@hostile
def archive_folder_content() -> bytes:
    return build(Lying(name=b"a/", attributes=0o040755 << 16))


@hostile
def archive_duplicate_name() -> bytes:
    return build(Lying(), Lying(content=b"other"))


@hostile
def archive_duplicate_name__file_and_folder_entry() -> bytes:
    return build(Lying(name=b"a"), Lying(name=b"a/", content=b"", method=0, attributes=0o040755 << 16))


@hostile
def archive_name_clash__case() -> bytes:
    return build(Lying(name=b"data.csv"), Lying(name=b"Data.csv"))


@hostile
def archive_name_clash__normalisation() -> bytes:
    return build(*(Lying(name=name.encode(), flags=0x800) for name in ("caf\u00e9", "cafe\u0301")))


@hostile
def archive_name_clash__file_and_folder() -> bytes:
    return build(Lying(name=b"a"), Lying(name=b"a/b"))


@hostile
def archive_name_clash__folders_of_two_cases() -> bytes:
    folder = {"content": b"", "method": 0, "attributes": 0o040755 << 16}
    return build(Lying(name=b"Sub/", **folder), Lying(name=b"sub/", **folder))


@hostile
def archive_overlap__one_body_for_all() -> bytes:
    """Many members over one body: small in the archive, huge unpacked."""
    body = deflate(bytes(100_000))
    kernel = Lying(name=b"0", content=bytes(100_000))
    central = b"".join(
        Lying(name=b"%d" % index, content=bytes(100_000), body=body).central_record(0) for index in range(10)
    )
    archive = kernel.local_record()
    return archive + central + end_record(10, len(central), len(archive))


@hostile
def archive_overlap__header_inside_another() -> bytes:
    inner = Lying(name=b"b", method=0, content=b"x" * 50).local_record()
    outer = Lying(name=b"a", method=0, content=inner)
    central = outer.central_record(0) + Lying(name=b"b", method=0, content=b"x" * 50).central_record(31)
    archive = outer.local_record()
    return archive + central + end_record(2, len(central), len(archive))


@hostile
def archive_overlap__into_the_directory() -> bytes:
    return build(Lying(method=0, compressed_size=100_000, size=100_000))


@hostile
def archive_gap__large() -> bytes:
    return build(Lying(name=b"a"), Lying(name=b"b", before=bytes(100_000)))


@hostile
def archive_gap__small() -> bytes:
    return build(Lying(name=b"a"), Lying(name=b"b", before=b"hidden"))


@hostile
def archive_gap__hidden_member() -> bytes:
    return build(Lying(name=b"a"), Lying(name=b"c", before=Lying(name=b"b").local_record()))


@hostile
def archive_gap__before_the_directory() -> bytes:
    members, central = split(Lying())
    return members + b"hidden" + central + end_record(1, len(central), len(members) + 6)


@hostile
def archive_data_before() -> bytes:
    return build(Lying(), before=b"#!/bin/sh\n")


@hostile
def archive_directory_place__data_before() -> bytes:
    return b"#!/bin/sh\n" + build(Lying())


@hostile
def archive_directory_place__data_after_the_directory() -> bytes:
    members, central = split(Lying())
    return members + central + b"hidden" + end_record(1, len(central), len(members))


@hostile
def archive_trailing_data() -> bytes:
    return build(Lying()) + b"trailing"


@hostile
def archive_trailing_data__cut_in_the_end_record() -> bytes:
    return build(Lying())[:-3]


@hostile
def archive_no_end() -> bytes:
    return b"no zip archive at all" * 100


@hostile
def archive_no_end__nothing() -> bytes:
    return b""


@hostile
def archive_no_end__cut() -> bytes:
    return build(Lying(), Lying(name=b"b"))[:-30]


@hostile
def archive_two_ends() -> bytes:
    inner = build(Lying(name=b"other"))
    members, central = split(Lying())
    return members + central + end_record(1, len(central), len(members), comment=inner)


@hostile
def archive_comment() -> bytes:
    members, central = split(Lying())
    hidden = end_record(1, len(central), len(members)) + b"and more"
    return members + central + end_record(1, len(central), len(members), comment=hidden)


@hostile
def archive_comment__zip64() -> bytes:
    members, central = split(Lying())
    hidden = zip64_end(1, len(central), len(members)) + b"and more"
    return members + central + end_record(1, len(central), len(members), comment=hidden)


@hostile
def archive_several_disks__end_record() -> bytes:
    members, central = split(Lying())
    return members + central + end_record(1, len(central), len(members), disk=1)


@hostile
def archive_several_disks__counts() -> bytes:
    members, central = split(Lying())
    return members + central + end_record(1, len(central), len(members), total=2)


@hostile
def archive_several_disks__member() -> bytes:
    return build(Lying(disk=1))


@hostile
def archive_several_disks__locator() -> bytes:
    members, central = split(Lying())
    end = zip64_end(1, len(central), len(members), disks=2) + end_record(1, len(central), len(members))
    return members + central + end


@hostile
def archive_several_disks__zip64() -> bytes:
    members, central = split(Lying())
    end = zip64_end(1, len(central), len(members), record_disk=1) + end_record(1, len(central), len(members))
    return members + central + end


@hostile
def archive_zip64_locator__nowhere() -> bytes:
    members, central = split(Lying())
    end = zip64_end(1, len(central), len(members), record_offset=1 << 40)
    return members + central + end + end_record(1, len(central), len(members))


@hostile
def archive_zip64_locator__another_record() -> bytes:
    members, central = split(Lying())
    other = zip64_end(1, len(central), len(members))[:56]
    end = zip64_end(1, len(central), len(members), record_offset=len(members + central))
    return members + central + other + end + end_record(1, len(central), len(members))


@hostile
def archive_zip64_locator__record_size() -> bytes:
    members, central = split(Lying())
    end = zip64_end(1, len(central), len(members), record_size=45)
    return members + central + end + end_record(1, len(central), len(members))


@hostile
def archive_zip64_disagrees__count() -> bytes:
    """65,537 members look like one to a reader that counts modulo 65,536."""
    members, central = split(*(Lying(name=b"%d" % index, method=0, content=b"") for index in range(65_537)))
    return members + central + zip64_end(65_537, len(central), len(members)) + end_record(1, len(central), len(members))


@hostile
def archive_zip64_disagrees__offset() -> bytes:
    members, central = split(Lying())
    return members + central + zip64_end(1, len(central), len(members)) + end_record(1, len(central), 7)


@hostile
def archive_entry_count__modulo() -> bytes:
    members, central = split(*(Lying(name=b"%d" % index, method=0, content=b"") for index in range(65_537)))
    return members + central + end_record(1, len(central), len(members))


@hostile
def archive_entry_count__more() -> bytes:
    members, central = split(Lying(name=b"a"), Lying(name=b"b"))
    return members + central + end_record(1, len(central), len(members))


@hostile
def archive_entry_count__fewer() -> bytes:
    members, central = split(Lying())
    return members + central + end_record(9, len(central), len(members))


@hostile
def archive_entry_count__one_fewer() -> bytes:
    members, central = split(Lying(comment=b"c" * 200))
    return members + central + end_record(2, len(central), len(members))


@hostile
def archive_empty() -> bytes:
    return end_record(0, 0, 0)


@hostile
def archive_too_many_members() -> bytes:
    members, central = split(Lying())
    count = 1 << 40
    end = zip64_end(count, len(central), len(members)) + end_record(0xFFFF, len(central), len(members))
    return members + central + end


@hostile
def archive_directory() -> bytes:
    members, central = split(Lying())
    return members + b"XX" + central[2:] + end_record(1, len(central), len(members))


@hostile
def archive_encrypted() -> bytes:
    return build(Lying(flags=1))


@hostile
def archive_encrypted__strong() -> bytes:
    return build(Lying(flags=0x40))


@hostile
def archive_encrypted__masked_headers() -> bytes:
    return build(Lying(flags=0x2000))


@hostile
def archive_encrypted__aes() -> bytes:
    return build(Lying(extra=struct.pack("<3H2sBH", 0x9901, 7, 2, b"AE", 3, 8)))


@hostile
def archive_flags__patch() -> bytes:
    return build(Lying(flags=0x20))


@hostile
def archive_method__bzip2() -> bytes:
    return build(Lying(method=12, content=b"x"))


@hostile
def archive_method__lzma() -> bytes:
    return build(Lying(method=14, content=b"x"))


@hostile
def archive_extra_field__cut() -> bytes:
    return build(Lying(extra=b"\x55\x54\x09\x00\x01"))


@hostile
def archive_extra_field__rest() -> bytes:
    return build(Lying(extra=b"\x55\x54"))


@hostile
def archive_extra_field__two_zip64() -> bytes:
    field = struct.pack("<2HQ", 1, 8, 10)
    return build(Lying(extra=field + field, size=0xFFFFFFFF))


@hostile
def archive_zip64_field__missing() -> bytes:
    return build(Lying(size=0xFFFFFFFF))


@hostile
def archive_zip64_field__uncalled() -> bytes:
    return build(Lying(extra=struct.pack("<2HQ", 1, 8, 1 << 40)))


@hostile
def archive_unicode_path__another_name() -> bytes:
    field = struct.pack("<BL", 1, zlib.crc32(b"a.txt")) + b"b.txt"
    return build(Lying(extra=struct.pack("<2H", 0x7075, len(field)) + field))


@hostile
def archive_unicode_path__in_the_local_header() -> bytes:
    field = struct.pack("<BL", 1, zlib.crc32(b"a.txt")) + b"b.txt"
    return build(Lying(local={"extra": struct.pack("<2H", 0x7075, len(field)) + field}))


@hostile
def archive_ratio() -> bytes:
    return build(Lying(size=1 << 30, body=deflate(b"x")))


@hostile
def archive_size__stored_with_two() -> bytes:
    return build(Lying(method=0, size=10))


@hostile
def archive_local_header__name() -> bytes:
    return build(Lying(local={"name": b"b.txt"}))


@hostile
def archive_local_header__size() -> bytes:
    return build(Lying(local={"size": 5}))


@hostile
def archive_local_header__compressed_size() -> bytes:
    return build(Lying(local={"compressed_size": 5}))


@hostile
def archive_local_header__method() -> bytes:
    return build(Lying(local={"method": 0}))


@hostile
def archive_local_header__flags() -> bytes:
    return build(Lying(local={"flags": 1}))


@hostile
def archive_local_header__crc() -> bytes:
    return build(Lying(local={"crc": 5}))


@hostile
def archive_local_header__signature() -> bytes:
    return build(Lying(local={"signature": b"PK\3\5"}))


@hostile
def archive_descriptor__crc() -> bytes:
    return build(Lying(flags=8, descriptor=struct.pack("<4s3L", b"PK\7\x08", 1, 2, 3)))


@hostile
def archive_descriptor__signature() -> bytes:
    member = Lying(flags=8)
    return build(Lying(flags=8, descriptor=struct.pack("<4s3L", b"XX\7\x08", *member.descriptor_values())))


@hostile
def archive_gap__descriptor_missing() -> bytes:
    return build(Lying(flags=8, descriptor=b""))
