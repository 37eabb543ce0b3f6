"""`deploygate explain`: what a rule wants, why, and how to mend a breach."""

from difflib import get_close_matches

import click

from deploygate import report
from deploygate.adapters.pages import rule_sections
from deploygate.cli.options import format_option, reported
from deploygate.errors import GateError
from deploygate.rules import RULES
from deploygate.wish import WAIVABLE
from deploygate.wording import quoted


@click.command("explain")
@click.argument("rule", required=False)
@format_option
@reported
def command(rule: str | None, form: str) -> None:
    """Explain RULE, as a finding of the check names it; without one, list all rules.

    The list has the severity of each rule, and whether an inventory may waive it with a reason.
    """
    if rule is not None and rule not in RULES:
        raise _unknown(rule)
    click.echo(_listed(form) if rule is None else _explained(rule, form), nl=False)


def _listed(form: str) -> str:
    if form == "json":
        return report.rules_json(rule_sections())
    return report.rules_markdown() if form == "markdown" else report.rules_text()


def _explained(rule: str, form: str) -> str:
    sections = rule_sections()
    if form == "json":
        return report.rules_json(sections, (rule,))
    return (report.rule_markdown if form == "markdown" else report.rule_text)(rule, sections[rule])


def _unknown(rule: str) -> GateError:
    """Return what is said of a word that names no rule of an inventory."""
    if rule in WAIVABLE:
        says = f"{rule} is a rule of a run, not of an inventory"
        return GateError(says, help=f"It can be waived for one run: {WAIVABLE[rule]}. docs/plan.md explains it.")
    near = get_close_matches(rule, RULES, n=1)
    advice = f"Did you mean `{near[0]}`?" if near else "`deploygate explain` lists all rules."
    return GateError(f"there is no rule {quoted(rule)}", help=advice)
