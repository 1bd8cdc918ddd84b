"""`python -m tests.bench.knowledge.cut FOLDER OUT.jsonl [MOST]`: cases of all repositories in a folder."""

import sys
from pathlib import Path

from tests.bench.knowledge.cases import cut, repositories, to_json


def main(folder: str, out: str, most: str = "40") -> None:
    with Path(out).open("w") as file:
        for name, git in repositories(Path(folder)).items():
            cases = list(cut(name, git, int(most)))
            print(f"{name}: {len(cases)} cases", file=sys.stderr)
            file.writelines(to_json(case) + "\n" for case in cases)


if __name__ == "__main__":
    main(*sys.argv[1:])
