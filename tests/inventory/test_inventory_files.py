"""Files and folders that no example can hold: too large, not text, not there, in many parts."""

import os
from pathlib import Path

import pytest

from deploygate.cli.loading import load_inventory
from deploygate.findings import Finding, Where

HEAD = "schema: 1\nenvironments: [parallel-chain, production]\n"
SERVICE = """\
services:
  {name}:
    purpose: Chooses the advertisement for a request.
    owners: {{ops: nathan, dev: cory, pm: obaid}}
    version: "2.0"
    deploy: {{killstart: {{root: /srv/{name}, start: [./run]}}}}
    instances:
      parallel-chain: [{{name: p1, address: "http://{name}-p1"}}]
      production: [{{name: a1, address: "http://{name}-1"}}, {{name: a2, address: "http://{name}-2"}}]
"""


def only(path: Path) -> tuple[str, Where, str]:
    loaded = load_inventory(path)
    assert loaded.inventory is None
    (finding,) = loaded.findings
    return finding.rule, finding.where, finding.says


def rules(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.rule for finding in findings]


def test_a_file_of_50_mb_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "services.yml"
    with file.open("wb") as stream:
        stream.truncate(50 * 2**20)
    assert only(file) == ("too-large", Where(str(file)), "50.0 MiB is more than 16 MiB")


def test_a_folder_is_bounded_as_a_whole(tmp_path: Path) -> None:
    for name in "abc":
        with (tmp_path / f"{name}.yml").open("wb") as stream:
            stream.truncate(6 * 2**20)
    assert only(tmp_path) == ("too-large", Where(str(tmp_path)), "18.0 MiB is more than 16 MiB")


def test_a_missing_file_is_a_finding(tmp_path: Path) -> None:
    missing = tmp_path / "services.yml"
    assert only(missing) == ("missing-file", Where(str(missing)), "there is no such file or folder")


def test_a_dangling_link_in_a_folder_is_a_finding(tmp_path: Path) -> None:
    link = tmp_path / "services.yml"
    link.symlink_to(tmp_path / "nowhere")
    assert only(tmp_path) == ("missing-file", Where(str(link)), "there is no such file or folder")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "services.yml"
    os.mkfifo(pipe)
    assert only(pipe) == ("unreadable-file", Where(str(pipe)), "this is not a file")


def test_a_path_that_cannot_be_is_a_finding() -> None:
    assert only(Path("a\0b"))[0] in {"missing-file", "unreadable-file"}  # which one depends on Python's version
    assert only(Path("a" * 5000))[0] == "unreadable-file"


def test_a_folder_without_yaml_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("nothing here")
    (tmp_path / ".hidden.yml").write_text("schema: 1")
    assert only(tmp_path) == ("empty-folder", Where(str(tmp_path)), "no *.yml or *.yaml file is in this folder")


def test_what_is_not_utf_8_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "services.yml"
    file.write_bytes(b"schema: 1\npurpose: Stra\xdfe\n")
    assert only(file) == ("encoding", Where(str(file), 2, 14), "byte 0xdf is not UTF-8")


def test_the_place_is_right_behind_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "services.yml"
    file.write_bytes(b"\xef\xbb\xbfschema: \xff\n")
    assert only(file) == ("encoding", Where(str(file), 1, 9), "byte 0xff is not UTF-8")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_named(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "services.yml"
    file.write_bytes(f"\ufeff{HEAD}".encode(encoding))
    assert only(file) == ("encoding", Where(str(file), 1, 1), "this file is UTF-16")


def test_a_null_character_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "services.yml"
    file.write_bytes(b"schema: 1\n\0")
    assert only(file) == ("control-character", Where(str(file), 2, 1), "the character U+0000 is not allowed")


def test_the_parts_of_a_folder_are_one_inventory(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(HEAD + "chains: {}\n")
    (tmp_path / "b.yaml").write_text(SERVICE.format(name="B"))
    (tmp_path / "c.yml").write_text(SERVICE.format(name="C"))
    loaded = load_inventory(tmp_path)
    assert loaded.findings == ()
    assert loaded.inventory is not None
    assert loaded.inventory.folder == str(tmp_path)
    assert {name: one.where for name, one in loaded.inventory.services.items()} == {
        "B": Where(str(tmp_path / "b.yaml"), 2, 3),
        "C": Where(str(tmp_path / "c.yml"), 2, 3),
    }


def test_relative_paths_of_a_file_are_relative_to_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "services.yml"
    file.write_text(HEAD + SERVICE.format(name="B"))
    loaded = load_inventory(file)
    assert loaded.inventory is not None
    assert loaded.inventory.folder == str(tmp_path)


def test_a_service_in_two_files_names_both_places(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(HEAD + SERVICE.format(name="B"))
    (tmp_path / "b.yml").write_text(SERVICE.format(name="B"))
    assert only(tmp_path) == (
        "duplicate-key",
        Where(str(tmp_path / "b.yml"), 2, 3),
        f'the key "B" was given before, at {tmp_path / "a.yml"}:4:3',
    )


def test_other_keys_stand_in_one_file_only(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(HEAD + SERVICE.format(name="B"))
    (tmp_path / "b.yml").write_text("schema: 1\n")
    assert only(tmp_path) == (
        "duplicate-key",
        Where(str(tmp_path / "b.yml"), 1, 1),
        f'the key "schema" was given before, at {tmp_path / "a.yml"}:1:1',
    )


def test_every_broken_file_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("a: [")
    (tmp_path / "b.yml").write_text("")
    (tmp_path / "c.yml").write_text(HEAD)
    loaded = load_inventory(tmp_path)
    assert loaded.inventory is None
    assert [(one.rule, Path(one.where.file).name) for one in loaded.findings] == [
        ("syntax", "a.yml"),
        ("empty-file", "b.yml"),
    ]


def test_a_part_that_is_no_table_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(HEAD + SERVICE.format(name="B"))
    (tmp_path / "b.yml").write_text("- 1\n")
    assert only(tmp_path) == ("wrong-type", Where(str(tmp_path / "b.yml"), 1, 1), "the inventory must be a table")


def test_misfits_are_shown_up_to_a_number(tmp_path: Path) -> None:
    file = tmp_path / "services.yml"
    file.write_text("".join(f"key{index}: 1\n" for index in range(5_000)))
    findings = load_inventory(file).findings
    assert len(findings) == 1_001
    assert rules(findings).count("too-many") == 1


def test_deep_nesting_ends_at_once(tmp_path: Path) -> None:
    file = tmp_path / "services.yml"
    file.write_text("[" * 100_000)
    assert only(file)[0] == "too-deep"


def test_an_alias_bomb_is_not_walked(tmp_path: Path) -> None:
    levels = "".join(f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 10)}]\n" for level in range(1, 30))
    file = tmp_path / "services.yml"
    file.write_text(f"l0: &l0 [x]\n{levels}")
    assert only(file)[0] == "alias"


def test_aliases_of_a_long_text_count_as_what_they_cost(tmp_path: Path) -> None:
    file = tmp_path / "services.yml"
    file.write_text(f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 100)}]\n")
    assert only(file)[0] == "alias"
