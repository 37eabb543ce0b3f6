"""Writes the extract of GitHub's OpenAPI description that the fake GitHub is held to: see docs/fake-github.md.

`python tools/github_openapi.py [--check]` takes the npm package named below into a temporary folder. With --check
nothing is written, and the exit code is 1 where a file is not what it would be.
"""

import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[1]
EXTRACT = ROOT / "src" / "deploygate" / "fake_github" / "openapi.json"
EXAMPLES = ROOT / "tests" / "fake_github" / "examples.json"
PACKAGE, VERSION, LICENSE = "@octokit/openapi", "23.0.2", "MIT"
API_VERSION = "2022-11-28"
DESCRIPTION, NOTICE = "package/generated/api.github.com.json", "package/LICENSE"

OPERATIONS = (
    "actions/cancel-workflow-run",
    "actions/create-workflow-dispatch",
    "actions/disable-workflow",
    "actions/enable-workflow",
    "actions/force-cancel-workflow-run",
    "actions/get-workflow",
    "actions/get-workflow-run",
    "actions/get-workflow-run-attempt",
    "actions/list-jobs-for-workflow-run",
    "actions/list-jobs-for-workflow-run-attempt",
    "actions/list-repo-workflows",
    "actions/list-workflow-runs",
    "actions/list-workflow-runs-for-repo",
    "actions/re-run-workflow",
    "git/create-blob",
    "git/create-commit",
    "git/create-ref",
    "git/create-tree",
    "git/delete-ref",
    "git/get-blob",
    "git/get-commit",
    "git/get-ref",
    "git/get-tree",
    "git/list-matching-refs",
    "git/update-ref",
    "issues/create-comment",
    "issues/delete-comment",
    "issues/get",
    "issues/get-comment",
    "issues/list-comments",
    "issues/list-comments-for-repo",
    "issues/update-comment",
    "pulls/create",
    "pulls/get",
    "pulls/list",
    "pulls/list-commits",
    "pulls/list-files",
    "pulls/list-reviews",
    "pulls/merge",
    "pulls/update",
    "rate-limit/get",
    "repos/compare-commits-with-basehead",
    "repos/create-commit-status",
    "repos/create-deployment",
    "repos/create-deployment-status",
    "repos/create-or-update-file-contents",
    "repos/delete-deployment",
    "repos/delete-file",
    "repos/get",
    "repos/get-all-environments",
    "repos/get-branch",
    "repos/get-combined-status-for-ref",
    "repos/get-commit",
    "repos/get-content",
    "repos/get-deployment",
    "repos/get-deployment-status",
    "repos/get-environment",
    "repos/list-branches",
    "repos/list-commit-statuses-for-ref",
    "repos/list-commits",
    "repos/list-deployment-statuses",
    "repos/list-deployments",
    "repos/list-pull-requests-associated-with-commit",
    "teams/get-by-name",
    "teams/list-members-in-org",
    "users/get-authenticated",
    "users/get-by-username",
)
Json = dict[str, Any]
KEPT = (
    *("type", "enum", "format", "pattern", "required", "minimum", "maximum", "minLength", "maxLength"),
    *("minItems", "maxItems", "minProperties", "maxProperties", "uniqueItems"),
)
# The description says `date-time`, and its own prose that ranges such as `>=2026-05-01` are what is meant.
MENDED: dict[str, Json] = {"created": {"type": "string"}}


class Extract:
    """The operations used, and the schemas that they reach, with all prose left out and every object closed."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self.defs: dict[str, Json] = {}
        self.examples: list[Json] = []

    def operations(self) -> dict[str, Json]:
        """Return each operation by its name."""
        found = {
            about["operationId"]: self._operation(path, method, about)
            for path, methods in self._document["paths"].items()
            for method, about in methods.items()
            if about["operationId"] in OPERATIONS
        }
        return {name: found[name] for name in OPERATIONS}

    def neighbours(self, operations: dict[str, Json]) -> list[Json]:
        """Return the paths beside those used that a value with slashes would swallow."""
        used = {(one["method"], one["path"]) for one in operations.values()}
        greedy = {(one["method"], prefix(one)) for one in operations.values()} - used
        return [
            {"method": method.upper(), "path": path}
            for path, methods in self._document["paths"].items()
            for method in methods
            if (method.upper(), path) not in used
            and "..." not in path  # another way to write the path of a comparison
            and any(path.startswith(start) for kind, start in greedy if kind == method.upper())
        ]

    def _operation(self, path: str, method: str, about: Json) -> Json:
        name = about["operationId"]
        made = {
            "method": method.upper(),
            "path": path,
            "docs": about["externalDocs"]["url"],
            "parameters": [self._parameter(one) for one in about.get("parameters", ())],
            "answers": {
                status: self._content(name, status, self._resolved(one)) for status, one in about["responses"].items()
            },
        }
        if "requestBody" in about:
            made["body"] = self._content(name, "body", about["requestBody"])
            made["body_required"] = about["requestBody"].get("required", False)
        return made

    def _parameter(self, about: Json) -> Json:
        one = self._resolved(about)
        made = {"name": one["name"], "in": one["in"], "schema": MENDED.get(one["name"]) or self.schema(one["schema"])}
        for key, short in (("required", "required"), ("x-multi-segment", "segments")):
            if one.get(key):
                made[short] = True
        return made

    def _content(self, operation: str, place: str, about: Json) -> Json | None:
        """Return the schema of what is sent as JSON, and keep its examples."""
        json_content = about.get("content", {}).get("application/json")
        if json_content is None:
            return None
        for example in json_content.get("examples", {}).values():
            self.examples.append({"operation": operation, "place": place, "value": self._resolved(example)["value"]})
        return self.schema(json_content["schema"])

    def schema(self, about: Json) -> Json:
        """Return a schema as JSON Schema 2020-12 says it, with no field allowed that is not named."""
        if "$ref" in about:
            return {"$ref": f"#/$defs/{self._defined(about['$ref'])}"}
        unknown = about.keys() & {"allOf", "not", "patternProperties"} or ("properties" in about and "oneOf" in about)
        if unknown:
            raise click.ClickException(f"an object of these parts can't be closed: {list(about)}")
        made = {key: about[key] for key in KEPT if key in about}
        for key in ("anyOf", "oneOf"):  # of objects that are closed here, more than one may fit: one is enough
            if key in about:
                made["anyOf"] = [self.schema(one) for one in about[key]]
        if "items" in about:
            made["items"] = self.schema(about["items"])
        if "properties" in about:
            made["properties"] = {name: self.schema(one) for name, one in about["properties"].items()}
            made["additionalProperties"] = False
        if "additionalProperties" in about:
            more = about["additionalProperties"]
            made["additionalProperties"] = more if isinstance(more, bool) else self.schema(more)
        return nullable(made) if about.get("nullable") else made

    def _defined(self, reference: str) -> str:
        name = reference.rpartition("/")[2]
        if name not in self.defs:
            self.defs[name] = {}  # a schema may reach itself
            self.defs[name] = self.schema(self._resolved({"$ref": reference}))
        return name

    def _resolved(self, about: Json) -> Json:
        while "$ref" in about:
            found: Any = self._document
            for key in about["$ref"].removeprefix("#/").split("/"):
                found = found[key]
            about = found
        return about


def prefix(operation: Json) -> str:
    """Return what stands before the value of a path that may have slashes; all of a path that has none."""
    many = [one["name"] for one in operation["parameters"] if one.get("segments")]
    path: str = operation["path"]
    return path.partition(f"{{{many[0]}}}")[0] if many else path


def nullable(schema: Json) -> Json:
    """Return a schema that takes null as well."""
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    made = schema | {"type": [schema["type"], "null"]}
    if "enum" in schema and None not in schema["enum"]:
        made["enum"] = [*schema["enum"], None]
    return made


def packed(package: Path | None) -> tuple[Json, str]:
    """Return GitHub's description and its licence, from the package given or from the one that npm has."""
    with tempfile.TemporaryDirectory() as folder:
        if package is None:
            npm = ["npm", "pack", "--silent", "--pack-destination", folder, f"{PACKAGE}@{VERSION}"]
            subprocess.run(npm, check=True, stdout=sys.stderr)
            (package,) = Path(folder).glob("*.tgz")
        with tarfile.open(package) as archive:
            read: Json = json.loads(member(archive, DESCRIPTION))
            notice = member(archive, NOTICE).decode()
    if read["info"]["version"] != VERSION:
        raise click.ClickException(f"{package} is version {read['info']['version']}, and {VERSION} is asked for")
    return read, notice


def member(archive: tarfile.TarFile, name: str) -> bytes:
    """Return a file of the package."""
    found = archive.extractfile(name)
    if found is None:
        raise click.ClickException(f"the package has no {name}")
    return found.read()


def written(package: Path | None) -> Iterator[tuple[Path, str]]:
    """Give each file with what it must hold."""
    document, notice = packed(package)
    extract = Extract(document)
    operations = extract.operations()
    source = {"package": PACKAGE, "version": VERSION, "license": LICENSE, "notice": notice, "api_version": API_VERSION}
    neighbours, defs = extract.neighbours(operations), dict(sorted(extract.defs.items()))
    yield EXTRACT, line({"source": source, "operations": operations, "neighbours": neighbours, "$defs": defs})
    yield EXAMPLES, line({"source": source, "examples": extract.examples})


def line(value: Json) -> str:
    """Return a value as one line of JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n"


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; fail where a file is not what it would be.")
@click.option("--package", type=click.Path(exists=True, path_type=Path), help="The package's .tgz, if it is there.")
def main(*, check: bool, package: Path | None) -> None:
    """Write the extract and the examples, or compare them."""
    stale = [(path, text) for path, text in written(package) if not path.exists() or path.read_text() != text]
    for path, text in stale:
        if not check:
            path.write_text(text)
        click.echo(f"{path.relative_to(ROOT)}: {'not what it would be' if check else 'written'}")
    if check and stale:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
