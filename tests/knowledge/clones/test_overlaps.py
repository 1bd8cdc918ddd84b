"""Pull requests that change the same files or will conflict, as git itself finds."""

from collections.abc import Sequence

import pytest

from bot.core.knowledge import Overlap
from bot.testing.github.pulls import PullRequest
from tests.knowledge.clones.conftest import Fetching

LINES = "".join(f"line {n}\n" for n in range(40))


def changed(**lines: str) -> str:
    """The file with other lines: `l3="x"`."""
    return "".join(lines.get(f"l{n}", f"line {n}") + "\n" for n in range(40))


def opened(fetching: Fetching, files: dict[str, str], **more: str) -> PullRequest:
    pull = fetching.repo.open_pull_request("Change", files, author="ann", **more)
    assert isinstance(pull, PullRequest)
    return pull


async def found(fetching: Fetching, *pulls: PullRequest) -> Sequence[Overlap]:
    async with fetching.clones.held(fetching.repo.id) as held:
        return await held.overlaps(fetching.origin(), [pull.number for pull in pulls])


@pytest.fixture
async def cloned(fetching: Fetching) -> Fetching:
    fetching.repo.commit({"a.txt": LINES, "b.txt": LINES, "c.txt": LINES}, "Lines")
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    return fetching


async def test_same_lines_conflict_same_files_overlap_and_others_are_not_named(cloned: Fetching) -> None:
    one = opened(cloned, {"a.txt": changed(l3="one")})
    two = opened(cloned, {"a.txt": changed(l3="two"), "b.txt": changed(l1="x")})
    three = opened(cloned, {"a.txt": changed(l30="three")})
    other = opened(cloned, {"c.txt": changed(l30="other")})
    told = await found(cloned, other, three, two, one)
    assert set(told) == {
        Overlap(two.number, one.number, ("a.txt",), ("a.txt",)),
        Overlap(three.number, two.number, ("a.txt",), ()),
        Overlap(three.number, one.number, ("a.txt",), ()),
    }


async def test_a_pull_request_that_conflicts_with_its_base_is_named_alone(cloned: Fetching) -> None:
    one = opened(cloned, {"a.txt": changed(l3="one")})
    fine = opened(cloned, {"b.txt": changed(l3="one")})
    for text in ("two", "three"):  # the texts of the merge base and between are no longer in the clone
        cloned.repo.commit({"a.txt": changed(l3=text), "b.txt": changed(l30=text)}, text)
        await cloned.clones.update(cloned.repo.id, cloned.origin())
    assert await found(cloned, fine, one) == [Overlap(one.number, 0, ("a.txt",), ("a.txt",))]


async def test_nothing_is_left_in_the_clone_and_one_request_fetches_all_heads(cloned: Fetching) -> None:
    pulls = [opened(cloned, {"a.txt": changed(l3=f"{n}")}) for n in range(4)]
    before = cloned.packs_asked()
    assert len(await found(cloned, *pulls)) == 6
    assert cloned.packs_asked() - before == 1
    size = sum(one.stat().st_size for one in cloned.folder.glob("objects/**/*"))
    await found(cloned, *pulls)
    assert sum(one.stat().st_size for one in cloned.folder.glob("objects/**/*")) == size


async def test_without_a_clone_nothing_is_told(fetching: Fetching) -> None:
    assert await found(fetching, opened(fetching, {"a.txt": "x\n"})) == []


async def test_names_of_hostile_files_are_no_options(cloned: Fetching) -> None:
    one = opened(cloned, {"--output=x": "1\n", "a\nb.txt": "1\n", ":(top)é": "1\n"})
    two = opened(cloned, {"--output=x": "2\n", "a\nb.txt": "2\n", ":(top)é": "2\n"})
    (told,) = await found(cloned, two, one)
    assert set(told.paths) == set(told.conflicts or ()) == {"--output=x", "a\nb.txt", ":(top)é"}
