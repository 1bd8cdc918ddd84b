"""What reports a weakness is told from what merely speaks of one."""

import pytest

from bot.core.security_reports import suspicion

CERTAIN = [
    ("SQL injection in login", "An attacker can read all rows."),
    ("XSS in comments", "I found a stored XSS. PoC: <script>"),
    ("Sicherheitslücke im Login", "Ein Angreifer kann alles lesen, eine Schwachstelle in der API."),
    ("Faille de sécurité", "Un attaquant peut lire les fichiers."),
    ("Vulnerabilidad crítica", "Un atacante puede leer todo."),
    ("登录存在漏洞", "攻击者可以读取所有密码"),
    ("ログインの脆弱性", "攻撃者は任意のコードを実行できる"),
    ("Уязвимость в форме входа", "злоумышленник может войти"),
    ("Bug", "Path traversal and remote code execution; proof of concept attached."),
]
SUSPECTED = [
    ("Login", "Could this be a vulnerability?"),
    ("npm audit reports 3 vulnerabilities", "Please upgrade lodash, CVE-2021-23337."),
    ("Add a page about XSS to the docs", "It should explain escaping."),
]
PLAIN = [
    ("Kettle burns", "It burns when it is hot."),
    ("Security tab is slow", "The page needs ten seconds."),
    ("Crash", "Segmentation fault in parse()."),
    ("", ""),
]


@pytest.mark.parametrize(
    ("title", "body", "expected"),
    [
        *((*one, "certain") for one in CERTAIN),
        *((*one, "suspected") for one in SUSPECTED),
        *((*one, "") for one in PLAIN),
    ],
)
def test_reports_in_several_languages(title: str, body: str, expected: str) -> None:
    assert suspicion(title, body) == expected
