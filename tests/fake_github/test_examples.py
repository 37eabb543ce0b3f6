"""The extract is held to the examples that GitHub ships with its description."""

import pytest

from deploygate.fake_github.description import Description
from fake_github.caller import EXAMPLES, Json

DESCRIPTION = Description()
# What GitHub's own examples have wrong: they are older than the description beside them.
OUTDATED = {
    ("repos/get", "200"),
    ("actions/list-jobs-for-workflow-run", "200"),
    ("actions/list-jobs-for-workflow-run-attempt", "200"),
    ("actions/cancel-workflow-run", "202"),
    ("actions/force-cancel-workflow-run", "202"),
    ("actions/re-run-workflow", "201"),
    ("repos/list-branches", "200"),
    ("repos/list-pull-requests-associated-with-commit", "200"),
    ("repos/get-commit", "200"),
    ("repos/get-all-environments", "200"),
    ("repos/get-environment", "200"),
    ("issues/get", "200"),
    ("pulls/list", "200"),
    ("pulls/create", "201"),
    ("pulls/get", "200"),
    ("pulls/update", "200"),
    ("teams/get-by-name", "200"),
}


def place(example: Json) -> tuple[str, str]:
    return example["operation"], example["place"]


def misfits(example: Json) -> list[str]:
    operation = DESCRIPTION.operations[example["operation"]]
    if example["place"] == "body":
        values = dict.fromkeys(operation.parameters("path"), "1")
        return list(DESCRIPTION.misasked(operation, values, {}, example["value"]))
    return list(DESCRIPTION.misanswered(operation, int(example["place"]), example["value"]))


@pytest.mark.parametrize("example", [one for one in EXAMPLES if place(one) not in OUTDATED], ids=place)
def test_github_s_own_example_fits_its_description_with_every_object_closed(example: Json) -> None:
    assert misfits(example) == []


def test_the_examples_that_do_not_fit_are_those_that_are_known() -> None:
    assert {place(one) for one in EXAMPLES if misfits(one)} == OUTDATED


def test_most_examples_fit() -> None:
    assert len(EXAMPLES) - len(OUTDATED) > 65
