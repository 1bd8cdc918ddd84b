"""hob.toml and the environment as a person writes them, and the sentences that answer a mistake."""

import os
import stat
from pathlib import Path

import pytest

from bot import log
from bot.config import (
    Config,
    api_token,
    load_config,
    load_router,
    private_key,
    require_receiver,
    webhook_secrets,
)
from bot.config.complaints import variables
from bot.core.errors import ConfigError

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAabcdefghijklmnopqrst\n-----END RSA PRIVATE KEY-----\n"


def written(folder: Path, text: str, name: str = "hob.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def load(folder: Path, text: str, **environ: str) -> Config:
    return load_config(written(folder, text), {"HOB_HOB__DATA_DIR": str(folder / "data"), **environ})


def refusal(folder: Path, text: str, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, **environ)
    return f"{caught.value} — {caught.value.hint}"


TWO_HOSTS = '[[hosts]]\nname="a"\nurl="http://x"\n[[hosts]]\nname="{}"\nurl="http://y"\n'

FULL = """
[hob]
data_dir = "here"
[github]
api_url = "https://ghe.example/api/v3/"
app_id = 7
app_slug = "my-hob"
private_key_file = "app.pem"
webhook_secret = ["new-secret", "old-secret"]
[server]
host = "0.0.0.0"
port = 0
public_url = "https://hob.example"
max_body_mb = 3
[store]
database_url = "sqlite:///{data_dir}/x.db"
[queue]
redis_url = "unix:///run/r.sock"
workers = 5
[intake]
mode = "webhook"
reconcile_minutes = 9
[models]
review = ["a", "b"]
[[hosts]]
name = "mini"
url = "http://10.0.0.2:11434"
parallel = 2
roles = ["review"]
[[hosts]]
name = "cloud"
kind = "anthropic"
online = true
api_key_env = "MY_KEY"
[privacy]
online = "public"
[budget]
online_usd_per_day = 1
online_tokens_per_day = 5
[api]
token_file = "t/api.token"
"""


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("mini", "http://mini:11434"),
        ("mini:11500", "http://mini:11500"),
        (":11500", "http://127.0.0.1:11500"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("[::]:11500", "http://127.0.0.1:11500"),
        ("[fd00::7]:11500", "http://[fd00::7]:11500"),
        ("https://192.168.1.20", "https://192.168.1.20:443"),
        ('"http://mini.lan:80/"', "http://mini.lan:80"),
        ("mini:port", "http://127.0.0.1:11434"),
        ("ftp://mini", "http://127.0.0.1:11434"),
        ("https://ollama.com", "http://127.0.0.1:11434"),
        ("8.8.8.8:11434", "http://127.0.0.1:11434"),
    ],
)
def test_without_hosts_ollama_is_where_its_own_variable_says_within_the_network(
    said: str, url: str, tmp_path: Path
) -> None:
    (host,) = load(tmp_path, "", OLLAMA_HOST=said).hosts
    assert (host.name, host.url, host.online) == ("local", url, False)
    (host,) = load(tmp_path, '[[hosts]]\nname = "a"\nurl = "http://a:1"', OLLAMA_HOST=said).hosts
    assert host.url == "http://a:1"


def test_every_table_is_read_and_paths_start_at_the_file(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, FULL), {})
    assert config.source == tmp_path / "hob.toml"
    assert config.hob.data_dir == tmp_path / "here"
    assert config.store.database_url == f"sqlite:///{tmp_path}/here/x.db"
    assert config.github.private_key_file == tmp_path / "app.pem"
    assert config.api.token_file == tmp_path / "t/api.token"
    assert config.github.api_url == "https://ghe.example/api/v3"
    assert config.models.of("review") == ("a", "b")
    assert [(host.name, host.kind, host.roles) for host in config.pool_hosts()] == [
        ("mini", "ollama", ("review",)),
        ("cloud", "anthropic", ()),
    ]
    assert config.budget.online_usd_per_day == 1.0


def test_without_a_file_the_defaults_hold_and_live_in_the_data_dir(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = load_config(environ={"HOB_HOB__DATA_DIR": str(tmp_path / "data")})
    assert config.source is None
    assert config.store.database_url == f"sqlite:///{tmp_path}/data/hob.db"
    assert config.api.token_file == tmp_path / "data/api.token"
    assert config.pool_hosts()[0].url == "http://127.0.0.1:11434"
    assert (config.server.host, config.server.port) == ("127.0.0.1", 8700)


def test_the_file_is_looked_for_in_three_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    environ = {"HOB_HOB__DATA_DIR": str(tmp_path / "data")}
    written(tmp_path / "data", "[server]\nport = 1\n")
    assert load_config(environ=environ).server.port == 1
    written(tmp_path / "cwd", "[server]\nport = 2\n")
    assert load_config(environ=environ).server.port == 2
    named = written(tmp_path, "[server]\nport = 3\n", "other.toml")
    assert load_config(environ={**environ, "HOB_CONFIG": str(named)}).server.port == 3
    with pytest.raises(ConfigError, match="no configuration at"):
        load_config(environ={"HOB_CONFIG": str(tmp_path / "nowhere.toml")})


def test_the_environment_overrides_each_kind_of_key(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        FULL.replace('data_dir = "here"', ""),
        HOB_SERVER__PORT="8701",
        HOB_GITHUB__APP_SLUG="123",
        HOB_MODELS__REVIEW="x:1, y:2",
        HOB_MODELS__CODE='["z:3"]',
        HOB_BUDGET__ONLINE_USD_PER_DAY="2.5",
        HOB_GITHUB__WEBHOOK_SECRET="one, with a comma",
        HOB_HOSTS='[{"name": "only", "url": "http://127.0.0.1:1", "online": true}]',
        HOB_HANDLERS="ours:router",
        HOB_SERVICE_HOST="10.96.0.1",
    )
    assert config.server.port == 8701
    assert config.github.app_slug == "123"
    assert (config.models.review, config.models.code) == (("x:1", "y:2"), ("z:3",))
    assert config.budget.online_usd_per_day == 2.5
    assert config.github.webhook_secret == ("one, with a comma",)
    assert [host.name for host in config.pool_hosts()] == ["only"]
    assert config.hob.handlers == "ours:router"


def test_every_variable_names_a_key_that_is_read(tmp_path: Path) -> None:
    assert "HOB_SERVER__PORT" in variables()
    assert "HOB_MODELS__REVIEW" in variables()
    for name in variables():
        if "__" in name:
            table, key = name.removeprefix("HOB_").lower().split("__")
            assert hasattr(getattr(Config(), table), key)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[server]\n\nprot = 1", "hob.toml line 3: unknown key server.prot — did you mean port?"),
        ("[sevrer]\nport = 1", "hob.toml line 1: unknown key sevrer — did you mean server?"),
        ("colour = 1", "line 1: unknown key colour — known are: hob, github"),
        (TWO_HOSTS.format("b") + "paralel = 2", "7: unknown key hosts.1.paralel — did you mean parallel?"),
        ('[server]\nport = "abc"', 'line 2: server.port is "abc" — expected: a whole number'),
        ("[server]\nport = true", "line 2: server.port is true — expected: a whole number"),
        ("[server]\nport = 70000", "server.port is 70000 — expected: less than or equal to 65535"),
        ("[server]\nport = 1\nport = 2", "not TOML: Cannot overwrite a value (at line 3"),
        ('[intake]\nmode = "push"', "intake.mode is \"push\" — expected: 'webhook', 'poll' or 'both'"),
        ('[models]\nreview = "one"', 'models.review is "one" — expected: a list'),
        ("server = 3", "line 1: server is 3 — expected: a table"),
        ('[github]\napi_url = "ftp://x"', "an address that starts with http:// or https://"),
        ('[github]\napi_url = "https://me:pw@x"', "an address without a name or password in it"),
        ('[github]\napi_url = "http://h:port"', "expected: an address whose port is a number"),
        ('[server]\npublic_url = "https://h:99999"', "expected: an address whose port is a number"),
        ('[queue]\nredis_url = "redis://127.0.0.1:port"', "expected: an address whose port is a number"),
        ('[[hosts]]\nname="a"\nurl="http://[::1"', "line 3: hosts.0.url is \"http://[::1\" — expected: an"),
        ('[store]\ndatabase_url = "mysql://u:pw@h/d"', "postgresql+psycopg://"),
        ('[store]\ndatabase_url = "sqlite"', "expected: sqlite:///path or postgresql+psycopg://"),
        ('[store]\ndatabase_url = "sqlite:///"', "expected: sqlite:///path or postgresql+psycopg://"),
        ('[store]\ndatabase_url = "sqlite://"', "expected: sqlite:///path or postgresql+psycopg://"),
        ('[store]\ndatabase_url = "postgresql+psycopg"', "expected: sqlite:///path or postgresql+psycopg://"),
        ('[store]\ndatabase_url = "postgresql+psycopg://u:pw@h:port/d"', "an address whose port is a number"),
        ('[[hosts]]\nname="a"', "hosts.0 is"),
        (TWO_HOSTS.format("a"), "tables whose `name`s differ"),
        ("[hob]\nx = " + "[" * 100_000, "hob.toml: "),
        ("[hob]\nx = " + "{a=" * 5_000, "hob.toml: "),
        ("[server]\nport = " + "9" * 5_000, "hob.toml: "),
        ("#" * 300_000, "is over 256 KB"),
        ('[network]\nca_file = "a\\u0000b"', "a path cannot be resolved: embedded null byte"),
        ('[api]\ntoken_file = "a\\u0000b"', "a path cannot be resolved: embedded null byte"),
        ("[budget]\nonline_usd_per_day = inf", "budget.online_usd_per_day is Infinity — expected: a finite"),
        ("[budget]\nonline_usd_per_day = nan", "budget.online_usd_per_day is NaN — expected: a finite"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    assert says in refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("HOB_SERVER__PRT", "1", "HOB_SERVER__PRT names no key — did you mean HOB_SERVER__PORT?"),
        ("HOB_SERVER_PORT", "1", "did you mean HOB_SERVER__PORT?"),
        ("HOB_SEVRER__PORT", "1", "did you mean HOB_SERVER__PORT?"),
        ("HOB_SERVER__PORT", "abc", 'HOB_SERVER__PORT: server.port is "abc" — expected: a whole number'),
        ("HOB_HOSTS", "[{", "environment: HOB_HOSTS is not JSON"),
        ("HOB_HOSTS", '[{"name": "a", "kid": 1}]', "environment: HOB_HOSTS: unknown key hosts.0.kid"),
        ("HOB_HOSTS__0__URL", "x", "names no key"),
    ],
)  # fmt: skip
def test_a_variable_that_cannot_be_used_is_named(tmp_path: Path, name: str, value: str, says: str) -> None:
    assert says in refusal(tmp_path, "", **{name: value})


def test_bytes_that_are_not_text_are_named_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "hob.toml").write_bytes(b"[server]\n# \xe9\n")
    with pytest.raises(ConfigError, match="line 2: not UTF-8"):
        load_config(tmp_path / "hob.toml", {})


@pytest.mark.parametrize("secret", ['""', "[]", '["", "x"]', '"   "'])
def test_K1_W1_an_empty_webhook_secret_refuses_to_start(tmp_path: Path, secret: str) -> None:
    config = load(tmp_path, f"[github]\nwebhook_secret = {secret}")
    with pytest.raises(ConfigError, match="Hob does not start without a webhook secret"):
        require_receiver(config)


def test_K1_a_missing_webhook_secret_refuses_to_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Hob does not start without a webhook secret"):
        require_receiver(load(tmp_path, ""))
    written(tmp_path, "\n \n", "hooks")
    with pytest.raises(ConfigError, match="Hob does not start without a webhook secret"):
        require_receiver(load(tmp_path, '[github]\nwebhook_secret_file = "hooks"'))
    with pytest.raises(ConfigError, match=r"nowhere: No such file"):
        require_receiver(load(tmp_path, '[github]\nwebhook_secret_file = "nowhere"'))


def test_W9_secrets_come_from_a_list_and_a_file_with_one_a_line(tmp_path: Path) -> None:
    written(tmp_path, "third-one\nfourth-one\n", "hooks")
    config = load(
        tmp_path, '[github]\nwebhook_secret = ["first-one", "second"]\nwebhook_secret_file = "hooks"'
    )
    assert webhook_secrets(config) == (b"first-one", b"second", b"third-one", b"fourth-one")
    assert log.redact("third-one") == log.HIDDEN


def test_where_deliveries_are_read_from_GitHub_no_webhook_secret_is_needed(tmp_path: Path) -> None:
    assert require_receiver(load(tmp_path, '[intake]\nmode = "poll"')) == ()
    with pytest.raises(ConfigError, match="webhook_secret is empty"):
        require_receiver(load(tmp_path, '[intake]\nmode = "both"'))


def test_where_nothing_is_set_up_the_first_step_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    nothing = {"HOB_HOB__DATA_DIR": str(tmp_path / "data")}
    with pytest.raises(ConfigError, match="no App is set up here") as wrong:
        require_receiver(load_config(environ=nothing))
    assert wrong.value.hint.startswith("run `hob setup`")
    with pytest.raises(ConfigError, match="webhook_secret is empty"):
        require_receiver(load_config(environ={**nothing, "HOB_GITHUB__APP_ID": "7"}))


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "localhost", "::1", "127.0.0.2"])
def test_where_nothing_is_received_only_this_machine_can_connect(tmp_path: Path, host: str) -> None:
    server = f'[server]\nhost = "{host}"\n'
    local = host in ("localhost", "::1", "127.0.0.2")
    polls = load(tmp_path, server + '[intake]\nmode = "poll"')
    assert polls.listens_on() == (host if local else "127.0.0.1")
    assert polls.listens_on("0.0.0.0") == "0.0.0.0"
    assert load(tmp_path, server + '[intake]\nmode = "both"').listens_on() == host


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_K1_a_private_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    written(tmp_path, KEY, "app.pem").chmod(mode)
    config = load(tmp_path, '[github]\nprivate_key_file = "app.pem"')
    with pytest.raises(ConfigError) as caught:
        private_key(config)
    assert caught.value.hint == f"chmod 600 {tmp_path / 'app.pem'}"


def test_the_private_key_is_read_when_needed_and_hidden(tmp_path: Path) -> None:
    config = load(tmp_path, '[github]\nprivate_key_file = "app.pem"')  # not there yet: loading is fine
    with pytest.raises(ConfigError, match="No such file"):
        private_key(config)
    written(tmp_path, KEY, "app.pem").chmod(0o600)
    assert private_key(config) == KEY
    assert "MIIEowIBAAKCAQEA" not in log.redact("x MIIEowIBAAKCAQEAabcdefghijklmnopqrst y")
    written(tmp_path, "hello", "app.pem")
    with pytest.raises(ConfigError, match="holds no private key"):
        private_key(config)
    with pytest.raises(ConfigError, match="private_key_file is not set"):
        private_key(load(tmp_path, ""))


@pytest.mark.parametrize("url", ["redis://10.0.0.1:6379/0", "rediss://redis.example", "redis://redis:6379"])
def test_K1_redis_over_the_network_needs_a_password(tmp_path: Path, url: str) -> None:
    assert "can be reached by other machines" in refusal(tmp_path, f'[queue]\nredis_url = "{url}"')


@pytest.mark.parametrize(
    "url",
    ["embedded", "unix:///run/redis.sock", "redis://127.0.0.1:6379", "redis://localhost", "redis://[::1]:1/0",
     "redis://:a-password@10.0.0.1/0", "rediss://u:a-password@redis.example", "redis://h/0?password=abcdef"],
)  # fmt: skip
def test_K1_redis_on_this_machine_or_with_a_password_is_taken(tmp_path: Path, url: str) -> None:
    assert load(tmp_path, f'[queue]\nredis_url = "{url}"').queue.redis_url == url


@pytest.mark.parametrize("password", ["a/b#c?d", "br[cket", "pl+us:colon", "half%2Fway"])
def test_K5_a_database_password_that_is_not_escaped_is_taken_and_hidden(
    tmp_path: Path, password: str
) -> None:
    url = f"postgresql+psycopg://u:{password}@127.0.0.1:5432/hob"
    config = load(tmp_path, f'[store]\ndatabase_url = "{url}"')
    assert config.store.database_url == url
    assert log.redact(f"<{password}>") == f"<{log.HIDDEN}>"


def test_K5_no_secret_stands_in_a_repr_an_error_or_a_log_line(tmp_path: Path) -> None:
    text = """
[github]
webhook_secret = "hook-secret-1"
[store]
database_url = "postgresql+psycopg://u:db-p%40ss@h/d"
[queue]
redis_url = "redis://:redis-pass@10.0.0.1"
[[hosts]]
name = "x"
kind = "openai"
url = "https://x"
api_key_env = "X_KEY"
"""
    config = load(tmp_path, text, X_KEY="sk-online-key")
    for secret in ("hook-secret-1", "db-p%40ss", "db-p@ss", "redis-pass", "sk-online-key"):
        assert secret not in repr(config)
        assert log.redact(f"<{secret}>") == f"<{log.HIDDEN}>"
    assert "hush-hush" not in refusal(tmp_path, "[github]\nwebhook_secret = {a = 'hush-hush'}")
    assert "hush-hush" not in refusal(tmp_path, "[queue]\nredis_url = 'redis://u:hush-hush'\nworkers = 0")


def test_the_api_token_is_made_once_and_is_private(tmp_path: Path) -> None:
    config = load(tmp_path, '[api]\ntoken_file = "new/api.token"')
    token = api_token(config)
    path = config.api.token_file
    assert len(token) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert api_token(config) == token
    assert [file.name for file in path.parent.iterdir()] == ["api.token"]
    assert log.redact(token) == log.HIDDEN
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="can be read by others"):
        api_token(config)
    path.chmod(0o600)
    path.write_text("\n")
    with pytest.raises(ConfigError, match="empty or short"):
        api_token(config)


def test_the_router_is_found_by_its_dotted_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    written(tmp_path, "class Box:\n    router = 'ours'\nrouter = 'mine'\n", "ours_one.py")
    written(tmp_path, "import not_there_at_all\n", "ours_two.py")
    written(tmp_path, "1 / 0\n", "ours_three.py")
    assert load_router(load(tmp_path, "", HOB_HANDLERS="ours_one:router")) == "mine"
    assert load_router(load(tmp_path, "", HOB_HANDLERS="ours_one:Box.router")) == "ours"
    for name, says in {
        "ours_one": "hob.handlers is 'ours_one'",
        "ours_one:": "hob.handlers is",
        "..x:y": "hob.handlers is",
        "ours_one:rooter": "ours_one has no rooter",
        "nowhere.at.all:router": "there is no module nowhere.at.all",
        "ours_two:router": "imports not_there_at_all, which is not there",
        "ours_three:router": "division by zero",
    }.items():
        with pytest.raises(ConfigError) as caught:
            load_router(load(tmp_path, "", HOB_HANDLERS=name))
        assert says in str(caught.value)


def test_a_file_that_may_not_be_read_is_said(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        (tmp_path / "hob.toml").mkdir()  # root reads everything but a folder
        with pytest.raises(ConfigError, match="no configuration at"):
            load_config(tmp_path / "hob.toml", {})
        return
    written(tmp_path, "").chmod(0)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "hob.toml", {})


def test_every_key_stands_in_the_documentation() -> None:
    text = (Path(__file__).parents[1] / "docs" / "configuration.md").read_text()
    for name in variables():
        if "__" in name:
            assert f"`{name.rpartition('__')[2].lower()}`" in text, name


def test_special_variables_are_known_and_documented(tmp_path: Path) -> None:
    assert load(tmp_path, "", HOB_PROMPTS=str(tmp_path)) == load(tmp_path, "")
    page = (Path(__file__).parents[1] / "docs" / "configuration.md").read_text()
    special = {name for name in variables() if "__" not in name}
    assert "HOB_PROMPTS" in special
    assert [name for name in special if f"`{name}`" not in page] == []
