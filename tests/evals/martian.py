"""A small benchmark of Martian's shape: three pull requests, two tools, one stored judge, a script that must
not run; and clones of its forks."""

import json
from pathlib import Path
from typing import Any

from tests.agents.conftest import git, make_repository

UPSTREAM = "https://github.com/octo/tea/pull/{}"
FORK = "https://github.com/someone-evaluates/tea-tool/pull/1"
QUESTION = """Compare.
Golden Comment (what is looked for):
{golden_comment}
Candidate Issue:
{candidate}
Respond with ONLY {{"reasoning": "", "match": true/false, "confidence": 0.0-1.0}}"""
SCRIPT = f'''raise SystemExit("this was run")
JUDGE_PROMPT = """{QUESTION}"""
class Judge:
    def call(self, prompt):
        return [{{"role": "system", "content": "You evaluate."}}, {{"role": "user", "content": prompt}}]
'''
DIVIDES, EMPTY, LEAK = (
    "Divides by zero when cold",
    "An empty pot is not refused",
    "The kettle is never closed",
)


def remarks(*texts: str) -> list[dict[str, Any]]:
    return [{"text": text, "path": None, "line": None, "source": "extracted"} for text in texts]


def told(tp: int, said: int, golden: int, **more: Any) -> dict[str, Any]:
    counts = {"tp": tp, "fp": said - tp, "fn": golden - tp, "total_candidates": said, "total_golden": golden}
    return {"skipped": False, **counts, **more}


def make_benchmark(folder: Path) -> Path:
    top = folder / "offline"
    (top / "golden_comments").mkdir(parents=True)
    (top / "results" / "a_judge").mkdir(parents=True)
    (top / "code_review_benchmark").mkdir()
    golden = [
        {"pr_title": "Brew", "url": UPSTREAM.format(1), "comments": [{"comment": DIVIDES}]},
        {
            "pr_title": "Pour", "url": FORK, "original_url": UPSTREAM.format(2),
            "comments": [{"comment": EMPTY}, {"comment": LEAK, "severity": "Low"}],
        },
        {"pr_title": "Nothing to say", "url": UPSTREAM.format(3), "comments": []},
    ]  # fmt: skip
    said = {
        UPSTREAM.format(1): {"loud": remarks("It divides by zero", "Add a test", "Rename x"), "shy": []},
        FORK: {"loud": remarks("Names", "Names"), "shy": remarks("An empty pot passes")},
    }
    judged = {
        UPSTREAM.format(1): {"loud": told(1, 3, 1), "shy": told(0, 0, 1)},
        FORK: {"loud": told(0, 2, 2), "shy": told(1, 1, 2), "absent": {"skipped": True}},
    }
    for name, content in {
        "golden_comments/tea.json": golden,
        "results/a_judge/candidates.json": said,
        "results/a_judge/evaluations.json": judged,
    }.items():
        (top / name).write_text(json.dumps(content))
    (top / "code_review_benchmark" / "step3_judge_comments.py").write_text(SCRIPT)
    return top


def make_clones(folder: Path) -> Path:
    """Of #1 a clone that can be used and another; of #2 one that lacks its branch; and what is none."""
    first = folder / "octo__tea__loud__PR1__20260123"
    make_repository(first, {"tea.py": "def brew(water):\n    return water\n"})
    git(first, "branch", "-M", "main")
    git(first, "checkout", "-q", "-b", "pr-1")
    (first / "tea.py").write_text("def brew(water):\n    return water / 0\n")
    git(first, "commit", "-qam", "Brew hotter")
    git(first, "checkout", "-q", "main")
    make_repository(folder / "octo__tea__shy__PR1__20260123", {"tea.py": "x = 1\n"})
    make_repository(folder / "someone-evaluates__tea-tool__PR1__1", {"tea.py": "x = 1\n"})
    (folder / "octo__tea__notes__PR9").mkdir()
    (folder / "README").write_text("no clone")
    return folder
