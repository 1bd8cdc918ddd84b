"""What some models want before a text to know what its vector is for; Ollama sends texts as they are.

https://huggingface.co/nomic-ai/nomic-embed-text-v1.5, intfloat/e5-large-v2,
mixedbread-ai/mxbai-embed-large-v1, Snowflake/snowflake-arctic-embed-l, BAAI/bge-large-en-v1.5,
google/embeddinggemma-300m, Qwen/Qwen3-Embedding-0.6B
"""

from bot.core.inference import Purpose

_PASSAGES = "Represent this sentence for searching relevant passages: "
_TASK = "Instruct: Given a description of a problem, retrieve the code or the text that is about it\nQuery:"
_PREFIXES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("nomic-embed",), "search_document: ", "search_query: "),
    (("e5-", "multilingual-e5"), "passage: ", "query: "),
    (("mxbai-embed", "snowflake-arctic-embed", "bge-small", "bge-base", "bge-large"), "", _PASSAGES),
    (("embeddinggemma",), "title: none | text: ", "task: search result | query: "),
    (("qwen3-embedding",), "", _TASK),
)
"""Beginnings of a model's name without its namespace; what goes before a document; what before a query."""


def prefixed(model: str, text: str, purpose: Purpose) -> str:
    """The text as this model wants it."""
    name = model.lower().rpartition("/")[2]
    for names, document, query in _PREFIXES:
        if name.startswith(names):
            return (query if purpose == "query" else document) + text
    return text
