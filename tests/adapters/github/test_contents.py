"""An inventory at another commit: what is the same is taken from the disk, and nothing is taken for what it is not."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest
import responses
from responses import matchers

from deploygate.adapters.github.client import Hub
from deploygate.adapters.github.contents import LARGEST, MOST, fetch
from deploygate.adapters.github.trouble import Absent, Denied, GitHubTrouble
from deploygate.names import Secret

REPO = "https://api.github.com/repos/acme/shop"
SHA = "1f" * 20
OLD, NEW = b"schema: 1\nservices: {}\n", b"schema: 1\n# changed\n"


def hub() -> Hub:
    return Hub("https://api.github.com", Secret("ghs_x"), "acme/shop")


def named(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def entry(name: str, content: bytes, kind: str = "file", size: int | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "path": f"fleet/{name}",
        "type": kind,
        "sha": named(content),
        "size": len(content) if size is None else size,
        "url": f"{REPO}/contents/fleet/{name}?ref={SHA}",
    }


def whole(name: str, content: bytes) -> dict[str, Any]:
    return entry(name, content) | {"encoding": "base64", "content": base64.encodebytes(content).decode()}


def serve(path: str, body: object, status: int = 200) -> None:
    responses.get(
        f"{REPO}/contents/{path}", json=body, status=status, match=[matchers.query_param_matcher({"ref": SHA})]
    )


def serve_blob(content: bytes) -> None:
    body = {"sha": named(content), "encoding": "base64", "content": base64.encodebytes(content).decode()}
    responses.get(f"{REPO}/git/blobs/{named(content)}", json=body)


@responses.activate
def test_a_file_is_one_call(tmp_path: Path) -> None:
    serve("fleet/services.yml", whole("services.yml", OLD))
    asked = hub()
    fetch(asked, SHA, "fleet/services.yml", tmp_path / "none.yml", tmp_path / "at" / "services.yml")
    assert ((tmp_path / "at" / "services.yml").read_bytes(), asked.calls) == (OLD, 1)


@responses.activate
def test_a_folder_is_one_call_and_one_for_each_file_that_differs(tmp_path: Path) -> None:
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet" / "same.yml").write_bytes(OLD)
    (tmp_path / "fleet" / "other.yaml").write_bytes(NEW)
    (tmp_path / "fleet" / "new.yml").write_bytes(NEW)
    gone = b"gone: 1\n"
    others = [entry(".hidden.yml", b"x"), entry("README.md", b"x"), entry("deeper", b"", "dir")]
    serve("fleet", [entry("same.yml", OLD), entry("other.yaml", OLD), entry("gone.yml", gone), *others])
    serve_blob(OLD)
    serve_blob(gone)
    asked = hub()
    fetch(asked, SHA, "fleet/", tmp_path / "fleet", tmp_path / "at")
    written = {path.name: path.read_bytes() for path in (tmp_path / "at").iterdir()}
    assert (written, asked.calls) == ({"same.yml": OLD, "other.yaml": OLD, "gone.yml": gone}, 3)


@responses.activate
def test_a_file_of_the_same_size_is_not_taken_for_the_same(tmp_path: Path) -> None:
    (tmp_path / "services.yml").write_bytes(OLD.replace(b"1", b"2"))
    serve("services.yml", whole("services.yml", OLD))
    fetch(hub(), SHA, "services.yml", tmp_path / "services.yml", tmp_path / "at.yml")
    assert (tmp_path / "at.yml").read_bytes() == OLD


@responses.activate
def test_a_large_file_comes_as_a_blob(tmp_path: Path) -> None:
    serve("services.yml", entry("services.yml", OLD) | {"encoding": "none", "content": ""})
    serve_blob(OLD)
    fetch(hub(), SHA, "services.yml", tmp_path / "none", tmp_path / "services.yml")
    assert (tmp_path / "services.yml").read_bytes() == OLD


@responses.activate
def test_the_repository_s_top_may_be_the_inventory(tmp_path: Path) -> None:
    serve("", [entry("services.yml", OLD)])
    serve_blob(OLD)
    fetch(hub(), SHA, ".", tmp_path / "none", tmp_path / "at")
    assert (tmp_path / "at" / "services.yml").read_bytes() == OLD


@pytest.mark.parametrize("message", ["Not Found", "No commit found for the ref 1f1f"])
@responses.activate
def test_a_commit_or_path_that_is_not_there_is_absent(tmp_path: Path, message: str) -> None:
    serve("services.yml", {"message": message}, status=404)
    with pytest.raises(Absent):
        fetch(hub(), SHA, "services.yml", tmp_path, tmp_path / "at")
    assert not (tmp_path / "at").exists()


@pytest.mark.parametrize("sha", ["", "0" * 40])
def test_before_the_first_commit_there_is_nothing_to_ask(tmp_path: Path, sha: str) -> None:
    asked = hub()
    with pytest.raises(Absent):
        fetch(asked, sha, "services.yml", tmp_path, tmp_path / "at")
    assert asked.calls == 0


@responses.activate
def test_f1_a_missing_permission_is_named(tmp_path: Path) -> None:
    serve("services.yml", {"message": "Resource not accessible by integration"}, status=403)
    with pytest.raises(Denied) as caught:
        fetch(hub(), SHA, "services.yml", tmp_path, tmp_path / "at")
    assert caught.value.permission == "contents: read"


@responses.activate
def test_what_is_too_large_is_not_asked_for(tmp_path: Path) -> None:
    serve("fleet", [entry("a.yml", OLD, size=LARGEST), entry("b.yml", NEW)])
    asked = hub()
    with pytest.raises(GitHubTrouble, match="larger than 16 MiB"):
        fetch(asked, SHA, "fleet", tmp_path, tmp_path / "at")
    assert asked.calls == 1


@responses.activate
def test_a_folder_that_github_does_not_list_to_its_end_is_not_taken_for_all(tmp_path: Path) -> None:
    serve("fleet", [entry(f"{number}.md", b"") for number in range(MOST)])
    with pytest.raises(GitHubTrouble, match="1,000 files or more"):
        fetch(hub(), SHA, "fleet", tmp_path, tmp_path / "at")


@pytest.mark.parametrize(("name", "kind"), [("a.yml", "symlink"), ("a.yml", "submodule"), ("x/../../a.yml", "file")])
@responses.activate
def test_nothing_but_files_in_the_folder_is_followed(tmp_path: Path, name: str, kind: str) -> None:
    serve("fleet", [entry(name, OLD, kind)])
    with pytest.raises(GitHubTrouble, match="has more than files in it"):
        fetch(hub(), SHA, "fleet", tmp_path, tmp_path / "at")


@responses.activate
def test_a_content_that_is_not_the_one_that_was_named_is_refused(tmp_path: Path) -> None:
    serve("services.yml", whole("services.yml", OLD) | {"content": base64.b64encode(NEW).decode()})
    with pytest.raises(GitHubTrouble, match="not the file that it named"):
        fetch(hub(), SHA, "services.yml", tmp_path, tmp_path / "at")


@pytest.mark.parametrize("path", ["/etc/services.yml", "../services.yml", "a/../../b"])
def test_a_path_outside_of_the_repository_is_refused(tmp_path: Path, path: str) -> None:
    asked = hub()
    with pytest.raises(GitHubTrouble, match="not in the repository"):
        fetch(asked, SHA, path, tmp_path, tmp_path / "at")
    assert asked.calls == 0
