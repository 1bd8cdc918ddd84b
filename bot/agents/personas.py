"""Agents that are a prompt file and nothing more."""

from bot.agents.base import Agent


class ChatAgent(Agent):
    """Talks."""

    name = "chat"


class Coding(Agent):
    """Writes and explains code."""

    name = "coding"


class Reasoning(Agent):
    """Works through a problem step by step."""

    name = "reasoning"
