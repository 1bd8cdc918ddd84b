"""A short soak; `make soak` is the long one."""

from pathlib import Path

import pytest

from tests import needs
from tests.soak.figures import figures
from tests.soak.soak import Plan, Soak

pytestmark = [pytest.mark.kills, pytest.mark.timeout(600), pytest.mark.xdist_group("kills")]
OF_TIME = ("all sent in", "p95 of the quiet account")
"""Say nothing in so short a time, on a machine that does other things too."""


def test_R1_R2_R15_while_everything_fails_each_event_is_answered_once(tmp_path: Path) -> None:
    needs.postgres_programs()
    needs.postgres_user()
    needs.redis_server()
    needs.proc()
    plan = Plan(20.0, 36, seed=7, alone=0, quiet=4, github=18.0, without=("receiver restarted",))
    said: list[str] = []
    soaked = Soak(tmp_path, plan, said.append).run()
    assert {one.what for one in soaked.struck} >= {"worker killed", "Redis emptied", "PostgreSQL restarted"}
    wrong = [one for one in figures(soaked) if not one.met and not one.name.startswith(OF_TIME)]
    assert wrong == []
    assert "not settled" in said[-1]
