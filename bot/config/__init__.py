"""Process configuration: hob.toml and the environment. docs/configuration.md names every key.

>>> config = load_config()
>>> secrets = require_receiver(config)      # refuses to start without a webhook secret
"""

from bot.config.allowed import chosen, why_not
from bot.config.load import find, load_config
from bot.config.models import Config, HostTable
from bot.config.router import load_router
from bot.config.secrets import api_token, api_tokens, private_key, require_receiver, webhook_secrets

__all__ = [
    "Config",
    "HostTable",
    "api_token",
    "api_tokens",
    "chosen",
    "find",
    "load_config",
    "load_router",
    "private_key",
    "require_receiver",
    "webhook_secrets",
    "why_not",
]
