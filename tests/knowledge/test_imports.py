"""Which files an import means, language by language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.knowledge.parsing.imports import FileTree

TREE = FileTree(
    """
    bot/__init__.py bot/core/__init__.py bot/core/text.py bot/web/app.py bot/web/json.py bot/web/__init__.py
    tool.py src/pkg/__init__.py src/pkg/mod.py
    web/src/app.ts web/src/side.tsx web/src/lib/index.js web/src/deep/x.ts web/src/old.js src/api.ts
    go.mod cmd/main.go store/inbox.go store/inbox_test.go store/outbox.go http/http.go
    include/tea/pot.h src/pot.c src/local.h
    app/src/main/java/com/a/B.java app/src/main/java/com/a/C.kt app/src/main/java/com/z/D.java
    crate/src/lib.rs crate/src/a.rs crate/src/a/b.rs crate/src/m/mod.rs crate/src/m/n.rs
    gem/lib/gem/cup.rb gem/lib/gem.rb spec/cup_spec.rb
    php/src/Models/User.php php/index.php php/util.php
    run.sh lib/common.sh
    """.split()  # noqa: SIM905
)


@pytest.mark.parametrize(
    ("path", "target", "meant"),
    [
        ("bot/web/app.py", "bot.core.text", ["bot/core/text.py"]),
        ("bot/web/app.py", "bot.core", ["bot/core/__init__.py"]),
        ("bot/web/app.py", "bot.core.text.cut", ["bot/core/text.py"]),
        ("bot/web/app.py", "pkg.mod", ["src/pkg/mod.py"]),
        ("bot/web/app.py", ".json", ["bot/web/json.py"]),
        ("bot/web/app.py", "..core.text", ["bot/core/text.py"]),
        ("bot/web/app.py", ".", ["bot/web/__init__.py"]),
        ("bot/web/app.py", "....x", []),
        ("tool.py", "json", []),  # the one in bot/web is bot.web.json
        ("bot/web/app.py", "tool", ["tool.py"]),
        ("bot/web/app.py", "os.path", []),
        ("web/src/app.ts", "./side", ["web/src/side.tsx"]),
        ("web/src/app.ts", "./side.js", ["web/src/side.tsx"]),
        ("web/src/app.ts", "./lib", ["web/src/lib/index.js"]),
        ("web/src/deep/x.ts", "../old", ["web/src/old.js"]),
        ("web/src/app.ts", "@/api", ["src/api.ts"]),
        ("web/src/app.ts", "react", []),
        ("web/src/app.ts", "../../../../etc/passwd", []),
        ("cmd/main.go", "example.com/shop/store", ["store/inbox.go", "store/outbox.go"]),
        ("cmd/main.go", "net/http", []),
        ("cmd/main.go", "fmt", []),
        ("src/pot.c", "tea/pot.h", ["include/tea/pot.h"]),
        ("src/pot.c", "local.h", ["src/local.h"]),
        ("src/pot.c", "stdio.h", []),
        ("app/src/main/java/com/z/D.java", "com.a.B", ["app/src/main/java/com/a/B.java"]),
        ("app/src/main/java/com/z/D.java", "com.a.C", ["app/src/main/java/com/a/C.kt"]),
        ("app/src/main/java/com/z/D.java", "com.a.B.of", ["app/src/main/java/com/a/B.java"]),
        (
            "app/src/main/java/com/z/D.java",
            "com.a.*",
            ["app/src/main/java/com/a/B.java", "app/src/main/java/com/a/C.kt"],
        ),
        ("app/src/main/java/com/z/D.java", "java.util.List", []),
        ("crate/src/lib.rs", "a", ["crate/src/a.rs"]),
        ("crate/src/lib.rs", "m", ["crate/src/m/mod.rs"]),
        ("crate/src/m/n.rs", "crate::a::b::Thing", ["crate/src/a/b.rs"]),
        ("crate/src/m/n.rs", "super::super::a::{b, c}", ["crate/src/a.rs"]),
        ("crate/src/m/mod.rs", "self::n", ["crate/src/m/n.rs"]),
        ("crate/src/a.rs", "std::io", []),
        ("spec/cup_spec.rb", "gem/cup", ["gem/lib/gem/cup.rb"]),
        ("gem/lib/gem.rb", "./gem/cup", ["gem/lib/gem/cup.rb"]),
        ("gem/lib/gem.rb", "json", []),
        ("php/index.php", "App\\Models\\User", ["php/src/Models/User.php"]),
        ("php/index.php", "/util.php", ["php/util.php"]),
        ("run.sh", "./lib/common.sh", ["lib/common.sh"]),
        ("README.md", "bot.core", []),
    ],
)
def test_an_import_means_the_file_it_names(path: str, target: str, meant: list[str]) -> None:
    assert list(TREE.meant(path, target)) == meant


@given(st.sampled_from(sorted(TREE.paths)), st.text(alphabet="abcore./\\:*{}@~ -\0é", max_size=40))
def test_whatever_is_written_means_files_of_the_tree_or_none(path: str, target: str) -> None:
    meant = TREE.meant(path, target)
    assert set(meant) <= TREE.paths
    assert path not in meant
