"""Remarks of ruff's that are right by the letter and of no use: what a file like this is made for, what tests
are written in, what only a whole program could tell."""

import ast
import re
from pathlib import PurePosixPath

from bot.core.file_kinds import is_test

TESTS = frozenset({"B003", "B018", "B015", "F811", "F841", "S102", "S307", "S602", "S605"})
"""Written on purpose in tests: an expression for the exception that it raises, a name again for its
decorator's sake, a result that nobody reads."""
MOST_IMPORTS = 5
"""Unused imports in one file; with more of them it is there to hand names on."""

_BENCHMARK = re.compile(r"(?:^|/)benchmarks?/")
_HANDS_ON = re.compile(
    r"(?:^|/)(?:__init__|_?compat|_?api|types?|conftest)\.pyi?$|(?:^|/)(?:migrations|compat)/"
)
_SETTINGS = re.compile(r"(?:^|/)(?:settings|config|conf)(?:/|[\w-]*\.py$)")
_BROKEN_ON_PURPOSE = re.compile(
    r"(?i)(?:^|/)(?:fixtures?|testdata|data|samples?|snippets?|corpus|templates?|cookiecutter|snapshots?)/"
    r"|\{\{|(?:bad|invalid|broken|syntax)[^/]*\.\w+$|(?:error|py2|python2)[^/]*\.pyi?$"
)
_NEWER = re.compile(r"\bon Python 3\.\d+\b|syntax was added in Python")
_EACH_TIME = re.compile(
    r"`(?:(?:[\w.]+\.)?(?:now|utcnow|today|time|time_ns|monotonic|perf_counter|uuid[1-7]|random|randint"
    r"|choice|token_\w+|urandom|getpid|getcwd|open|connect|mkdtemp|mkstemp|list|dict|set|deque|defaultdict"
    r"|OrderedDict))`"
)
_HELPER = re.compile(r"(?i)exc|err|rais|fail|handle|fault|abort|except|tb\b|traceback")


def is_noise(code: str, message: str, line: int, path: str, text: str) -> bool:
    """Whether a person would wave the remark away."""
    in_test = is_test(path) or _BENCHMARK.search(path) is not None
    base = PurePosixPath(path).name
    match code:
        case "F401":
            whole = "." not in message.split("`")[1] if "`" in message else True
            handed = _HANDS_ON.search(path) is not None and not (whole and base == "conftest.py")
            return handed or "find_spec" in message
        case "F403" | "F405":
            return in_test or base in ("__init__.py", "__init__.pyi") or _SETTINGS.search(path) is not None
        case "F811" if base.endswith(".pyi"):
            return True
        case "F821":
            return "`_`" in message or "`reveal_type`" in message or "`__file__`" in message
        case "F822":
            return "def __getattr__" in text
        case "B008":
            return _EACH_TIME.search(message) is None
        case "S602" | "S605":
            return in_test or "seems safe" in message
        case "S102":
            return in_test or _is_literal(text, line)
        case "PLE0704":
            return _is_guarded(text, line)
        case _ if is_syntax(code):
            return _NEWER.search(message) is not None or is_broken_on_purpose(path)
        case _:
            return in_test and code in TESTS


def is_broken_on_purpose(path: str) -> bool:
    """Whether a file may be there to be unreadable: a sample, a template."""
    return _BROKEN_ON_PURPOSE.search(path) is not None


def is_syntax(code: str) -> bool:
    return code in ("syntax", "invalid-syntax") or code.startswith("E9")


def _tree(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_literal(text: str, line: int) -> bool:
    """Whether `exec` in this line is given a text that stands there."""
    tree = _tree(text)
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call)) if tree else ()
    return any(node.lineno == line and node.args and isinstance(node.args[0], ast.Constant) for node in calls)


def _is_guarded(text: str, line: int) -> bool:
    """Whether a bare `raise` stands behind a condition in a function, or in one that speaks of an exception:
    it is called while one is being handled."""
    tree = _tree(text)
    waiting: list[tuple[ast.AST, bool, bool]] = [(tree, False, False)] if tree else []
    while waiting:
        node, inside, guarded = waiting.pop()
        if isinstance(node, ast.Raise) and node.lineno == line:
            return inside and guarded
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names = [arg.arg for arg in (*node.args.args, *node.args.kwonlyargs)]
            inside, guarded = True, any(map(_HELPER.search, (node.name, *names)))
        elif isinstance(node, ast.If | ast.Match | ast.With | ast.AsyncWith):
            guarded = True
        waiting += [(child, inside, guarded) for child in ast.iter_child_nodes(node)]
    return False
