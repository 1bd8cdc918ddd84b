"""The way out of this network, where it is not direct. Pure."""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

_PORT = re.compile(r":\d{1,5}\Z")


@dataclass(frozen=True, slots=True)
class Network:
    """`[network]` of hob.toml. `bundle`: a file with all authorities, those of `ca_file` too, for programs
    that take one file (git)."""

    proxy: str = field(default="", repr=False)
    """An http:// or https:// address, with a name and a password where the proxy asks for them."""
    no_proxy: tuple[str, ...] = ()
    ca_file: str = ""
    bundle: str = ""

    def proxied(self, host: str) -> bool:
        """Whether a host (a name or an address) is reached through the proxy: never one on this machine."""
        return (
            bool(self.proxy) and not _is_here(host) and not any(_covers(one, host) for one in self.no_proxy)
        )

    @property
    def proxy_name(self) -> str:
        """Without what nobody may read."""
        scheme, _, rest = self.proxy.partition("://")
        place = rest.rpartition("@")[2].rstrip("/")
        port = "" if _PORT.search(place) else f":{443 if scheme == 'https' else 80}"
        return f"{scheme}://{place}{port}"

    @property
    def proxy_port(self) -> int:
        return int(self.proxy_name.rpartition(":")[2])


DIRECT = Network()


def _is_here(host: str) -> bool:
    name = host.strip("[]").rstrip(".").casefold()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _covers(entry: str, host: str) -> bool:
    """`example.com` and `.example.com` mean that name and all below it, `10.0.0.0/8` addresses, `*` all."""
    name, entry = host.strip("[]").rstrip(".").casefold(), entry.strip().strip("[]").casefold()
    if entry == "*":
        return True
    try:
        return ip_address(name) in ip_network(entry, strict=False)
    except ValueError:
        pass
    wanted = entry.lstrip(".").removeprefix("*.")
    return bool(wanted) and (name == wanted or name.endswith(f".{wanted}"))
