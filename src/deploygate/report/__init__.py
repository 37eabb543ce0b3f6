"""An account, a plan or findings -> text for a terminal, Markdown for a comment, JSON for a program.

Each module is imported when something of it is first asked for: a check needs neither accounts nor plans.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deploygate.report.accounts import account_data, as_json, as_markdown, as_text, decision
    from deploygate.report.actions import action_line, actions_json, change_line
    from deploygate.report.answers import can_data, can_json, can_markdown, can_text
    from deploygate.report.cutting import cut
    from deploygate.report.dot import graph_dot
    from deploygate.report.findings import (
        codeowners_json,
        findings_data,
        findings_json,
        findings_markdown,
        findings_text,
    )
    from deploygate.report.forms import escaped
    from deploygate.report.merging import (
        merging_data,
        merging_decision,
        merging_headline,
        merging_json,
        merging_markdown,
        merging_text,
    )
    from deploygate.report.mermaid import graph_markdown, graph_mermaid
    from deploygate.report.observations import observed_data, observed_json, observed_markdown, observed_text
    from deploygate.report.plans import plan_json, plan_markdown, plan_text
    from deploygate.report.reviews import reviews_data, reviews_markdown, reviews_text
    from deploygate.report.rules import rule_markdown, rule_text, rules_json, rules_markdown, rules_text
    from deploygate.report.sarif import findings_sarif
    from deploygate.report.several import several_data, several_headline, several_markdown

__all__ = [
    "account_data",
    "action_line",
    "actions_json",
    "as_json",
    "as_markdown",
    "as_text",
    "can_data",
    "can_json",
    "can_markdown",
    "can_text",
    "change_line",
    "codeowners_json",
    "cut",
    "decision",
    "escaped",
    "findings_data",
    "findings_json",
    "findings_markdown",
    "findings_sarif",
    "findings_text",
    "graph_dot",
    "graph_markdown",
    "graph_mermaid",
    "merging_data",
    "merging_decision",
    "merging_headline",
    "merging_json",
    "merging_markdown",
    "merging_text",
    "observed_data",
    "observed_json",
    "observed_markdown",
    "observed_text",
    "plan_json",
    "plan_markdown",
    "plan_text",
    "reviews_data",
    "reviews_markdown",
    "reviews_text",
    "rule_markdown",
    "rule_text",
    "rules_json",
    "rules_markdown",
    "rules_text",
    "several_data",
    "several_headline",
    "several_markdown",
]

_HOMES = {
    "accounts": ("account_data", "as_json", "as_markdown", "as_text", "decision"),
    "actions": ("action_line", "actions_json", "change_line"),
    "answers": ("can_data", "can_json", "can_markdown", "can_text"),
    "cutting": ("cut",),
    "dot": ("graph_dot",),
    "findings": ("codeowners_json", "findings_data", "findings_json", "findings_markdown", "findings_text"),
    "forms": ("escaped",),
    "merging": (
        "merging_data",
        "merging_decision",
        "merging_headline",
        "merging_json",
        "merging_markdown",
        "merging_text",
    ),
    "mermaid": ("graph_markdown", "graph_mermaid"),
    "observations": ("observed_data", "observed_json", "observed_markdown", "observed_text"),
    "plans": ("plan_json", "plan_markdown", "plan_text"),
    "reviews": ("reviews_data", "reviews_markdown", "reviews_text"),
    "rules": ("rule_markdown", "rule_text", "rules_json", "rules_markdown", "rules_text"),
    "sarif": ("findings_sarif",),
    "several": ("several_data", "several_headline", "several_markdown"),
}


def __getattr__(name: str) -> Any:
    """Import the module that a name is from."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"deploygate.report.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
