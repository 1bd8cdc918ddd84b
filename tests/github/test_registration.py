"""The form that GitHub gets, and where it is sent."""

import json

import pytest

from bot.core.errors import ConfigError
from bot.github.manifest import MEANS, manifest, path
from bot.github.registration import AppRequest, api_of, form_address, form_manifest
from bot.github.site import site_of


@pytest.mark.parametrize(
    ("address", "api", "site"),
    [
        ("https://github.com", "https://api.github.com", "https://github.com"),
        (" github.com/ ", "https://api.github.com", "https://github.com"),
        ("https://www.github.com/octo/tea", "https://api.github.com", "https://github.com"),
        ("https://api.github.com", "https://api.github.com", "https://github.com"),
        ("https://ghe.example.com", "https://ghe.example.com/api/v3", "https://ghe.example.com"),
        ("GHE.example.com", "https://ghe.example.com/api/v3", "https://ghe.example.com"),
        (
            "https://ghe.example.com:8443/api/v3/",
            "https://ghe.example.com:8443/api/v3",
            "https://ghe.example.com:8443",
        ),
        ("http://10.0.0.5", "http://10.0.0.5/api/v3", "http://10.0.0.5"),
        ("http://[fd00::5]:8080", "http://[fd00::5]:8080/api/v3", "http://[fd00::5]:8080"),
        ("https://tea.ghe.com", "https://api.tea.ghe.com", "https://tea.ghe.com"),
    ],
)
def test_the_address_that_people_know_leads_to_the_API_and_back(address: str, api: str, site: str) -> None:
    assert api_of(address) == api
    assert site_of(api) == site


@pytest.mark.parametrize(
    "address",
    [
        "",
        "x y",
        "ftp://a",
        "https://",
        "https://a;b",
        "https://a'",
        "https://u@a",
        "https://a:x",
        "//",
        "https://ä.example",
    ],
)
def test_what_is_no_address_is_refused_with_an_example(address: str) -> None:
    with pytest.raises(ConfigError) as caught:
        api_of(address)
    assert "https://ghe.example.com" in caught.value.hint


def test_the_form_asks_for_what_app_yml_says_and_no_more() -> None:
    for code in (False, True):
        told = json.loads(form_manifest(AppRequest("hob", code=code), "http://127.0.0.1:1/setup/created"))
        asked = manifest(path(code))
        assert (told["default_permissions"], set(told["default_events"])) == (asked.permissions, asked.events)
        assert set(told["default_events"]) & {"installation", "installation_repositories"} == set()
        assert told["public"] is False
        assert (told["hook_attributes"]["url"], told["hook_attributes"]["active"]) == (
            "https://hob.invalid/webhook",
            True,
        )
        assert {f"{name}: {level}" for name, level in asked.permissions.items()} <= set(MEANS)
    public = json.loads(form_manifest(AppRequest("hob", public_url="https://hob.example"), "http://x"))
    assert public["hook_attributes"]["url"] == "https://hob.example/webhook"
    nowhere = AppRequest("hob", webhook_url="https://nobody.tea.example/webhook")
    told = json.loads(form_manifest(nowhere, "http://x"))
    assert told["hook_attributes"]["url"] == "https://nobody.tea.example/webhook"


def test_the_owner_is_in_the_address() -> None:
    site = "https://github.com"
    assert form_address(site, AppRequest("hob"), "s&t") == f"{site}/settings/apps/new?state=s%26t"
    asked = AppRequest("hob", "tea-makers")
    assert form_address(site, asked, "s") == f"{site}/organizations/tea-makers/settings/apps/new?state=s"
