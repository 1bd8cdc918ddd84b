"""What a model may look up before it judges claims about a change: code, callers and history of the head,
read only, within bounds. Every question with look-ups counts as one of the review's."""

from collections.abc import Sequence
from dataclasses import replace

from bot.agents.review.looking import own_code
from bot.agents.tool_loop import ToolLimits, with_named_tools
from bot.agents.tools import Lookups, ReadFiles, ToolBox, WorkTree
from bot.core.code_search import Excerpt
from bot.core.facts import PatchFacts, PullRequestFacts
from bot.core.inference import Infer, ToolUse
from bot.core.work_budget import WorkBudget

TOOLS = ("read_file", "search_code", "list_symbols", "callers", "recent_commits")
CALLS_EACH = 3
"""For each claim, but no more than:"""
MOST_CALLS = 24
ROUNDS = 4
"""Questions with look-ups in one verification."""
TOKENS = 150_000
SECONDS = 600.0
RESULT = 3_000
"""Characters of what one look-up gives: some seventy lines."""


def looks_up(
    read: ReadFiles,
    lookups: Lookups,
    infer: Infer,
    facts: PullRequestFacts,
    claims: int,
    left: int,
    told: list[ToolUse],
) -> Infer:
    """The port for judging so many claims with at most `left` questions; what is looked up is in `told`."""
    search = lookups.search

    def note(use: ToolUse) -> None:
        told.append(use)
        lookups.note(use)

    async def own(query: str) -> Sequence[Excerpt]:
        found = await search(query) if search else ()
        return own_code(found)

    only = replace(lookups, search=own if search else None, issues=None, tests=None, note=note)
    patch = PatchFacts(facts.context, "fix", facts.title, "", facts.texts, tools=facts.tools)
    calls = min(MOST_CALLS, CALLS_EACH * claims)
    limits = ToolLimits(
        rounds=ROUNDS, calls=calls, calls_round=calls, seconds=SECONDS, result=RESULT, results=20 * RESULT
    )
    box = ToolBox(WorkTree(patch, read), only)
    return with_named_tools(infer, TOOLS, box, WorkBudget(left, TOKENS, SECONDS), limits)
