"""What this Hob does, event by event. Bring your own with `HOB_HANDLERS=package:router`."""

from bot.router import Router
from handlers import (
    check_run_buttons,
    comments,
    describe,
    explain,
    fix,
    index,
    memory,
    merge_groups,
    offboarding,
    pull_request_state,
    review,
    thread_replies,
    triage,
    undo,
)

router = Router().include(
    review.router,
    triage.router,
    comments.router,
    fix.router,
    thread_replies.router,
    pull_request_state.router,
    memory.router,
    undo.router,
    describe.router,
    explain.router,
    check_run_buttons.router,
    merge_groups.router,
    index.router,
    offboarding.router,
)
