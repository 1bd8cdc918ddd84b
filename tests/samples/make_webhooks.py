"""Makes webhooks/examples.json.gz anew: `python -m tests.samples.make_webhooks TARBALL`.

The tarball is what `npm pack @octokit/webhooks-examples` gives. These are GitHub's published example
payloads; a number of them fail their own schema, so they are inputs, never a measure.
"""

import json
import sys
from pathlib import Path

from tests.samples.archive import member, save_json

TARGET = Path(__file__).parent / "webhooks" / "examples.json.gz"


def main(tarball: str) -> None:
    listed = json.loads(member(Path(tarball), "api.github.com/index.json"))
    pairs = [[event["name"], payload] for event in listed for payload in event["examples"]]
    save_json(TARGET, pairs)
    print(f"{len(pairs)} payloads, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
