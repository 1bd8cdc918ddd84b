"""How a repository stands, read through the App for the command line."""

import time

from bot.config import load_config
from bot.core.errors import UserError
from bot.core.standup import Standup, standup, standup_facts
from bot.github.reader import ISSUE, JobReader
from bot.runs.preview import find
from bot.runs.services import build


async def read_standup(full_name: str, since: float, milestone: str) -> Standup:
    """Posts nothing. UserError where the App cannot see the repository, or nothing is in the milestone."""
    config = load_config()
    services = build(config)
    try:
        repo = await find(services.github, full_name)
        async with services.github.job(repo) as job:
            reader = JobReader(repo, job, ISSUE)
            slug = config.github.app_slug
            facts = await standup_facts(reader, repo.full_name, since, time.time(), milestone, slug)
            if milestone and not facts.graph.items:
                raise UserError(f"I find nothing in a milestone named {milestone[:90]}", "look at its title")
            return standup(facts)
    finally:
        await services.aclose()
