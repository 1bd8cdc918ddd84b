"""Where people look at a GitHub server. Nothing else: a receiver needs to know it, and nothing of the API."""

from urllib.parse import urlsplit


def site_of(api_url: str) -> str:
    """Of the server with this API."""
    parts = urlsplit(api_url.rstrip("/").removesuffix("/api/v3"))
    return parts._replace(netloc=parts.netloc.lower().removeprefix("api.")).geturl().rstrip("/")
