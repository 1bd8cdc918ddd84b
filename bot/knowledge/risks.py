"""How risky each file of a repository is, by its index alone: often changed, often mended, not tested."""

from collections import Counter, defaultdict

from bot.core.file_kinds import is_test, subject
from bot.core.knowledge import FileRisk
from bot.core.past_changes import is_fix
from bot.knowledge.storage import IndexStore

MOST_COMMITS = 3_000
"""The newest, which count."""
MOST_SUBJECTS = 8


def risks(index_store: IndexStore) -> list[FileRisk]:
    """Of every file of the tip that was read."""
    with index_store.reading():
        files = {path: one.sha for path, one in index_store.files().items() if not one.why}
        lines = index_store.line_counts()
        commits, fixes = Counter[str](), Counter[str]()
        subjects: dict[str, list[str]] = defaultdict(list)
        for commit in index_store.recent(MOST_COMMITS):
            mended = is_fix(commit.subject)
            for path in commit.paths:
                commits[path] += 1
                fixes[path] += mended
                if len(subjects[path]) < MOST_SUBJECTS:
                    subjects[path].append(commit.subject)
    tested = {subject(path) for path in files if is_test(path)}
    return [
        FileRisk(
            path,
            sha,
            lines.get(sha, 0),
            commits[path],
            fixes[path],
            subject(path) in tested,
            tuple(subjects.get(path, ())),
        )
        for path, sha in files.items()
    ]
