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
_NAT64 = ip_network("64:ff9b::/96")


def refusal(text: str, online: bool, literal: bool) -> str:
    """Why this address must not be connected to, or nothing. `online`: the host is declared to be outside the
    user's network; `literal`: the address stands in the configuration itself, not behind a name that others
    may point elsewhere."""
    try:
        address = _inner(ip_address(text.partition("%")[0]))
    except ValueError:
        return "that is no address"
    if address.is_multicast or any(
        address in network for network in _METADATA if network.version == address.version
    ):
        return f"{address} is an address of the machine's own surroundings (metadata), never of a model host"
    if literal or address.is_global == online:
        return ""
    if online:
        return f"its name leads to {address}, which is inside the network, and the host is declared online"
    return f"its name leads to {address}, which is outside the network: declare the host online = true"


def _inner(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one, where a gateway would take it out."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address.sixtofour:
        return address.sixtofour
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address
