"""What GitHub's button under a suggestion does to the file.

https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/incorporating-feedback-in-your-pull-request
"""

import re

_FENCE = re.compile(r"^ {0,3}(`{3,}(?=[^`]*$)|~{3,})\s*(.*?)\s*$")


def block(body: str) -> list[str] | None:
    """The lines of the first ```suggestion block (none: delete the lines); None where there is no block.

    A fence closes at a line of at least as many of its characters, as CommonMark says; what looks like one
    inside of another is its text.
    """
    lines = body.replace("\r\n", "\n").split("\n")
    at = 0
    while at < len(lines):
        if fence := _FENCE.match(lines[at]):
            closing = re.compile(rf"^ {{0,3}}{re.escape(fence[1][0])}{{{len(fence[1])},}}\s*$")
            end = next((n for n in range(at + 1, len(lines)) if closing.match(lines[n])), len(lines))
            if fence[2] == "suggestion":
                return lines[at + 1 : end]
            at = end
        at += 1
    return None


def suggested(text: str, body: str, first: int, last: int) -> str:
    """`text` with its lines first..last (counted from 1) replaced by the suggestion of `body`."""
    replacement = block(body)
    if replacement is None:
        raise ValueError("the comment has no suggestion block")
    lines = text.split("\n")
    if not 1 <= first <= last <= len(lines):
        raise ValueError(f"the file has no lines {first}-{last}")
    end = "\r" if lines[first - 1].endswith("\r") else ""
    return "\n".join([*lines[: first - 1], *(line + end for line in replacement), *lines[last:]])
