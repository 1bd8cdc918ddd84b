"""A stand-in for GitHub: stateful, over real HTTP on loopback, with a real git repository behind it.

For the demo, for tests, and for people who write handlers of their own:

    with GitHub() as gh:
        repo = gh.repository("octo/tea", files={"tea.py": "..."})
        gh.install_app("octo", webhook_url="http://127.0.0.1:8700/webhook")
        pr = repo.open_pull_request("Brew hotter", {"tea.py": "..."}, author="mona")
        gh.wait_until(lambda: pr.reviews)

Nothing here is a server for others: it listens on 127.0.0.1 only.
"""

from bot.testing.github.git import executable, submodule, symlink
from bot.testing.github.github import GitHubStandIn

__all__ = ["GitHubStandIn", "executable", "submodule", "symlink"]
