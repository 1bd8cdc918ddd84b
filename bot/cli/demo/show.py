"""Shows a review, a check run and labels in a terminal as GitHub shows them on a page."""

import re
from typing import Any

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console, Group, RenderableType
from rich.markdown import Markdown
from rich.panel import Panel
from rich.syntax import Syntax
from rich.text import Text

from bot.testing.github.issues import CheckRun, Issue
from bot.testing.github.pulls import PullRequest, Review, ReviewComment

MARKS = {"success": ("✓", "green"), "neutral": ("■", "bright_black"), "failure": ("✗", "red")}
CONTEXT = 2
"""Lines shown above the one that a comment is about."""


def pull_request(console: Console, pull: PullRequest) -> None:
    """The whole page: title, reviews with their inline comments, check runs."""
    console.rule(Text(f"{pull.title}  #{pull.number}", style="bold"), align="left")
    console.print(
        Text(f"{pull.author.login} wants to merge {pull.head_ref} into {pull.base_ref}", style="bright_black")
    )
    for review in pull.reviews:
        console.print(_review(pull, review))
    for run in pull.check_runs:
        console.print(_check(run))


def issue(console: Console, about: Issue, *, triaged: bool) -> None:
    """Title, labels and comments of an issue."""
    console.rule(Text(f"{about.title}  #{about.number}", style="bold"), align="left")
    labels = [Text(f" {label.name} ", style=f"black on #{label.color}") for label in about.labels]
    console.print(
        Text("Labels: ").append_text(Text(" ").join(labels))
        if labels
        else Text(
            "No labels" if triaged else "No labels: sorting an issue takes a model.", style="bright_black"
        )
    )
    for comment in about.comments:
        console.print(
            Panel(Markdown(visible(comment.body)), title=Text(comment.author.login), title_align="left")
        )


def as_json(pull: PullRequest, about: Issue) -> dict[str, Any]:
    """The same for a program."""
    comments = [comment for review in pull.reviews for comment in review.comments]
    return {
        "reviews": [visible(review.body) for review in pull.reviews],
        "comments": [{"path": one.path, "line": one.line, "body": visible(one.body)} for one in comments],
        "checks": [
            {"name": run.name, "conclusion": run.conclusion, "title": run.title} for run in pull.check_runs
        ],
        "issue": {
            "labels": [label.name for label in about.labels],
            "comments": [visible(comment.body) for comment in about.comments],
        },
    }


def picture(console: Console) -> str:
    """What was recorded, as SVG; in the reader's own monospace, so that looking at it fetches nothing."""
    format_ = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    return console.export_svg(title="hob demo", code_format=format_.replace("Fira Code", "ui-monospace"))


def visible(body: str) -> str:
    """A body without the hidden mark at its end, which a page does not show either."""
    return body.partition("<!-- hob:")[0].rstrip()


def _review(pull: PullRequest, review: Review) -> RenderableType:
    parts: list[RenderableType] = [Markdown(visible(review.body))]
    parts.extend(_inline(pull, comment) for comment in review.comments)
    return Panel(
        Group(*parts),
        title=f"[b]{review.author.login.replace('[', chr(92) + '[')}[/b] reviewed",
        title_align="left",
    )


def _inline(pull: PullRequest, comment: ReviewComment) -> RenderableType:
    last = comment.line or 1
    first = comment.start_line or last
    start = max(1, first - CONTEXT)
    lines = pull.text(comment.path).split("\n")
    code = Syntax(
        "\n".join(lines[start - 1 : last]),
        Syntax.guess_lexer(comment.path),
        line_numbers=True,
        start_line=start,
        highlight_lines=set(range(first, last + 1)),
        theme="ansi_dark",
    )
    where = Text(f"\n{comment.path}:{last}", style="cyan")
    return Group(where, code, Panel(Markdown(visible(comment.body)), border_style="bright_black"))


def _check(run: CheckRun) -> RenderableType:
    mark, colour = MARKS.get(run.conclusion or "", ("?", "yellow"))
    head = Text(f"{mark} ", style=colour).append(f"{run.name}  ", style="bold").append(run.title or "")
    return Panel(
        Group(head, Markdown(visible(run.summary or ""))),
        title=f"check, {run.conclusion}",
        title_align="left",
    )
