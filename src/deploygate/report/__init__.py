"""An account, a plan or findings -> text for a terminal, Markdown for a comment, JSON for a program."""

from deploygate.report.accounts import account_data, as_json, as_markdown, as_text, decision
from deploygate.report.actions import action_line, actions_json, change_line
from deploygate.report.cutting import cut
from deploygate.report.findings import codeowners_json, findings_data, findings_json, findings_markdown, findings_text
from deploygate.report.forms import escaped
from deploygate.report.merging import (
    merging_data,
    merging_decision,
    merging_headline,
    merging_json,
    merging_markdown,
    merging_text,
)
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
