"""What is a credential and what only looks like one, by a table; and that no credential leaves, however it is
written down."""

import pytest

from bot.core import credentials
from bot.core.credentials import hiding, place_of
from bot.core.credentials.words import family
from tests.core.credentials import BODY, HEX, HUMAN, ISSUED, JWT, NAMED, NONE, UPPER, made


def test_the_table_is_large() -> None:
    assert len(ISSUED) + len(NAMED) + len(NONE) >= 250


@pytest.mark.parametrize("kind", ISSUED)
@pytest.mark.parametrize("form", ["{}", "key = '{}'", "  - {}", '"value": "{}",', "KEY={}"])
def test_what_an_issuer_gave_is_found_wherever_it_stands(kind: str, form: str) -> None:
    if "private key" in kind.lower() or "OpenSSH" in kind:
        form = form.replace("'", "").replace('"', "").rstrip(",")
    line = form.format(ISSUED[kind])
    assert credentials.found(line), line


@pytest.mark.parametrize("kind", NAMED)
def test_a_secret_under_its_name_is_found(kind: str) -> None:
    (found,) = credentials.found(NAMED[kind])
    assert found.severity in ("major", "minor")


@pytest.mark.parametrize("line", NONE)
def test_a_sample_a_name_an_address_a_template_a_hash_is_none(line: str) -> None:
    assert [(one.kind, line[one.start : one.end]) for one in credentials.found(line)] == []


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        (ISSUED["GitHub token"], "critical"),
        (ISSUED["Stripe key"], "critical"),
        (ISSUED["Stripe test key"], "minor"),
        (JWT, "major"),
        (f'DB_PASSWORD="{HUMAN}"', "major"),
        ("db_pass = 'Xk9" + "#mQ2z'", "minor"),
    ],
)
def test_the_severity_says_how_sure_it_is(line: str, severity: str) -> None:
    assert [one.severity for one in credentials.found(line)] == [severity]


LOGIN = "u:sec" + "ret"
HOSTS = [
    "h",
    "h/",
    "h:80/x",
    "h.",
    "[::1]:80/",
    "[fe80::1%25eth0]/",
    "_db/app",
    "\u00fcber.de",
    "h1,h2/x",
    "%2Frun%2Fdb",
    "/x",
]
PASSWORDS = [
    "sec" + "ret",
    "p%40ss%3Aw",
    "a@b@c",
    "p:q:r",
    "pa$$w0rd",
    "pa{ss",
    "p%d3ss",
    "pa#ss?w",
    "x" * 700,
]


@pytest.mark.parametrize("url", [
    *(f"https://{LOGIN}@{host}" for host in HOSTS),
    *(f"postgres://u:{password}@h" for password in PASSWORDS),
    *(f"{scheme}://{LOGIN}@h" for scheme in ("HTTPS", "redis", "postgresql+psycopg", "a.b-c")),
    f"redis://:{LOGIN}@h", f"http://{'u' * 300}:{LOGIN}@h", f"https://{made(30)}@h", f"https://{made(30)}:@h",
])  # fmt: skip
@pytest.mark.parametrize("form", ["{}", "see <{}>", 'proxy = "{}"', "`{}`", "git clone {} here@now"])
def test_the_login_of_a_url_is_hidden_at_whatever_host(url: str, form: str) -> None:
    hidden = credentials.without(form.format(url))
    scheme, _, rest = url.partition("://")
    _login, _, host = rest.rpartition("@")
    assert hidden.text == form.format(f"{scheme}://[hidden]@{host}")
    assert hidden.kinds == ("password in a URL",)


@pytest.mark.parametrize("line", [
    "http://localhost:3000/@foo/bar", "https://x.io:8443/a@b", "http://localhost:3000?email=a@b.io",
    "http://a:80,ann@x.io", "git+ssh://git@github.com:22/x", "docker://alpine:3.20.1@sha256:aabb",
    "https://user:password@host", "scheme://[user:pass@]h", "mysql+x://scott:tiger@h",
    "https://$USER:$PASSWORD@h", "postgres://u:${PASS}@h", "http://u:{{pw}}@h",
    "f'https://{quote(u)}:{quote(p)}@h'", "'https://u:%s@h' % pw", "r'ftp://([^:]+):([^@]+)@'",
    "https://<user>:<password>@host", "[x](https://a.io):foo@bar", "https://ann@h",
    "ASIA" + "PACIFICSOUTHEAST9X",
    "ACCA" + "BCDEFGHIJKLMNOPQ", "0xAK" + "IA1234567890ABCDEF0", "SK" + "a" * 31,
])  # fmt: skip
def test_an_address_a_template_a_pattern_and_a_name_are_left(line: str) -> None:
    assert credentials.without(line).text == line


PREFIXES = ("AK" + "IA", "AS" + "IA", "AB" + "IA", "AC" + "CA", "DO" + "00")


@pytest.mark.parametrize("value", [
    *(f"{prefix}1234567890ABCDEF" for prefix in PREFIXES), "LT" + f"AI{made(20)}", "AK" + f"ID{made(32)}",
    "GOO" + f"G1E{made(55, UPPER)}", "A" + f"C{made(32, HEX)}",
])  # fmt: skip
@pytest.mark.parametrize("form", ["{}", "id: '{}'", "x_{}_y", "{}:{}", "?AccessKeyId={}&x=1"])
def test_the_id_of_a_key_pair_is_hidden_alone(value: str, form: str) -> None:
    assert credentials.without(form.format(value, value)).text == form.format("[hidden]", "[hidden]")


SAMPLES = ["tests/test_a.py", "docs/auth.md", "README.rst", "pkg/a_test.go", "src/a.spec.ts", ".env.example"]
SOURCES = [
    "src/a.py",
    ".env",
    "config/settings.yml",
    "contest/latest.py",
    "docker-compose.yml",
    "src/attest.rs",
]


def test_tests_and_documentation_hold_samples_and_an_issued_token_there_is_said_softly() -> None:
    assert [place_of(path) for path in SAMPLES + SOURCES] == ["sample"] * 6 + ["source"] * 6
    for line in (NAMED["DB_PASSWORD"], JWT, ISSUED["private key"], ISSUED["password in a URL"]):
        assert credentials.found(line) and not credentials.found(line, "sample")
    assert [one.severity for one in credentials.found(ISSUED["GitHub token"], "sample")] == ["minor"]


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        *(
            (name, True)
            for name in ("DB_PASSWORD", "clientSecret", "SECRET_KEY_BASE", "API_KEY_2", "authToken")
        ),
        *(
            (name, False)
            for name in ("SECRET_NAME", "tokenUrl", "API_KEY_HEADER", "password_min_length", "monkey")
        ),
    ],
)
def test_names_of_secrets_and_names_about_them(name: str, is_one: bool) -> None:
    assert bool(family(name)) == is_one


def test_the_value_alone_is_marked() -> None:
    line = f"  password: '{HUMAN}'  # of the kettle"
    (found,) = credentials.found(line)
    assert line[found.start : found.end] == HUMAN


FORMS = ["{}", "+{}", "-{}", " {}", "   12 +{}", "> {}", "x" * 70_000 + " {}", "{}\r", "a\n{}\nb"]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form[-12:])
@pytest.mark.parametrize("kind", [*ISSUED, *NAMED])
def test_X6_no_form_of_a_credential_leaves_and_the_rest_does(kind: str, form: str) -> None:
    """However sure it is, in tests and documentation too."""
    line = {**ISSUED, **NAMED}[kind]
    text = f"def brew():\n{form.format(line)}\nreturn 'tea'"
    hidden = credentials.without(text)
    value = line[credentials.found(line)[0].start : credentials.found(line)[0].end]
    secret = value.partition("://")[2].rpartition("@")[0].rpartition(":")[2] if "://" in value else value
    assert hidden.kinds
    assert (secret or value) not in hidden.text
    assert hidden.text.startswith("def brew():\n") and hidden.text.endswith("\nreturn 'tea'")
    assert hidden.text.count("\n") == text.count("\n")


@pytest.mark.parametrize("pad", ["", "+", "    ", "+  # ", '+    "', "   14 +"])
def test_X6_a_private_key_is_hidden_whole_and_the_code_behind_it_is_not(pad: str) -> None:
    body = [made(64) for _ in range(20)] + [made(23) + "="]
    key = [f"-----BEGIN RSA {'PRIVATE'} KEY-----", *body, f"-----END RSA {'PRIVATE'} KEY-----"]
    text = "\n".join(pad + line for line in key) + "\nimport ThisIsTheNextLineOfTheProgram\n"
    hidden = credentials.without(text).text
    assert not any(line in hidden for line in body)
    assert "import ThisIsTheNextLineOfTheProgram" in hidden
    cut = (
        "\n".join(pad + line for line in key[:-1])
        + "\ndef brew(kettle):\n    return kettle.boiling_water()\n"
    )
    hidden = credentials.without(cut).text
    assert not any(line in hidden for line in body)
    assert "return kettle.boiling_water()" in hidden


def test_X6_what_only_may_be_one_stays_here_too() -> None:
    """A remark would be too much; a host outside need not read it."""
    line = 'secret_name = "prod/tea/database-9f8e7d6c"'
    assert not credentials.found(line)
    assert "9f8e7d6c" not in credentials.without(line).text


def test_text_without_credentials_stays_as_it_is() -> None:
    text = "def brew(token):\n    return token  # \ud800 the password\n"
    assert credentials.without(text) == credentials.Hidden(text)
    assert credentials.without(f"x\n{BODY}\n{ISSUED['npm token']}").kinds[0] == "npm token"
    assert hiding.HIDDEN in credentials.without(ISSUED["npm token"]).text
