"""Where people look at a GitHub server, by the address of its API."""

import pytest

from bot.github.site import site_of


@pytest.mark.parametrize(
    ("api_url", "site"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://api.github.com/", "https://github.com"),
        ("https://api.octo.ghe.com", "https://octo.ghe.com"),
        ("https://GHE.example:8443/api/v3/", "https://ghe.example:8443"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
    ],
)
def test_the_site_is_that_of_the_api(api_url: str, site: str) -> None:
    assert site_of(api_url) == site
