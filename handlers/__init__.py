"""What this Hob does, event by event. Bring your own with `HOB_HANDLERS=package:router`."""

from bot.router import Router
from handlers import (
    checks,
    comments,
    describe,
    explain,
    installations,
    issues,
    knowledge,
    memory,
    merge_groups,
    pull_requests,
    reviews,
    steering,
    threads,
    undo,
)

router = Router().include(
    pull_requests.router,
    issues.router,
    comments.router,
    reviews.router,
    threads.router,
    steering.router,
    memory.router,
    undo.router,
    describe.router,
    explain.router,
    checks.router,
    merge_groups.router,
    knowledge.router,
    installations.router,
)
