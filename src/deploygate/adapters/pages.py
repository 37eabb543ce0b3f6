"""The page of the rules that is shipped with deploygate, taken apart into its sections."""

import re
from functools import cache

from deploygate.adapters.shipped import shipped


@cache
def rule_sections() -> dict[str, str]:
    """Return what docs/rules.md says of each rule, in Markdown, without the heading."""
    text = (shipped("docs") / "rules.md").read_text(encoding="utf-8")
    parts = re.split(r"^(?:### (\S+)|## .*)$\n", text, flags=re.MULTILINE)
    return {rule: section.strip() for rule, section in zip(parts[1::2], parts[2::2], strict=True) if rule}
