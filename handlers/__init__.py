"""What this Hob does, event by event. Bring your own with `HOB_HANDLERS=package:router`."""

from bot.router import Router
from handlers import comments, issues, memory, pull_requests

router = Router().include(pull_requests.router, issues.router, comments.router, memory.router)
