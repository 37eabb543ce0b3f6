"""What `deploygate init` finds in a repository, what it writes of it, and what it says of files that are none."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from deploygate.adapters.shipped import shipped
from deploygate.cli.init import command
from deploygate.cli.loading import load_inventory
from deploygate.findings import errors
from deploygate.inventory import Inventory, Service

COMPOSE = """\
x-logging: &logging
  logging: {driver: local}
services:
  ad-caster:
    <<: *logging
    build: ads
    image: ghcr.io/acme/ads:2.4.1
    ports: ["127.0.0.1:${PORT:-8081}:8080", "9000:9000/udp"]
    healthcheck:
      test: ["CMD", "curl", "-f", "http://localhost:8080/healthz"]
      interval: 1m30s
      timeout: 500ms
      retries: 4
  id-broker:
    image: acme/id@sha256:00
    ports:
      - {target: 80, published: "8090", protocol: tcp}
    healthcheck: {test: wget -q http://127.0.0.1/up}
  worker: {build: worker}
  db: {image: "postgres:16", ports: [5432:5432]}
"""
CATALOG = """\
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: ads}
spec: {owner: "group:default/ads-team"}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: ad-caster
  description: Chooses the ad for a request.
spec:
  type: service
  owner: user:default/cory
  system: ads
  providesApis: [ad-request]
  consumesApis: ["api:default/id-lookup", billing]
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: id-broker}
spec: {type: service, system: ads, providesApis: [id-lookup]}
---
kind: Component
metadata: {name: shop-window}
spec: {type: website, owner: cory}
"""


def init(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(command, ["--output", str(folder / "services.yml"), *words])


def loaded(folder: Path) -> Inventory:
    found = load_inventory(folder / "services.yml")
    assert errors(found.findings) == ()
    assert found.inventory is not None
    return found.inventory


def services(folder: Path) -> dict[str, Service]:
    return {str(name): one for name, one in loaded(folder).services.items()}


def files(folder: Path) -> list[str]:
    return sorted(one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file())


@pytest.mark.parametrize("name", ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"])
def test_services_of_a_compose_file_bring_their_ports_versions_and_probes(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(COMPOSE)
    result = init(tmp_path)
    assert result.exit_code == 0, result.output
    found = services(tmp_path)
    assert list(found) == ["ad-caster", "id-broker"]
    ads, broker = found.values()
    assert ads.wanted == "2.4.1"
    assert ads.instances[0].address == "http://127.0.0.1:8081"
    assert (ads.health.path, ads.health.interval, ads.health.timeout, ads.health.fails) == ("/healthz", 10, 0.5, 4)
    assert (broker.instances[0].address, broker.health.path) == ("http://127.0.0.1:8090", "/up")
    path = tmp_path / name
    assert f"left out: worker ({path}:19:3): it has no port" in result.stdout
    assert f"left out: db ({path}:20:3): it is not built here" in result.stdout


def test_components_of_a_catalog_bring_purpose_owner_and_interfaces(tmp_path: Path) -> None:
    (tmp_path / "catalog-info.yaml").write_text(CATALOG)
    result = init(tmp_path)
    assert result.exit_code == 0, result.output
    ads, broker = services(tmp_path).values()
    assert (ads.name, ads.purpose, ads.owners.dev) == ("ad-caster", "Chooses the ad for a request.", "cory")
    assert broker.owners.dev == "ads-team"
    assert sorted(map(str, ads.provides)) == ["ad-request 1"]
    assert sorted(map(str, ads.consumes)) == ["id-lookup 1"]
    assert "it consumes billing as well, which no service here provides" in result.stdout
    assert f'left out: shop-window ({tmp_path / "catalog-info.yaml"}:24:18): its type is "website"' in result.stdout


def test_of_a_service_in_both_files_the_catalog_says_who_and_the_compose_file_where(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    (tmp_path / "catalog-info.yaml").write_text(CATALOG)
    assert init(tmp_path).exit_code == 0
    ads = services(tmp_path)["ad-caster"]
    assert (ads.owners.dev, ads.wanted, ads.instances[0].port) == ("cory", "2.4.1", 8081)
    assert (
        "  # found in compose.yaml:4 and catalog-info.yaml:9\n  ad-caster:\n" in (tmp_path / "services.yml").read_text()
    )


def test_one_of_several_is_chosen_by_its_name_and_may_be_told_more(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    refused = init(tmp_path, "--purpose", "Chooses.")
    assert refused.exit_code == 2
    assert "--purpose is about one service, and 2 were found: ad-caster, id-broker" in refused.stderr
    assert init(tmp_path, "--service", "id-broker", "--purpose", "Knows.", "--ops", "nathan").exit_code == 0
    (only,) = services(tmp_path).values()
    assert (only.name, only.purpose, only.owners.ops) == ("id-broker", "Knows.", "nathan")


def test_alone_looks_at_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("no: [compose file")
    assert init(tmp_path, "--alone").exit_code == 0
    assert list(services(tmp_path)) == ["my-service"]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("compose.yaml", "services: [a]", '1:11: error: "services" must be a table'),
        ("compose.yaml", "version: '3'", "1:1: error: there are no `services` in this file"),
        ("compose.yaml", "services:\n  a:\n    build: .\n    ports: [x:y]", "4:13: error: this is not a port"),
        ("compose.yaml", "services:\n  a:\n    build: .\n    ports: ['0:80']", "4:13: error: this is not a port"),
        ("compose.yaml", "services:\n  _a: {build: ., ports: [80]}", '2:3: error: "_a" can\'t be the name'),
        ("compose.yaml", "services:\n  a: {build: ., ports: 80}", '2:24: error: "ports" must be a list'),
        ("compose.yaml", "services:\n  a: [", "3:1: error: this is not YAML"),
        (
            "compose.yaml",
            "services:\n  a:\n    healthcheck: {test: curl http://a/, interval: soon}",
            "3:51: error: interval is not a duration",
        ),
        ("catalog-info.yaml", "- a", "1:1: error: this must be a table"),
        ("catalog-info.yaml", "kind: API\nmetadata: {}", "1:1: error: an entity has a `kind` and a `metadata.name`"),
        ("catalog-info.yaml", "---\nkind: 1\nmetadata: []", '3:11: error: "metadata" must be a table'),
        (
            "catalog-info.yaml",
            "kind: Component\nmetadata: {name: a}\nspec: {type: service, providesApis: [[a]]}",
            '3:38: error: what is listed at "providesApis" must be text',
        ),
        ("catalog-info.yaml", "", "1:1: error: this must be a table"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_line(tmp_path: Path, name: str, text: str, says: str) -> None:
    (tmp_path / name).write_text(text)
    result = init(tmp_path)
    assert result.exit_code == 3
    assert f"{tmp_path / name}:{says}" in result.stderr
    assert "nothing was written" in result.stderr
    assert files(tmp_path) == [name]


def test_a_named_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = init(tmp_path, "--compose", str(tmp_path / "gone.yml"))
    assert result.exit_code == 3
    assert "there is no such file or folder [missing-file]" in result.stderr


def test_the_workflows_that_check_deploy_and_roll_back_come_along(tmp_path: Path) -> None:
    result = init(tmp_path)
    assert files(tmp_path) == [".github/workflows/deploygate.yml", ".github/workflows/rollback.yml", "services.yml"]
    for name in ("deploygate.yml", "rollback.yml"):
        given = shipped("examples") / "workflows" / "one-repository" / name
        assert (tmp_path / ".github" / "workflows" / name).read_bytes() == given.read_bytes()
    assert "the variable KNOWN_HOSTS and the secret DEPLOY_KEY" in result.stdout


def test_workflows_know_where_an_inventory_is_that_is_not_at_the_top(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert init(tmp_path / "ops").exit_code == 0
    steps = [
        step
        for name in ("deploygate.yml", "rollback.yml")
        for job in yaml.safe_load((tmp_path / ".github" / "workflows" / name).read_text())["jobs"].values()
        for step in job["steps"]
        if step.get("uses") == "OWNER/deploygate@v0"
    ]
    assert [step["with"]["inventory"] for step in steps] == ["ops/services.yml"] * 3
    assert steps[1]["with"]["verb"] == "deploy"


@pytest.mark.parametrize("force", [False, True])
def test_a_workflow_that_exists_is_left_alone_unless_it_is_forced(tmp_path: Path, *, force: bool) -> None:
    mine = tmp_path / ".github" / "workflows" / "rollback.yml"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine\n")
    result = init(tmp_path, *(["--force"] if force else []))
    assert result.exit_code == 0
    assert (mine.read_text() == "mine\n") is not force
    assert (f"left alone, as it exists: {mine}" in result.stdout) is not force


def test_it_says_which_values_are_made_up_and_where(tmp_path: Path) -> None:
    result = init(tmp_path)
    path = tmp_path / "services.yml"
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if "# change: " in line:
            assert f"    {path}:{number}: {line.partition('# change: ')[2]}\n" in result.stdout


def test_an_editor_is_told_of_the_schema(tmp_path: Path) -> None:
    init(tmp_path)
    first = (tmp_path / "services.yml").read_text().splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=https://")
    assert first.endswith("/schemas/service-inventory.schema.json")


def test_a_terminal_is_asked_for_what_nobody_said(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "deploygate", "init", "--ops", "nathan", "--workflows", "none"]
    with subprocess.Popen(words, cwd=tmp_path, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE) as asked:
        os.close(theirs)
        os.write(ours, b"AdCaster\nChooses the ad.\n2.0\ncory\n\n")
        said = asked.communicate(timeout=60)[0].decode()
    os.close(ours)
    assert asked.returncode == 0, said
    (only,) = services(tmp_path).values()
    assert (only.name, only.purpose, only.wanted) == ("AdCaster", "Chooses the ad.", "2.0")
    assert (only.owners.ops, only.owners.dev, only.owners.pm) == ("nathan", "cory", "pm-owner")


@settings(max_examples=150)
@given(
    name=st.sampled_from(["compose.yaml", "catalog-info.yaml"]),
    at=st.integers(0, 900),
    length=st.integers(0, 20),
    put=st.sampled_from(["", "[", "{", "}", ": ", "\n", "- ", "null", "1", "~", "&a ", "*a", "<<: *logging", "\n---"]),
)
def test_no_edit_of_a_file_that_is_found_makes_init_crash_or_write_what_is_not_sound(
    tmp_path_factory: pytest.TempPathFactory, name: str, at: int, length: int, put: str
) -> None:
    folder = tmp_path_factory.mktemp("found")
    text = COMPOSE if name == "compose.yaml" else CATALOG
    (folder / name).write_text(text[:at] + put + text[at + length :])
    result = init(folder, "--workflows", "none")
    assert result.exit_code in {0, 2, 3}, result.output
    if result.exit_code == 0:
        loaded(folder)
    else:
        assert files(folder) == [name]
