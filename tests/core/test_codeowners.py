"""The section of CODEOWNERS: its lines, its place, and what would make it vain."""

from dataclasses import replace

import pytest
from made import inventory, service

from deploygate.codeowners import BEGIN, END, Entry, entries, overridden, placed, section, shared, unmapped
from deploygate.findings import Severity, Where
from deploygate.inventory import Inventory, Owners

PEOPLE = {"nathan": "nathan-d", "cory": "cory", "Cory": "Cory", "obaid": "acme/product", "mona": "mona"}
LINES = section([Entry("/services.yml", ("cory",))])


def fleet(*parts: tuple[str, Owners, str]) -> Inventory:
    some = (service(name, owners=owners, where=Where(file, 3, 1)) for name, owners, file in parts)
    return replace(inventory(*some), people=PEOPLE)


TALK = Owners("nathan", "cory", "obaid")
FLEET = fleet(
    ("AdCaster", TALK, "services/AdCaster.yml"),
    ("AtlasDB", Owners("mona", "cory", "obaid"), "services/AtlasDB.yml"),
    ("IDBroker", TALK, "services/AdCaster.yml"),
)


def written(some: Inventory, path: str = "services", *, folder: bool = True) -> list[str]:
    return [str(one) for one in entries(some, path, folder=folder)]


def test_each_file_of_a_folder_has_the_owners_of_its_services_and_the_rest_is_everybody_s() -> None:
    assert written(FLEET) == [
        "/services/*.yml @acme/product @cory @mona @nathan-d",
        "/services/*.yaml @acme/product @cory @mona @nathan-d",
        "/services/AdCaster.yml @acme/product @cory @nathan-d",
        "/services/AtlasDB.yml @acme/product @cory @mona",
    ]


def test_one_file_is_everybody_s() -> None:
    assert written(FLEET, "ops/services.yml", folder=False) == ["/ops/services.yml @acme/product @cory @mona @nathan-d"]


@pytest.mark.parametrize("top", [".", ""])
def test_a_folder_that_is_the_repository_s_top_has_no_name(top: str) -> None:
    assert written(fleet(("A", TALK, "a.yml")), top)[::2] == [
        "/*.yml @acme/product @cory @nathan-d",
        "/a.yml @acme/product @cory @nathan-d",
    ]


def test_an_account_stands_once_however_it_is_spelt() -> None:
    assert written(fleet(("A", Owners("Cory", "cory", "obaid"), "a.yml")), "a.yml", folder=False) == [
        "/a.yml @acme/product @cory"
    ]


def test_a_name_that_can_only_be_hinted_at_comes_first_so_that_it_takes_nothing_from_the_others() -> None:
    some = fleet(("B", TALK, "s/a#.yml"), ("A", TALK, "s/a1.yml"), ("C", TALK, "s/Z.yml"))
    assert [one.split()[0] for one in written(some, "s")][2:] == ["/s/a?.yml", "/s/Z.yml", "/s/a1.yml"]


def test_an_owner_without_an_account_is_named() -> None:
    some = fleet(("A", Owners("zoe", "cory", "obaid"), "a.yml"), ("B", Owners("zoe", "cory", "zoe"), "a.yml"))
    (one,) = unmapped(some)
    assert one.says == "zoe (ops of A, and 2 others) has no account on GitHub"
    assert (one.rule, one.where) == ("unmapped-owner", Where("a.yml", 3, 1))
    assert unmapped(FLEET) == ()


def test_a_file_whose_services_have_different_owners_is_told() -> None:
    lines = entries(FLEET, "services.yml", folder=False)
    (one,) = shared(lines, FLEET, Where("services.yml"))
    assert (one.rule, one.severity) == ("shared-file", Severity.WARNING)
    assert one.says == "/services.yml has 3 services with different owners: all 4 are asked for each change of it"
    assert "folder" in one.help
    assert shared(entries(FLEET, "services", folder=True), FLEET, Where("services")) == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", LINES.encode()),
        (b"* @all\n", b"* @all\n\n" + LINES.encode()),
        (b"* @all", b"* @all\n\n" + LINES.encode()),
        (b"* @all\r\n", b"* @all\r\n\r\n" + LINES.replace("\n", "\r\n").encode()),
        (LINES.encode(), LINES.encode()),
        (
            f"# \u00e4\n{BEGIN} edited\nold @x\n{END}\n\n*.js @js\n".encode() + b"\xff\n",
            f"# \u00e4\n{LINES}\n*.js @js\n".encode() + b"\xff\n",
        ),
        (f"{BEGIN}\n{END}".encode(), LINES.removesuffix("\n").encode()),
        (f"a @b\r\n{BEGIN}\r\n{END}\r\n".encode(), b"a @b\r\n" + LINES.replace("\n", "\r\n").encode()),
    ],
)
def test_the_section_takes_its_place_and_everything_else_stays_to_the_byte(before: bytes, after: bytes) -> None:
    assert placed(before, LINES) == after
    assert placed(after, LINES) == after


@pytest.mark.parametrize(
    "content",
    [f"{BEGIN}\nx @y\n", f"x @y\n{END}\n", f"{END}\n{BEGIN}\n", f"{BEGIN}\n{BEGIN}\n{END}\n", f"{LINES}{LINES}"],
)
def test_markers_that_are_no_pair_are_left_alone(content: str) -> None:
    with pytest.raises(ValueError, match="two marker lines"):
        placed(content.encode(), LINES)


def test_a_line_that_only_looks_like_a_marker_is_none() -> None:
    assert placed(f"{END}less\n".encode(), LINES) == f"{END}less\n\n{LINES}".encode()


def test_a_later_line_that_takes_files_from_their_owners_is_told_since_the_last_one_wins() -> None:
    content = f"*.yml @before\n{LINES}*.js @js\n\n# *.yml @x\n*.yml @after # all\n/services/ @me\n".encode()
    found = overridden(content, ["services/a.yml", "services/b.yml"], "CODEOWNERS")
    assert [(one.where, one.says.partition(" comes")[0]) for one in found] == [
        (Where("CODEOWNERS", 8, 1), "*.yml @after # all"),
        (Where("CODEOWNERS", 9, 1), "/services/ @me"),
    ]
    assert "takes services/a.yml and 1 other from the owners" in found[0].says
    assert {(one.rule, one.severity) for one in found} == {("overridden", Severity.WARNING)}


def test_capitals_of_paths_count() -> None:
    content = f"{LINES}/SERVICES/ @me\n".encode()
    assert overridden(content, ["services/a.yml"], "CODEOWNERS") == ()
