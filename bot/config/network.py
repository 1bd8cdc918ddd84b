"""The way out of this network."""

from typing import Annotated

from pydantic import AfterValidator, Field

from bot.config.addresses import parts_of
from bot.config.fields import ConfigTable, FilePath, NameList
from bot.core.network import Network


def _proxy_url(value: str) -> str:
    parts = parts_of(value)
    if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/")):
        raise ValueError("an address like http://proxy.example:3128, or http://name:password@proxy.example")
    return value


class NetworkTable(ConfigTable):
    """`[network]`"""

    proxy: Annotated[str, AfterValidator(_proxy_url)] = Field(default="", repr=False)
    no_proxy: NameList = ()
    ca_file: FilePath | None = None

    def way(self) -> Network:
        return Network(self.proxy, self.no_proxy, str(self.ca_file or ""))
