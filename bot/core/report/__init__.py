"""A judgement as other programs read it: JSON, Markdown, SARIF."""

from bot.core.report.markdown import as_markdown
from bot.core.report.plain import as_json
from bot.core.report.sarif import as_sarif

__all__ = ["as_json", "as_markdown", "as_sarif"]
