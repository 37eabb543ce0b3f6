"""Every call that is made of GitHub is in docs/github-api.md, with the permission that its refusal names."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import deploygate.adapters.github

SOURCES = sorted(Path(deploygate.adapters.github.__path__[0]).glob("*.py"))
PAGE = Path(__file__).resolve().parents[3] / "docs" / "github-api.md"
ROW = re.compile(r"^\| `((?:GET|POST|PATCH|PUT|DELETE) /[^`]*)` \| (?:`(.+?)`(?: of an app)?|none) \|", re.MULTILINE)


def documented() -> dict[str, str]:
    return {re.sub(r"\{\w+\}", "{}", call): permission for call, permission in ROW.findall(PAGE.read_text())}


def asked() -> Iterator[tuple[str, str]]:
    """Yield each call as it is written in the code, `{}` for what is filled in, with its permission."""
    for source in SOURCES:
        tree = ast.parse(source.read_text())
        constants = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            named = {
                target.id: node.value
                for node in ast.walk(function)
                if isinstance(node, ast.Assign)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "asking":
                    permission, call = node.args
                    if path := written(call, named):
                        name = permission.id if isinstance(permission, ast.Name) else ""
                        yield path, str(constants[name]) if name else written(permission, {})


def written(node: ast.expr, named: Mapping[str, ast.expr]) -> str:
    """Return a text as it is written; `named` are the values of the function's own names."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=parts):
            return re.sub(r"=\{\}:\{\}", "={}", "".join(written(part, named) or "{}" for part in parts))
        case ast.FormattedValue(value=ast.Name(id=name)) | ast.Name(id=name) if name in named:
            return written(named[name], {})
        case _:
            return ""


def test_every_call_is_documented_with_its_permission() -> None:
    calls = dict(asked())
    assert len(calls) >= 17
    assert {call: permission for call, permission in calls.items() if documented().get(call) != permission} == {}


def test_a_permission_is_one_that_workflows_have_or_said_to_be_an_app_s() -> None:
    areas = {"actions", "contents", "deployments", "members", "pull-requests", "statuses"}
    assert PAGE.read_text().count("| `members: read` of an app |") == list(documented().values()).count("members: read")
    given = {permission for permission in documented().values() if permission}
    assert {permission.partition(": ")[0] for permission in given} == areas
    assert {permission.partition(": ")[2] for permission in given} == {"read", "write"}
