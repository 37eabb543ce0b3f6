"""Git's objects, refs and files: named as git names them, and written only onto what the writer has seen."""

import base64
import subprocess
from pathlib import Path

import pytest

from deploygate.fake_github import Repository
from fake_github.caller import Caller


def text(content: str) -> str:
    return base64.b64decode(content).decode()


def coded(content: str) -> str:
    return base64.b64encode(content.encode()).decode()


def test_objects_have_the_names_that_git_gives_them(repo: Repository, tmp_path: Path) -> None:
    files = {"services.yml": "schema: 1\n", "teams/a.yml": "one\n", "teams/b/c.yml": "two\n", "teams.yml": "three\n"}
    sha = repo.commit({**files, "README.md": None}, "Begin with services")
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)

    def git(*words: str) -> str:
        settings = ("-c", "core.autocrlf=false", "-c", "init.defaultBranch=main")
        done = subprocess.run(["git", *settings, *words], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "-q")
    git("add", "--all")
    commit = repo.objects.commits[sha]
    assert git("write-tree") == commit.tree
    assert git("hash-object", "services.yml") == repo.objects.add_blob(b"schema: 1\n")


def test_a_commit_has_what_is_new_and_what_was_there(repo: Repository) -> None:
    repo.commit({"a.yml": "1", "b.yml": "1"}, "first")
    repo.commit({"a.yml": "2", "b.yml": None}, "second")
    assert (repo.text("a.yml"), repo.text("b.yml"), repo.text("README.md")) == ("2", None, "# shop\n")


def test_a_file_is_read_at_a_branch_a_tag_or_a_commit(repo: Repository, ask: Caller) -> None:
    first = repo.commit({"a.yml": "1"}, "first")
    repo.commit({"a.yml": "2"}, "second")
    repo.commit({"a.yml": "3"}, "third", branch="feature/x")
    ask.made("POST", "/git/refs", {"ref": "refs/tags/v1", "sha": first})
    read = {ref: text(ask.made("GET", f"/contents/a.yml?ref={ref}")["content"]) for ref in (first, "v1", "feature/x")}
    assert read == {first: "1", "v1": "1", "feature/x": "3"}
    assert text(ask.made("GET", "/contents/a.yml")["content"]) == "2"


def test_a_folder_is_a_list_and_so_is_the_top(repo: Repository, ask: Caller) -> None:
    repo.commit({"teams/a.yml": "1", "teams/b/c.yml": "2"}, "teams")
    listed = ask("GET", "/contents/teams").json()
    assert [(one["name"], one["type"], one["size"]) for one in listed] == [("a.yml", "file", 1), ("b", "dir", 0)]
    assert [one["name"] for one in ask("GET", "/contents/").json()] == ["README.md", "teams"]


def test_what_is_not_there_is_not_found(ask: Caller) -> None:
    assert ask("GET", "/contents/nothing.yml").status_code == 404
    assert ask("GET", "/contents/README.md?ref=nowhere").status_code == 404


def test_a_file_above_a_megabyte_comes_without_its_content(repo: Repository, ask: Caller) -> None:
    repo.commit({"large": "x" * (1024 * 1024 + 1)}, "large")
    found = ask.made("GET", "/contents/large")
    assert (found["encoding"], found["content"], found["size"]) == ("none", "", 1024 * 1024 + 1)
    assert len(base64.b64decode(ask.made("GET", f"/git/blobs/{found['sha']}")["content"])) == 1024 * 1024 + 1


def test_a_tree_is_one_level_or_all_of_it_with_the_blobs_sizes(repo: Repository, ask: Caller) -> None:
    sha = repo.commit({"teams/a.yml": "12"}, "teams")
    flat = ask.made("GET", f"/git/trees/{sha}")["tree"]
    deep = ask.made("GET", f"/git/trees/{sha}?recursive=1")["tree"]
    assert [one["path"] for one in flat] == ["README.md", "teams"]
    assert [(one["path"], one["type"], one.get("size")) for one in deep] == [
        ("README.md", "blob", 7),
        ("teams", "tree", None),
        ("teams/a.yml", "blob", 2),
    ]


def test_a_new_file_is_created_and_a_known_one_updated(repo: Repository, ask: Caller) -> None:
    created = ask("PUT", "/contents/a.yml", {"message": "add", "content": coded("1"), "branch": "main"})
    assert (created.status_code, repo.text("a.yml")) == (201, "1")
    body = {"message": "set", "content": coded("2"), "sha": created.json()["content"]["sha"]}
    updated = ask("PUT", "/contents/a.yml", body)
    assert (updated.status_code, repo.text("a.yml")) == (200, "2")
    assert updated.json()["commit"]["sha"] == repo.sha()


def test_a_file_that_has_changed_since_is_not_overwritten(repo: Repository, ask: Caller) -> None:
    repo.commit({"a.yml": "1"}, "first")
    seen = ask.made("GET", "/contents/a.yml")["sha"]
    repo.commit({"a.yml": "2"}, "second")
    body = {"message": "set", "content": coded("3"), "sha": seen}
    assert ask.refused("PUT", "/contents/a.yml", body) == (409, f"a.yml does not match {seen}")
    del body["sha"]
    assert ask.refused("PUT", "/contents/a.yml", body)[0] == 422
    assert repo.text("a.yml") == "2"


def test_a_file_is_written_only_to_a_branch_that_is_there(ask: Caller) -> None:
    body = {"message": "set", "content": coded("1"), "branch": "nowhere"}
    assert ask.refused("PUT", "/contents/a.yml", body) == (404, "Branch nowhere not found")


def test_a_file_is_deleted_by_the_name_of_its_text(repo: Repository, ask: Caller) -> None:
    seen = ask.made("GET", "/contents/README.md")["sha"]
    assert ask("DELETE", "/contents/README.md", {"message": "m", "sha": "0" * 40}).status_code == 409
    assert ask("DELETE", "/contents/README.md", {"message": "m", "sha": seen}).status_code == 200
    assert repo.text("README.md") is None


@pytest.mark.parametrize(
    ("ref", "says"),
    [
        ("refs/heads/main", "Reference already exists"),
        ("main", "main is not a valid ref name."),
        ("refs/heads/a..b", "refs/heads/a..b is not a valid ref name."),
        ("refs/heads/a b", "refs/heads/a b is not a valid ref name."),
    ],
)
def test_a_branch_is_made_once_and_with_a_sound_name(repo: Repository, ask: Caller, ref: str, says: str) -> None:
    assert ask.refused("POST", "/git/refs", {"ref": ref, "sha": repo.sha()}) == (422, says)


def test_a_branch_needs_a_commit_that_is_there(ask: Caller) -> None:
    body = {"ref": "refs/heads/new", "sha": "0" * 40}
    assert ask.refused("POST", "/git/refs", body) == (422, "Object does not exist")


def test_a_branch_goes_forward_and_back_only_by_force(repo: Repository, ask: Caller) -> None:
    first, second = repo.sha(), repo.commit({"a": "1"}, "second")
    back = {"sha": first}
    assert ask.refused("PATCH", "/git/refs/heads/main", back) == (422, "Update is not a fast forward")
    assert ask("PATCH", "/git/refs/heads/main", {**back, "force": True}).status_code == 200
    assert ask("PATCH", "/git/refs/heads/main", {"sha": second}).status_code == 200
    assert repo.sha() == second


def test_a_ref_is_got_by_its_whole_name_and_found_by_its_beginning(repo: Repository, ask: Caller) -> None:
    repo.branch("release/1")
    repo.branch("release/2")
    assert ask.made("GET", "/git/ref/heads/release/1")["object"]["sha"] == repo.sha()
    assert ask("GET", "/git/ref/heads/release").status_code == 404
    names = [one["ref"] for one in ask("GET", "/git/matching-refs/heads/release").json()]
    assert names == ["refs/heads/release/1", "refs/heads/release/2"]


def test_a_deleted_branch_is_gone(repo: Repository, ask: Caller) -> None:
    repo.branch("old")
    assert ask("DELETE", "/git/refs/heads/old").status_code == 204
    assert ask.refused("DELETE", "/git/refs/heads/old") == (422, "Reference does not exist")


def test_a_commit_can_be_made_of_a_blob_a_tree_and_a_parent(repo: Repository, ask: Caller) -> None:
    blob = ask.made("POST", "/git/blobs", {"content": "1", "encoding": "utf-8"})["sha"]
    line = {"path": "deep/a.yml", "mode": "100644", "type": "blob", "sha": blob}
    base = repo.objects.commits[repo.sha()].tree
    tree = ask.made("POST", "/git/trees", {"base_tree": base, "tree": [line]})["sha"]
    commit = ask.made("POST", "/git/commits", {"message": "m", "tree": tree, "parents": [repo.sha()]})["sha"]
    ask.made("POST", "/git/refs", {"ref": "refs/heads/new", "sha": commit})
    assert (repo.text("deep/a.yml", "new"), repo.text("README.md", "new")) == ("1", "# shop\n")


def test_two_commits_are_compared_by_what_each_has_alone(repo: Repository, ask: Caller) -> None:
    base = repo.sha()
    repo.commit({"a.yml": "1\n"}, "theirs", branch="topic")
    assert ask.made("GET", "/compare/main...topic")["status"] == "ahead"
    repo.commit({"b.yml": "1\n"}, "ours")
    found = ask.made("GET", "/compare/main...topic")
    assert (found["status"], found["ahead_by"], found["behind_by"]) == ("diverged", 1, 1)
    assert found["merge_base_commit"]["sha"] == base
    assert [(one["filename"], one["status"], one["patch"]) for one in found["files"]] == [
        ("a.yml", "added", "@@ -0,0 +1 @@\n+1")
    ]


def test_commits_are_listed_from_the_newest_and_by_path(repo: Repository, ask: Caller) -> None:
    repo.commit({"a/x": "1"}, "touches a")
    repo.commit({"b/x": "1"}, "touches b")
    messages = [one["commit"]["message"] for one in ask("GET", "/commits").json()]
    assert messages == ["touches b", "touches a", "Begin"]
    assert [one["commit"]["message"] for one in ask("GET", "/commits?path=a").json()] == ["touches a"]
