"""Whether a text is well-formed in its language, as far as tree-sitter's grammars know."""

import tree_sitter

from bot.knowledge.parsing.files import MAX_BYTES
from bot.knowledge.parsing.languages import grammar_of, language_of
from bot.knowledge.parsing.trees import TooHard, tree_of

_BROKEN = "[(ERROR) (MISSING)] @broken"


def errors(path: str, text: str) -> int | None:
    """How many places of `text` don't fit the grammar of the language that `path` tells; None: there is no
    grammar, or the text is too large or too hard for it."""
    grammar = grammar_of(language_of(path, text))
    data = text.encode(errors="replace")
    if grammar is None or len(data) > MAX_BYTES:
        return None
    try:
        root = tree_of(grammar, data).root_node
    except TooHard:
        return None
    if not root.has_error:
        return 0
    query = tree_sitter.Query(grammar.language, _BROKEN)
    found = tree_sitter.QueryCursor(query).captures(root).get("broken", [])
    return max(1, len(found))


def still_parses(path: str, before: str, after: str) -> bool | None:
    """Whether a change leaves no more broken places than there were; None: nobody can tell. Grammars lag
    behind their languages, so that a sound file may have some."""
    now = errors(path, after)
    if not now:
        return None if now is None else True
    earlier = errors(path, before)
    return None if earlier is None else now <= earlier
