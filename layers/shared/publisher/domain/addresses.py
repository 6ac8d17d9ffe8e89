"""Which internet addresses a stranger may make us dial: public ones only."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# Networks that the standard library calls global or may come to call so, but that are not the internet at large.
_SPECIAL_V4 = tuple(
    IPv4Network(network)
    for network in (
        "100.64.0.0/10",  # carriers' own space
        "168.63.129.16/32",  # a cloud's host agent
        "192.0.0.0/24",  # protocol assignments
        "192.31.196.0/24",  # AS112 name servers
        "192.52.193.0/24",  # multicast tunnels
        "192.88.99.0/24",  # 6to4 relays: the target stands in the packet
        "192.175.48.0/24",  # AS112 name servers
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved
    )
)
_UNICAST_V6 = IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, among them Teredo, which holds an IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 holds an IPv4 address
        "2620:4f:8000::/48",  # AS112 name servers
        "3fff::/20",  # documentation
    )
)


def is_public(address: str) -> bool:
    """Tell whether `address`, an IP address in text, is on the public internet.

    IPv6 is an allow-list: mapped, compatible and translated IPv4 addresses lie outside of it, and a public name has no
    business answering with one. Text that is no address, and addresses with a zone, are not public.
    Source: IANA's special-purpose address registries.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if not ip.is_global:
        return False
    match ip:
        case IPv4Address():
            return not any(ip in network for network in _SPECIAL_V4)
        case IPv6Address():
            return ip.scope_id is None and ip in _UNICAST_V6 and not any(ip in network for network in _SPECIAL_V6)
