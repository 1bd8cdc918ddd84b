"""What to do about GitHub's refusals of a commit, a branch or a pull request, by GitHub's own words.

https://docs.github.com/en/rest/git/refs
https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets
"""

from bot.core.text import in_code

APPLY = "The patch stands below: `git apply` takes it, and it is pushed as any other change"
_RULE = "Let the App bypass that rule for {branch} (Settings, Rules), and ask again. {apply}."
_PUSH: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("secret detected", "cannot contain secrets", "push protection", "unblock-secret"),
        "GitHub's push protection takes something in this patch for a credential. Take it out, or let it "
        "pass where your organisation allows that, and ask again. {apply}.",
    ),
    (
        ("verified signature", "signed commit", "must be signed"),
        "A rule wants signatures that mine does not have there. Let the App bypass it for {branch}, or "
        "sign the commit yourself. {apply}.",
    ),
    (
        ("not a fast forward", "not a fast-forward"),
        "Somebody pushed to {branch} meanwhile: ask again for the code as it is now.",
    ),
    (
        ("reference already exists",),
        "A branch {branch} that is not mine stands there. Delete or rename it, and ask again. {apply}.",
    ),
    (
        ("reference does not exist",),
        "The branch {branch} is gone. Restore it, and ask again. {apply}.",
    ),
    (
        ("reference update failed",),
        "Either a rule protects such a name, or a branch named `hob` is in the way of {branch}. {apply}.",
    ),
    (("repository is empty",), "There is no commit yet to build on: push a first one, and ask again."),
    (("workflow",), "It would change a workflow, which the App may not, and is not to. {apply}."),
    (
        (
            "rule violation",
            "protected ref",
            "protected branch",
            "restricted",
            "authorized to push",
            "status check",
            "pull request",
            "approving review",
            "linear history",
            "merge commits",
        ),
        _RULE,
    ),
    (("archived", "read-only"), "The repository takes nothing while it is archived. {apply}."),
    (
        ("not accessible", "permission", "must have", "resource protected"),
        "Give the App the permission *Contents: read and write* (its own settings, Permissions), and accept "
        "it where the App is installed; then ask again. {apply}.",
    ),
    (("too large", "file size"), "A file of it is larger than GitHub takes. {apply}."),
)
_OPEN: tuple[tuple[tuple[str, ...], str], ...] = (
    (("already exists",), "There is a pull request from {branch} already."),
    (("no commits between",), "{base} has all of it already."),
    (("base",), "The branch {base} is gone. Restore it, or choose another base."),
    (("head",), "The branch {branch} is gone. Ask again."),
    (
        ("not accessible", "permission", "must have"),
        "Give the App the permission *Pull requests: read and write*, and accept it where it is installed.",
    ),
)


def of_push(error: str, branch: str) -> str:
    """For a commit that may not be pushed."""
    return _first(_PUSH, error).format(branch=in_code(branch), apply=APPLY) or f"{APPLY}."


def of_opening(error: str, branch: str, base: str) -> str:
    """For a pull request that may not be opened: its branch stands."""
    name = in_code(branch)
    stands = f"The commit is on {name}: open a pull request from it yourself, or `undo` takes it away."
    return f"{_first(_OPEN, error).format(branch=name, base=in_code(base))} {stands}".lstrip()


def _first(table: tuple[tuple[tuple[str, ...], str], ...], error: str) -> str:
    words = error.casefold()
    return next((remedy for some, remedy in table if any(one in words for one in some)), "")
