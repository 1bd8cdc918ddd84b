"""`config` and `help`: what counts here, and what may be asked."""

from tests.living import LivingHob
from tests.runs.test_explain import said
from tests.runs.test_over_time import answers, opened
from tests.tea import BROKEN, TEA


async def test_config_tells_each_value_and_where_it_was_said(hob: LivingHob) -> None:
    answers(hob)
    hob.services.store.settings.change(
        "repo", "octo/tea", lambda _: {"language": "de", "archives": ["octo/old"]}
    )
    files = {
        "tea.py": TEA,
        ".github/hob.yml": "review: {max_comments: 3, walk: true}\n",
        ".coderabbit.yaml": "reviews: {path_filters: ['!old/**']}\n",
    }
    repo = hob.github.repository("octo/tea", private=True, files=files)
    repo.grant("ann", "read")
    pull = repo.open_pull_request("Brew", {"tea.py": BROKEN}, author="ann")
    await hob.works()
    pull.comment("ann", "/hob config")
    await hob.works()
    table = said(pull)
    assert "| `review.max_comments` | `3` | `.github/hob.yml` |" in table
    assert '| `language` | `"de"` | `repository octo/tea` |' in table
    assert '| `review.paths` | `["!old/**"]` | `.coderabbit.yaml` |' in table
    assert "| `review.auto` | `true` | `default` |" in table
    assert "octo/old" not in table
    assert "line 1" in table
    pull.comment("ann", "/hob config issues")
    await hob.works()
    assert "`issues.triage`" in said(pull)
    assert "`review.auto`" not in said(pull)


async def test_help_about_a_word_names_the_commands_about_it(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    pull.comment("mona", "/hob help undo")
    await hob.works()
    assert "`@my-hob undo`" in said(pull)
    assert "`@my-hob pause`" not in said(pull)
    pull.comment("mona", "/hob help")
    await hob.works()
    for name in ("undo", "summary", "describe", "explain", "config", "pause"):
        assert f"`@my-hob {name}`" in said(pull)
