"""What this Hob does, event by event. Bring your own with `HOB_HANDLERS=package:router`."""

from bot.router import Router
from handlers import (
    comments,
    installations,
    issues,
    knowledge,
    memory,
    pull_requests,
    reviews,
    steering,
    threads,
)

router = Router().include(
    pull_requests.router,
    issues.router,
    comments.router,
    reviews.router,
    threads.router,
    steering.router,
    memory.router,
    knowledge.router,
    installations.router,
)
