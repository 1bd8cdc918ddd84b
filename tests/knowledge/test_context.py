"""What belongs to a change is found in the index, and is as the change's base has it."""

import pytest

from bot.core.context_packing import NOTHING, Surroundings, pack_excerpts
from bot.core.diff import FileDiff, parse_git_diff
from bot.core.refs import Sha
from bot.knowledge.parsing.code_analysis import still_parses, symbols
from bot.knowledge.search.repository_search import Indexed
from bot.knowledge.search.search import Search
from bot.knowledge.storage import IndexStore
from bot.knowledge.storage.types import IndexStoreError
from tests.knowledge.conftest import Services

FILES = {
    "shop/cart.py": "from shop.money import rounded\n\n\ndef total(items):\n    return rounded(sum(items))\n",
    "shop/money.py": 'def rounded(value):\n    """To two places."""\n    return round(value, 2)\n',
    "shop/till.py": "from shop.cart import total\n\n\ndef receipt(items):\n    return f'{total(items)}.'\n",
    "tests/test_cart.py": "from shop.cart import total\n\n\ndef test_total():\n    assert total([1]) == 1\n",
    "shop/stock.py": "def order(goods):\n    return list(goods)\n",
}
NEW = FILES["shop/cart.py"].replace("sum(items)", "sum(items) * 2")
DIFF = """diff --git a/shop/cart.py b/shop/cart.py
--- a/shop/cart.py
+++ b/shop/cart.py
@@ -4,2 +4,2 @@
 def total(items):
-    return rounded(sum(items))
+    return rounded(sum(items) * 2)
"""


def change() -> list[FileDiff]:
    return list(parse_git_diff(DIFF))


@pytest.fixture
def shop(checkout: Services) -> Services:
    checkout.commit(dict(FILES), "Open a shop")
    checkout.index()
    return checkout


def indexed(checkout: Services) -> Indexed:
    return Indexed(lambda: IndexStore.open(checkout.index_store.path), checkout.git)


async def beside(checkout: Services, base: str = "") -> Surroundings:
    at = Sha(base or checkout.git.commit("main"))
    return await indexed(checkout).beside(change(), {"shop/cart.py": NEW}, at)


async def test_who_calls_it_what_it_calls_and_what_tests_it(shop: Services) -> None:
    found = (await beside(shop)).around["shop/cart.py"]
    places = {one.excerpt.path: one for one in sorted(found, key=lambda one: one.value)}
    assert places["shop/till.py"].excerpt.lines[0] == "def receipt(items):"
    assert places["shop/money.py"].excerpt.start == 1
    assert "def test_total():" in places["tests/test_cart.py"].excerpt.lines
    assert "shop/cart.py" not in places, "what changes is shown as it is at the head"
    assert places["shop/till.py"].value > places["tests/test_cart.py"].value > 0


async def test_what_does_the_same_elsewhere_is_beside_it(shop: Services) -> None:
    twin = "def grand_total(items):\n    return round(sum(items) * 2, 2)\n"
    shop.commit({**FILES, "market/stall.py": twin}, "Open a stall")
    shop.index()
    found = (await beside(shop)).around["shop/cart.py"]
    (like,) = [one for one in found if one.excerpt.path == "market/stall.py"]
    assert like.why == "is like it"
    assert like.excerpt.lines[0] == "def grand_total(items):"


async def test_it_is_packed_a_file_once_the_best_first_to_get_room(shop: Services) -> None:
    found = (await beside(shop)).around["shop/cart.py"]
    assert [one.name for one in pack_excerpts(found, 100)] == ["shop/till.py"]
    assert {one.name for one in pack_excerpts(found, 10_000)} >= {
        "shop/money.py",
        "shop/till.py",
        "tests/test_cart.py",
    }


async def test_a_file_that_the_base_has_otherwise_is_left_out(shop: Services) -> None:
    base = shop.git.commit("main")
    shop.commit({**FILES, "shop/till.py": FILES["shop/till.py"].replace(".'", "!'")}, "Say it")
    shop.index()
    assert "shop/till.py" not in {
        one.excerpt.path for one in (await beside(shop, base)).around["shop/cart.py"]
    }


async def test_without_the_base_or_an_index_there_is_nothing(shop: Services) -> None:
    assert await beside(shop, "0" * 40) == NOTHING
    without = Indexed(lambda: None, shop.git)
    assert await without.beside(change(), {}, Sha(shop.git.commit("main"))) == NOTHING
    assert await without.search("total") == ()


@pytest.mark.parametrize("way", ["passages", "search"])
async def test_a_push_after_a_search_changes_no_line_that_is_shown(
    shop: Services, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    search = getattr(Search, way)

    def pushed_after(*args: object, **named: object) -> object:
        found = search(*args, **named)
        cart = FILES["shop/cart.py"].replace("def total", "LIMIT = 9\n\n\ndef grand_total")
        shop.commit({**FILES, "shop/cart.py": cart}, "Set a limit")
        shop.index()
        return found

    monkeypatch.setattr(Search, way, pushed_after)
    if way == "passages":
        (cart, *_) = [one for one in await indexed(shop).search("total of items") if "cart" in one.path]
        assert "def total(items):" in cart.lines
    else:
        outlines = await indexed(shop).outlines("total of items")
        (known, *_) = [one for one in outlines if one.path == "shop/cart.py"]
        assert known.signatures == ("def total(items)",)


async def test_who_knows_a_file_is_named_and_nobody_where_there_is_no_index(shop: Services) -> None:
    assert len(await indexed(shop).people("shop/cart.py")) == 1
    assert await indexed(shop).people("nowhere.py") == []
    assert await Indexed(lambda: None, shop.git).people("shop/cart.py") == []


async def test_names_are_known_by_the_repository_or_the_change(shop: Services) -> None:
    known = (await beside(shop)).known
    assert known is not None
    assert known("receipt") and known("test_total") and known("total")
    assert not known("brewAllTheTea") and not known("no_such_name")


async def test_a_name_that_the_tip_lost_during_a_review_is_known(shop: Services) -> None:
    known = (await beside(shop)).known
    shop.commit({"tests/test_cart.py": None, "shop/receipt.py": None})
    shop.index()
    assert known is not None
    assert known("receipt") and known("test_total")
    assert not known("brewAllTheTea")


async def test_an_index_that_breaks_later_knows_every_name(shop: Services) -> None:
    at = Sha(shop.git.commit("main"))
    works = [True]

    def opened() -> IndexStore:
        if not works[0]:
            raise IndexStoreError("the disk is full")
        return IndexStore.open(shop.index_store.path)

    found = await Indexed(opened, shop.git).beside(change(), {"shop/cart.py": NEW}, at)
    works[0] = False
    assert found.known is not None and found.known("no_such_name")


def test_symbols_of_any_language_have_all_of_their_lines() -> None:
    found = symbols("pot.ts", "class Pot {\n  size = 1;\n  pour(cup: Cup) {\n    cup.fill(this);\n  }\n}\n")
    assert [(one.symbol, one.start, one.end) for one in found] == [("Pot", 1, 6), ("Pot.pour", 3, 6)]


@pytest.mark.parametrize(
    ("path", "before", "after", "sound"),
    [
        ("a.go", "package a\nfunc b() {}\n", "package a\nfunc b() {\n", False),
        ("a.go", "package a\nfunc b() {}\n", "package a\nfunc c() {}\n", True),
        ("a.py", "x = 1\n", "x = (\n", False),
        ("a.unknown", "x", "(", None),
    ],
)
def test_a_change_that_breaks_a_file_is_told(path: str, before: str, after: str, sound: bool | None) -> None:
    assert still_parses(path, before, after) is sound
