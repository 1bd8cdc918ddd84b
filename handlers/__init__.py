"""What this Hob does: each file here with a `router` takes part. Bring your own with
`HOB_HANDLERS=package:router`."""

from importlib import import_module
from pkgutil import iter_modules

from bot.router import Router

router = Router()
for _name in sorted(module.name for module in iter_modules(__path__)):
    if isinstance(_found := getattr(import_module(f"{__name__}.{_name}"), "router", None), Router):
        router.include(_found)
