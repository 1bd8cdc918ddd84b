"""Which network addresses a model host may have. Pure; asked of the very address that is about to be
connected to."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address

_METADATA = tuple(
    ip_network(text)
    for text in (
        "169.254.0.0/16",  # link-local: metadata of AWS, Azure, GCP, and of containers (169.254.170.2)
        "fe80::/10",
        "fd00:ec2::/32",  # AWS over IPv6
        "fd20:ce::/32",  # GCP over IPv6
        "100.100.100.200/32",  # Alibaba
        "192.0.0.192/32",  # Oracle
        "168.63.129.16/32",  # Azure's wire server
        "0.0.0.0/32",
        "::/128",
    )
)
# IPv6 addresses with an IPv4 address in their last 32 bits, where a gateway or the system may take it out:
# RFC 6052, RFC 8215 (local prefixes as long as they come), IPv4-compatible (RFC 4291), translated (RFC 2765).
_LAST_32 = tuple(map(ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")))
_ISATAP = 0x5EFE


def refusal(text: str, online: bool, literal: bool) -> str:
    """Why this address must not be connected to, or nothing. `online`: the host is declared to be outside the
    user's network; `literal`: the address stands in the configuration itself, not behind a name that others
    may point elsewhere."""
    try:
        addresses = _meant(ip_address(text.partition("%")[0]))
    except ValueError:
        return "that is no address"
    for address in addresses:
        if address.is_multicast or any(
            address in network for network in _METADATA if network.version == address.version
        ):
            return (
                f"{address} is an address of the machine's own surroundings (metadata), never of a model host"
            )
    address = addresses[-1]
    if literal or _is_global(address) == online:
        return ""
    if online:
        return f"its name leads to {address}, which is inside the network, and the host is declared online"
    return f"its name leads to {address}, which is outside the network: declare the host online = true"


def _meant(address: Address) -> tuple[Address, ...]:
    """The address, and those of IPv4 that may be inside it; a gateway would reach the last."""
    if isinstance(address, IPv4Address):
        return (address,)
    number = int(address)
    last = IPv4Address(number & 0xFFFFFFFF)
    inside: list[IPv4Address] = []
    if number > 1 and any(address in network for network in _LAST_32):
        inside.append(last)
    if number >> 32 & 0xFFFF == _ISATAP:
        inside.append(last)
    if (
        address in _LAST_32[1]
    ):  # RFC 6052, 2.2: after a prefix of 48, 56 or 64 bits, around the eight bits in the middle
        around = address.packed[:8] + address.packed[9:]
        inside = [IPv4Address(around[at : at + 4]) for at in (6, 7, 8)] + inside
        inside = [each for each in inside if int(each)] or inside[-1:]
    if teredo := address.teredo:
        inside += teredo
    return (address, *inside, *filter(None, (address.sixtofour, address.ipv4_mapped)))


def _is_global(address: Address) -> bool:
    """Python takes the old site-local addresses (`fec0::/10`) for global ones."""
    return address.is_global and not (isinstance(address, IPv6Address) and address.is_site_local)
