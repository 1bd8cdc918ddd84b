"""A graph written for others, with the worst of names."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.knowledge import Edge, GraphNode
from bot.knowledge.export import ExportCounts, cypher, graphml, quoted

SPACE = "{http://graphml.graphdrawing.org/xmlns}"
HOSTILE = [
    "a.py",
    'it\'s "quoted".py',
    "</data></node><node id='x'>",
    "]]>&amp;<!-- --",
    "line\nbreak\r\tand\x1b[2J\x07\x7f\x85\u2028.py",
    "'}) DETACH DELETE n //",
    "\\u0027}) DETACH DELETE n //",
    "\\\\u0027 \\U0027 \\",
    "\\\x01\\'\\\\'",
    "\ud800\ufffe é 茶 \U0001f375",
    "",
]
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
EDGES = [
    Edge("imports", GraphNode("file", one), GraphNode("symbol", other), 0.5)
    for one in HOSTILE
    for other in reversed(HOSTILE)
]


def held(text: str) -> str:
    """What XML can hold of a name."""
    return re.sub("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


def test_graphml_is_read_back_with_every_name_and_edge() -> None:
    counts = ExportCounts()
    root = ElementTree.fromstring("".join(graphml(EDGES, counts)).encode())
    keys = {key.get("id") for key in root.iter(f"{SPACE}key")}
    nodes = {}
    for node in root.iter(f"{SPACE}node"):
        data = {one.get("key"): one.text or "" for one in node.iter(f"{SPACE}data")}
        assert set(data) <= keys
        nodes[node.get("id")] = (data["kind"], data["name"])
    wanted = [(kind, held(one)) for kind in ("file", "symbol") for one in HOSTILE]
    assert sorted(nodes.values()) == sorted(wanted)
    read = [(nodes[one.get("source")], nodes[one.get("target")]) for one in root.iter(f"{SPACE}edge")]
    assert read == [(("file", held(e.source.name)), ("symbol", held(e.target.name))) for e in EDGES]
    assert (counts.nodes, counts.edges) == (2 * len(HOSTILE), len(EDGES))


def early(text: str) -> str:
    """What a reader makes of it that turns every `\\uXXXX` into its character before all else."""
    return re.sub(r"\\u([0-9A-Fa-f]{4})", lambda found: chr(int(found[1], 16)), text)


def strings(query: str) -> list[str]:
    """The string values of a query, as Cypher reads them; joined where `+` joins them."""
    found: list[str] = []
    joins = False
    for token in re.finditer(r"'((?:[^'\\]|\\.)*)'|\+|'|[^'+]+", query, re.DOTALL):
        if token.group() == "'":
            raise AssertionError(f"a string is not closed: {query!r}")
        if token.group().startswith("'"):
            value = re.sub(r"\\(u[0-9A-Fa-f]{4}|.)", _meant, token[1], flags=re.DOTALL)
            found[-1:] = [found[-1] + value] if joins else [*found[-1:], value]
        joins = token.group() == "+" or (joins and token.group().isspace())
    return found


def _meant(found: re.Match[str]) -> str:
    said = found[1]
    if len(said) > 1:
        return chr(int(said[1:], 16))
    return {"n": "\n", "r": "\r", "t": "\t"}.get(said, said)


def exact(text: str) -> str:
    return re.sub("[\0\ud800-\udfff]", "\ufffd", text)


@pytest.mark.parametrize("reader", [str, early])
def test_no_name_leaves_its_string_in_cypher(reader: object) -> None:
    lines = "".join(cypher(EDGES, ExportCounts())).splitlines()
    assert len(lines) == 1 + 2 * len(HOSTILE) + len(EDGES)
    shape = re.compile(r"MERGE \(n:Hob \{id: S\}\) SET n:(File|Symbol), n\.name = S;")
    for line in lines[1:]:
        assert not UNSEEN.search(line)
        read = reader(line)  # type: ignore[operator]
        said = strings(read)
        assert len(said) == 2
        if line.startswith("MERGE"):
            rest = re.sub(r"'(?:[^'\\]|\\.)*'(?: \+ '(?:[^'\\]|\\.)*')*", "S", read, flags=re.DOTALL)
            assert shape.fullmatch(rest)
            assert said[1] in [exact(one) for one in HOSTILE]


@given(st.text(alphabet=st.characters(codec=None) | st.sampled_from("\\u0027'\"\n")))
def test_a_quoted_string_is_exactly_its_text_to_either_reader(text: str) -> None:
    written = quoted(text)
    assert not UNSEEN.search(written)
    assert strings(written) == [exact(text)]
    assert strings(early(written)) == [exact(text)]
