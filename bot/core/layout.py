"""What of a file's form an edit has to keep: how its lines end, and how they are indented."""

from bot.core.file_kinds import is_prose


def changed_layout(path: str, before: str, after: str) -> str:
    """What an edit changed of it, as a clause; empty where it kept all, and for what is new."""
    if not before:
        return ""
    ends = _ends(before)
    if ends not in ("", "mixed") and _ends(after) not in ("", ends):
        return f"its lines end in {ends}, and those of the edit do not"
    used, now = _indented(before), _indented(after)
    if len(used) == 1 and set(now) - set(used) and not is_prose(path):
        return f"its lines are indented with {used[0]}, and those of the edit are not"
    return ""


def _ends(text: str) -> str:
    """How all of its lines end; "mixed" where they do not end alike."""
    every, returns = text.count("\n"), text.count("\r\n")
    if not every:
        return ""
    return "CRLF" if returns == every else "mixed" if returns else "LF"


def _indented(text: str) -> tuple[str, ...]:
    """With what lines begin; one blank is how comments are aligned."""
    tabs = text.startswith("\t") or "\n\t" in text
    blanks = text.startswith("  ") or "\n  " in text
    return (*(("tabs",) if tabs else ()), *(("blanks",) if blanks else ()))
