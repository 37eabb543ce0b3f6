"""An account, a plan or findings -> text for a terminal, Markdown for a comment, JSON for a program."""

from deploygate.report.accounts import as_json, as_markdown, as_text
from deploygate.report.actions import action_line, actions_json, change_line
from deploygate.report.cutting import cut
from deploygate.report.findings import findings_data, findings_json, findings_markdown, findings_text
from deploygate.report.forms import escaped
from deploygate.report.observations import observed_json, observed_markdown, observed_text
from deploygate.report.plans import plan_json, plan_markdown, plan_text

__all__ = [
    "action_line",
    "actions_json",
    "as_json",
    "as_markdown",
    "as_text",
    "change_line",
    "cut",
    "escaped",
    "findings_data",
    "findings_json",
    "findings_markdown",
    "findings_text",
    "observed_json",
    "observed_markdown",
    "observed_text",
    "plan_json",
    "plan_markdown",
    "plan_text",
]
