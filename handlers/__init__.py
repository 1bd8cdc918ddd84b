"""What this Hob does, event by event. Bring your own with `HOB_HANDLERS=package:router`."""

from bot.router import Router
from handlers import (
    ask,
    check_run_buttons,
    describe,
    explain,
    fix,
    help,  # noqa: A004  the command
    index,
    memory,
    merge_groups,
    offboarding,
    pull_request_state,
    review,
    settings,
    thread_replies,
    triage,
    undo,
)

router = Router().include(
    help.router,
    settings.router,
    review.router,
    ask.router,
    triage.router,
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
