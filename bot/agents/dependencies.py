"""Answers what waits for what: from GitHub's milestones, sub-issues, dependencies and open pull requests, by
query. No model is asked."""

from bot.core.dependency_questions import DependencyQuestion
from bot.core.errors import Gone
from bot.core.github_reader import GitHubReader
from bot.core.text import in_code
from bot.core.work_answers import WorkFacts, answered, around, milestone_named
from bot.core.work_graph import work_graph
from bot.core.work_items import WorkRef

MOST_ITEMS = 2_000
"""Open issues and pull requests that are read, a call for each hundred."""


async def dependency_answer(
    question: DependencyQuestion, github: GitHubReader, full_name: str, here: int = 0, *, both: bool = False
) -> str | None:
    """In Markdown; None where it is no question of dependencies after all. `here`: the issue or pull request
    that is talked in; `both`: of an issue also what waits for it."""
    milestones = await github.milestones() if question.milestone else ()
    if question.milestone and not milestone_named(question.milestone, milestones) and not question.sure:
        return None
    items = list(await github.work_items(most=MOST_ITEMS))
    unread = len(items) >= MOST_ITEMS
    asked = here if question.here else question.ref.number if question.ref else 0
    own = question.here or (question.ref is not None and question.ref.repo in ("", full_name.lower()))
    if asked and own and all(item.number != asked for item in items):
        try:
            items.append(await github.work_item(asked))
        except Gone:
            if not question.milestone:
                return f"There is no issue or pull request {in_code(f'#{asked}')} here."
    graph = work_graph(items, full_name, complete=not unread)
    facts = WorkFacts(graph, milestones, here, full_name, unread)
    if both and asked and own and not milestone_named(question.milestone, milestones):
        return around(WorkRef(asked), facts)
    return answered(question, facts)
