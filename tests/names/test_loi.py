"""LOIs: every form of the contract, and nothing else, to the last character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.errors import InvalidLoiError, MissingLoiError
from archive_tui.names.loi import (
    InListChecker,
    IsDateChecker,
    IsNumberChecker,
    IsPatternChecker,
    LoiChecker,
    Parser,
    StartsWithChecker,
    loi_sort_key,
    parse_datasafe_loi,
    parse_reservation,
    read_number,
)

LOI = "42.1001/ds/exp/sa/42/cwepr/1"

VALID = [
    LOI,
    "42.1/ds/exp/ba/7/trepr/1000",
    "42.1001/ds/exp/2020-04-25/cwepr/1",
    "42.1001/ds/exp/2024-02-29/trepr/12",
    "42.1001/ds/calc/geo/42",
    "42.1001/ds/calc/result/1",
    "42.1001/rec/42",
    "42.1001/img",
    "42.1001/img/foo",
    "42.1001/img/foo/bar.png",
    *(f"42.1001/info/tb/sample/{what}/42" for what in ("batch", "sample", "substrate", "synthesis", "cell", "tube")),
    *(f"42.1001/info/{who}/calculation/molecule/1" for who in ("tb", "ms", "jp", "dm", "cm")),
    "42.1001/info/ms/calculation/geometry/1",
    "42.1001/info/ms/calculation/calculation/1",
    *(
        f"42.1001/info/cm/{what}/a-name_7"
        for what in ("project", "publication", "grant", "device", "chemical", "person")
    ),
]

INVALID = [
    "foo",
    "42",
    "42.",
    "42./ds/exp/sa/42/cwepr/1",
    "43.1001/ds/exp/sa/42/cwepr/1",
    "42.abc/ds/exp/sa/42/cwepr/1",
    "42.1001",
    "42.1001/foo",
    "42.1001/ds",
    "42.1001/ds/",
    "42.1001/ds/foo",
    "42.1001/ds/exp",
    "42.1001/ds/exp/foo/cwepr/1",
    "42.1001/ds/exp/sa/foo/cwepr/1",
    "42.1001/ds/exp/sa/42/foo/1",
    "42.1001/ds/exp/sa/42/CWEPR/1",
    "42.1001/ds/exp/sa/42/cwepr",
    "42.1001/ds/exp/sa/42/cwepr/",
    "42.1001/ds/exp/sa/42/cwepr/a",
    "42.1001/ds/exp/sa/42/cwepr/-1",
    "42.1001/ds/exp/sa/42/cwepr/1.0",
    "42.1001/ds/exp/2020-30-01/cwepr/1",
    "42.1001/ds/exp/2023-02-29/cwepr/1",
    "42.1001/ds/exp/20200425/cwepr/1",
    "42.1001/ds/exp/0000-01-01/cwepr/1",
    "42.1001/ds/calc/foo/1",
    "42.1001/ds/calc/geo/foo",
    "42.1001/rec/foo",
    "42.1001/rec",
    "42.1001/info/xx/project/foo",
    "42.1001/info/tb/foo",
    "42.1001/info/tb/sample/foo/1",
    "42.1001/info/tb/sample/batch/foo",
    "42.1001/info/tb/calculation/molecule/foo",
    "42.1001/info/tb/project/foo#",
    "42.1001/info/tb/project/FOO",
    "42.1001/info/tb/project/",
    "42.1001/img/../x",
    "42.1001/img//x",
    "42.1001/img/a\x00b",
    f"{LOI}/",
    f"{LOI}/1",
    f"{LOI}/../../x",
    f"{LOI}/..",
    f"{LOI}\n",
    f"{LOI} ",
    f" {LOI}",
    f"{LOI}\x00",
    f"{LOI}%2F..",
    "42.1001/ds%2Fexp/sa/42/cwepr/1",
    "42.1001/ds/exp/sa/%34%32/cwepr/1",
    "42.1001/ds/exp/sa/../sa/42/cwepr/1",
    "42.1001//ds/exp/sa/42/cwepr/1",
    "42.1001\\ds\\exp\\sa\\42\\cwepr\\1",
    "42.1001/ds/exp/sa/٤٢/cwepr/1",
    "42.1001/ds/exp/sa/42/cwepr/１",
    "42.1001/ds/exp/sa/42/cwepr/²",
    "٤٢.1001/ds/exp/sa/42/cwepr/1",
    "42.１００１/ds/exp/sa/42/cwepr/1",
    "42.1001/ds/exp/２０２０-04-25/cwepr/1",
    "42.1001/ds/exp/sa/" + "4" * 10_000 + "/cwepr/1",
    LOI + "/1" * 5_000,
    "42.1001/img/" + "a" * 10_000,
]


@pytest.mark.parametrize("loi", VALID)
def test_what_the_contract_names_is_valid(loi: str) -> None:
    assert LoiChecker().check(loi)
    assert Parser().parse(loi)["root"] == "42"


@pytest.mark.parametrize("loi", INVALID)
def test_everything_else_is_not(loi: str) -> None:
    assert not LoiChecker().check(loi)
    with pytest.raises(InvalidLoiError):
        parse_datasafe_loi(loi)


def test_an_empty_text_is_no_loi() -> None:
    assert not LoiChecker().check("")
    for parse in (Parser().parse, parse_datasafe_loi, parse_reservation):
        with pytest.raises(MissingLoiError, match=r"^No LOI provided\.$"):
            parse("")


def test_parser_takes_a_loi_apart() -> None:
    parser = Parser()
    assert (parser.separator, parser.root, parser.root_issuer_separator) == ("/", "42", ".")
    assert (parser.issuer, parser.type, parser.id, parser.split_id()) == ("", "", "", [])
    found = parser.parse(LOI)
    assert list(found.items()) == [("root", "42"), ("issuer", "1001"), ("type", "ds"), ("id", "exp/sa/42/cwepr/1")]
    assert (parser.issuer, parser.type, parser.id) == ("1001", "ds", "exp/sa/42/cwepr/1")
    assert parser.split_id() == ["exp", "sa", "42", "cwepr", "1"]
    assert parser.parse("42.1001001/img")["issuer"] == "1001001"
    assert parser.split_id() == []


@pytest.mark.parametrize("loi", ["FOO", "42.1001/foo/1", "42/ds/exp", "42.x/ds/exp", "42.1001ds", "x" * 10_000])
def test_parser_refuses_what_has_not_the_form(loi: str) -> None:
    with pytest.raises(InvalidLoiError, match=r"^String is not a valid LOI\.$") as caught:
        Parser().parse(loi)
    assert len(caught.value.name) <= 1000


@pytest.mark.parametrize(
    ("loi", "ignored"),
    [
        ("42.1001/ds/foo", "LoiDsChecker"),
        ("42.1001/ds/exp/foo", "LoiExpChecker"),
        ("42.1001/ds/exp/sa/foo", "BaSaNumberChecker"),
        ("42.1001/ds/exp/sa/42/foo", "LoiExpMethodChecker"),
        ("42.1001/ds/exp/sa/42/cwepr/foo", "LoiMeasurementNumberChecker"),
        ("42.1001/ds/exp/sa/42/cwepr", "LoiMeasurementNumberChecker"),
    ],
)
def test_a_check_that_is_ignored_ends_the_judgement(loi: str, ignored: str) -> None:
    checker = LoiChecker()
    assert not checker.check(loi)
    checker.ignore_check = ignored
    assert checker.check(loi)


def test_methods_are_for_the_user_to_say() -> None:
    loi = "42.1001/ds/exp/sa/42/nmr/1"
    assert LoiChecker(["nmr"]).check(loi)
    assert not LoiChecker(["nmr"]).check(LOI)
    assert parse_datasafe_loi(loi, methods=["nmr"]).text == loi
    assert parse_reservation(loi, methods=["nmr"]).id == "exp/sa/42/nmr"


def test_the_small_checkers() -> None:
    in_list, pattern, starts = InListChecker(), IsPatternChecker(), StartsWithChecker()
    in_list.list, pattern.pattern, starts.string = ["foo", "bar"], r"\d{2}", "42."
    assert (in_list.check("foo"), in_list.check("foobar")) == (True, False)
    assert (pattern.check("42"), pattern.check("432"), pattern.check("42\n")) == (True, False, False)
    assert (starts.check("42.1001"), starts.check("43.1001")) == (True, False)
    assert (IsNumberChecker().check("42"), IsNumberChecker().check("ab"), IsNumberChecker().check("")) == (
        True,
        False,
        False,
    )
    assert (IsDateChecker().check("2020-04-25"), IsDateChecker().check("2020-30-01")) == (True, False)


@pytest.mark.parametrize("loi", ["42.1001/rec/42", "42.1001/img", "42.1001/info/tb/project/foo"])
def test_a_loi_of_another_kind_names_no_dataset(loi: str) -> None:
    for parse in (parse_datasafe_loi, parse_reservation):
        with pytest.raises(InvalidLoiError, match=r"^LOI is not a datasafe LOI\.$"):
            parse(loi)


@pytest.mark.parametrize(
    ("loi", "kind"),
    [
        (LOI, "exp/sa/42/cwepr"),
        ("42.1001/ds/exp/sa/42/cwepr", "exp/sa/42/cwepr"),
        ("42.1001/ds/exp/sa/42/cwepr/", "exp/sa/42/cwepr"),
        ("42.1001/ds/exp/sa/42/cwepr/777/", "exp/sa/42/cwepr"),
        ("42.1001/ds/exp/2020-04-25/trepr/3", "exp/2020-04-25/trepr"),
    ],
)
def test_a_reservation_leaves_the_number_out(loi: str, kind: str) -> None:
    assert parse_reservation(loi).id == kind


@pytest.mark.parametrize("loi", ["42.1001/ds/calc", "42.1001/ds/calc/geo/1", "42.1001/ds/foo", "42.1001/ds"])
def test_only_experiments_are_reserved(loi: str) -> None:
    with pytest.raises(InvalidLoiError, match=r"^Loi ist not a valid experiment LOI\.$"):
        parse_reservation(loi)


@pytest.mark.parametrize(
    "loi",
    [
        "42.1001/ds/exp",
        "42.1001/ds/exp/foo",
        "42.1001/ds/exp/sa/42",
        "42.1001/ds/exp/sa/42/foo",
        "42.1001/ds/exp/sa/42/cwepr/1/2",
        "42.1001/ds/exp/sa/42/cwepr/1/../../x",
        "42.1001/ds/exp/sa/42/cwepr/..",
        "42.1001/ds/exp/sa/42/cwepr//",
        "42.1001/ds/exp/sa/42/cwepr\n",
        "42.1001/ds/exp/sa/٤٢/cwepr",
        "42.1001/ds/exp/2023-02-29/cwepr",
    ],
)
def test_a_reservation_is_as_strict(loi: str) -> None:
    with pytest.raises(InvalidLoiError, match=r"^String is not a valid LOI\.$"):
        parse_reservation(loi)


@given(st.text(st.sampled_from("42.1001/dsexpac./\\%2Fwr٤２\n\x00- "), max_size=60))
def test_what_is_accepted_never_walks_out(text: str) -> None:
    for candidate in (text, f"42.1001/ds/exp/sa/42/cwepr/{text}", f"42.1001/ds/exp/sa/{text}/cwepr/1"):
        try:
            loi = parse_datasafe_loi(candidate)
        except (InvalidLoiError, MissingLoiError):
            continue
        assert loi.text == candidate
        assert candidate.isascii()
        parts = loi.id.split("/")
        assert parts[0] in ("exp", "calc")
        assert all(part.replace("-", "").isalnum() for part in parts)


@given(st.sampled_from(VALID), st.text(min_size=1, max_size=20))
def test_nothing_may_follow(loi: str, rest: str) -> None:
    if loi.startswith("42.1001/ds") and not rest.isascii():
        assert not LoiChecker().check(loi + rest)
    if loi.startswith("42.1001/ds"):
        assert not LoiChecker().check(f"{loi}/{rest}")


def test_long_texts_are_refused_at_once() -> None:
    for text in ("/" * 10_000_000, "42." + "1" * 10_000_000, "42.1/ds/exp/" + "a/" * 5_000_000):
        assert not LoiChecker().check(text)


def test_lois_sort_as_people_count() -> None:
    lois = [f"42.1001/ds/exp/sa/{sample}/cwepr/{number}" for sample in (2, 10) for number in (1, 2, 10, 100)]
    assert sorted(set(lois), key=loi_sort_key) == lois
    assert sorted(["x", "42.1/ds/a", "", "7"], key=loi_sort_key)[0] == "7"


@pytest.mark.parametrize(
    ("name", "number"), [("1", 1), ("120", 120), ("0", None), ("01", None), ("", None), ("a", None), ("²", None)]
)
def test_numbers_of_datasets(name: str, number: int | None) -> None:
    assert read_number(name) == number
