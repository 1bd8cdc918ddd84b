"""What commands there are, without importing them: `hob --help` and completion answer from here."""

from collections.abc import Mapping

GROUPS: Mapping[str, Mapping[str, str]] = {
    "Your own repositories": {
        "review": "Reviews a local change, and posts nothing.",
        "ask": "Answers a question about a repository, with citations.",
        "search": "Finds the files, symbols and lines that words are about.",
        "index": "Builds the index of a repository, or brings it up to date.",
        "graph": "Exports what hangs together, for Neo4j, Gephi and the like.",
        "implement": "Writes a change as one commit on a new branch.",
        "hook": "Git's pre-push hook: what is pushed is reviewed first.",
        "chain": "Agents that work one after the other.",
        "mcp": "Lends an editor's agent what Hob knows, read-only.",
    },
    "The service": {
        "setup": "Makes your own GitHub App, and gets Hob running.",
        "up": "Runs everything on this machine.",
        "serve": "Takes deliveries and shows the dashboard.",
        "work": "Does the runs: asks models, writes to GitHub.",
        "schedule": "Makes scheduled runs, for `hob work --no-schedule`.",
        "doctor": "Checks everything that Hob needs, one line each.",
        "hosts": "Shows the model hosts; finds more, and pulls models.",
        "checks": "Shows what there is to check changes with, and how to get more.",
        "settings": "Reads and changes stored settings.",
        "demo": "Plays the main job on loopback, and shows the review.",
    },
    "Repositories on GitHub": {
        "triage": "Triages the issues that were not triaged yet.",
        "standup": "Tells what moved, what is stuck, and who is asked.",
        "backtest": "Reviews merged pull requests again, and posts nothing.",
        "scan": "Reads code that nobody is changing, the riskiest first.",
        "learn": "Finds conventions in merged pull requests, and tries them.",
        "memory": "What people taught Hob about a repository.",
        "tune": "Trains a model on a repository's own past.",
        "receive": "Runs one stored payload, and prints its effects.",
    },
    "Its data": {
        "migrate": "Brings the database to the newest schema.",
        "backup": "Writes all that cannot be had again into one file.",
        "restore": "Puts a backup in the place of the database.",
        "purge": "Deletes all that is kept of one repository.",
        "rotate": "Makes a new key for the marks on what Hob wrote.",
    },
    "Tools": {
        "import-config": "Writes hob.yml from another reviewer's settings.",
        "schema": "Prints the JSON schema of hob.yml or hob.toml.",
        "eval": "Scores models on labelled cases.",
        "completion": "Has the shell complete commands and options of hob.",
    },
}
"""Heading -> command -> what it does, in a line of 80 characters together with the longest name."""
HIDDEN = frozenset({"prepare"})
"""Started by other commands."""
SUMMARIES: Mapping[str, str] = {name: about for group in GROUPS.values() for name, about in group.items()}


def module_of(name: str) -> str:
    """Of the package `bot.cli`."""
    return name.replace("-", "_")
