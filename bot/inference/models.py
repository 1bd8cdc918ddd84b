"""Which model of a machine's Ollama to take when nobody has said."""

from contextlib import closing
from urllib.request import urlopen

import msgspec

EMBEDDERS = ("embed", "bge", "minilm")


class _Model(msgspec.Struct):
    name: str
    size: int = 0
    remote_host: str = ""


class _Tags(msgspec.Struct):
    models: list[_Model] = []


def choose_local(url: str) -> str:
    """The name of a model that runs on this machine, one made for code first, else the largest; empty when
    no Ollama answers within two seconds or it has none. https://docs.ollama.com/api/tags"""
    try:
        with closing(urlopen(f"{url}/api/tags", timeout=2)) as answer:  # noqa: S310  an operator's address
            tags = msgspec.json.decode(answer.read(1 << 20), type=_Tags)
    except (OSError, msgspec.MsgspecError):
        return ""
    local = [
        model
        for model in tags.models
        if not model.remote_host
        and not model.name.endswith("cloud")
        and not any(word in model.name for word in EMBEDDERS)
    ]
    return max(local, key=lambda model: ("code" in model.name, model.size)).name if local else ""
