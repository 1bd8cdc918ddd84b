"""The Grafana board and the alert rules of deploy/ name metrics that `/metrics` tells, and the rules fire."""

import json
import re
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import needs
from tests.pages import metrics

DEPLOY = Path(__file__).parents[1] / "deploy"
RULES = DEPLOY / "prometheus" / "alerts.yml"
BOARD = json.loads((DEPLOY / "grafana" / "hob.json").read_text())
PANELS: list[dict[str, Any]] = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
METRICS = metrics()
PARTS = re.compile(r"_(bucket|sum|count)$")
"""Of a histogram."""


def _rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def _named(expression: str) -> set[str]:
    found = re.findall(r"\bhob_\w+", expression)
    return {name if name in METRICS else PARTS.sub("", name) for name in found}


def _expressions() -> list[str]:
    return [target["expr"] for panel in PANELS for target in panel["targets"]]


@pytest.mark.parametrize("expression", [*_expressions(), *(rule["expr"] for rule in _rules())])
def test_what_board_and_rules_ask_for_is_told(expression: str) -> None:
    named = _named(expression)
    assert named <= set(METRICS)
    assert named or expression.startswith("up{")
    counters = {name for name in named if METRICS[name] == "counter"}
    assert all(re.search(rf"(rate|increase)\({name}", expression) for name in counters)


def test_every_metric_is_on_the_board() -> None:
    assert {name for one in _expressions() for name in _named(one)} == set(METRICS)


def test_panels_have_numbers_titles_and_places_of_their_own() -> None:
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    assert all(panel["title"] and panel["datasource"]["uid"] == "${source}" for panel in PANELS)
    places = [panel["gridPos"] for panel in BOARD["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)


def test_every_rule_is_tried_and_says_what_to_do() -> None:
    tests = yaml.safe_load(RULES.with_name("alerts.test.yml").read_text())["tests"]
    tried = {
        each["alertname"] for test in tests for each in test.get("alert_rule_test", ()) if each["exp_alerts"]
    }
    assert {rule["alert"] for rule in _rules()} == tried
    assert all({"summary", "what_to_do"} <= set(rule["annotations"]) for rule in _rules())


def _promtool(*arguments: str | Path) -> None:
    program = needs.program("promtool", "prometheus")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_fire_when_they_should_and_rest_when_they_should() -> None:
    _promtool("check", "rules", RULES)
    _promtool("test", "rules", RULES.with_name("alerts.test.yml"))


def test_what_the_board_asks_for_can_be_asked(tmp_path: Path) -> None:
    """As recording rules, which promtool parses."""
    file = tmp_path / "board.yml"
    asked = [one.replace("$__rate_interval", "5m") for one in _expressions()]
    rules = [{"record": f"board:{n}", "expr": one} for n, one in enumerate(asked)]
    file.write_text(yaml.safe_dump({"groups": [{"name": "board", "rules": rules}]}))
    _promtool("check", "rules", file)
