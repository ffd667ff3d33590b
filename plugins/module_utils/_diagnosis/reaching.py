# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to a server: its name, a connection to each of its addresses, and other ports if none accepts one."""

from __future__ import annotations

import errno
import threading
import typing as t

from .._evidence.smtp import Reach, ReachFacts
from .._firewall.reach import addresses_of, says_no_address, try_addresses
from .._providers.presets import find
from .._providers.provider import Endpoint
from .._smtp.tls import TlsMode
from .steps import Result, State, Step

if t.TYPE_CHECKING:
    from .._firewall.reach import Attempt
    from .._smtp.settings import ServerSettings

#: Ports for mail that clients send, with the TLS that they have (RFC 8314 section 3.3, RFC 6409); 2525 has no standard.
_USUAL = (Endpoint(587, TlsMode.STARTTLS), Endpoint(465, TlsMode.IMPLICIT), Endpoint(2525, TlsMode.STARTTLS))
#: Errors with which a router, or a packet filter in its place, says that an address cannot be reached.
_UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.EACCES, errno.EPERM)
#: Most addresses of a name that are kept; an answer of the DNS has room for thousands.
MOST_ADDRESSES = 50
#: Longest time to try other ports, in seconds.
_PATIENCE = 5.0

Addresses = dict[str, int]


def resolve(host: str, timeout: float) -> tuple[Addresses | None, str]:
    """Return the addresses of a name with their families, empty if it has none; None and the reason if unknown.

    :param timeout: seconds. The system's resolver has time-outs of its own, which can add up to minutes.
    """
    found: list[Addresses | OSError] = []

    def ask() -> None:
        try:
            found.append(addresses_of(host))
        except (OSError, UnicodeError) as error:
            found.append(error if isinstance(error, OSError) else OSError(0, str(error)))

    asking = threading.Thread(target=ask, daemon=True)  # it ends with the process if the resolver never answers
    asking.start()
    asking.join(timeout)
    if not found:
        return None, f"no answer from the name server within {timeout:g} s"
    if isinstance(found[0], OSError):
        known = says_no_address(found[0])
        return ({} if known else None), found[0].strerror or str(found[0])
    return found[0], ""


def name_result(
    host: str, addresses: Addresses | None, reason: str, milliseconds: float, provider: str | None = None
) -> Result:
    """Return what became of the name.

    :param provider: whose name it is; None if it is the user's.
    """
    if addresses:
        return Result(Step.NAME, State.PASSED, milliseconds)
    state = State.UNKNOWN if addresses is None else State.FAILED
    advice = (
        _DNS if addresses is None or provider else f"Check the spelling of the name in host. If it is right: {_DNS}"
    )
    return Result(Step.NAME, state, milliseconds, None, f"The name {host} does not resolve: {reason}.", advice)


_DNS = "Check the DNS of this host: the name servers in /etc/resolv.conf, and whether it reaches them."


def try_each(addresses: Addresses, port: int, timeout: float, most: int) -> list[ReachFacts]:
    """Connect to the port at each address, in the order of the addresses.

    :param most: how many addresses to try; addresses of both families are among them.
    """
    chosen = _mixed(addresses)[:most]
    attempts = {
        one.address: _fact(one) for one in try_addresses({one: addresses[one] for one in chosen}, [port], timeout)
    }
    return [attempts.get(address) or ReachFacts(address, port, Reach.NOT_TRIED) for address in addresses]


def _mixed(addresses: Addresses) -> list[str]:
    """Return the addresses with the families in turn, beginning with that of the first one."""
    rounds: dict[int, int] = {}
    order = []
    for place, (address, family) in enumerate(addresses.items()):
        rounds[family] = rounds.get(family, 0) + 1
        order.append((rounds[family], place, address))
    return [address for _round, _place, address in sorted(order)]


def _fact(attempt: Attempt) -> ReachFacts:
    state = Reach.UNREACHABLE if attempt.code in _UNREACHABLE else Reach(attempt.state)
    if attempt.code == errno.ECONNRESET:  # by a server that has accepted it, which the session meets again
        state = Reach.OPEN
    return ReachFacts(
        attempt.address,
        attempt.port,
        state,
        attempt.source,
        "" if state in (Reach.OPEN, Reach.NO_ROUTE) else attempt.detail,
        None if attempt.milliseconds is None else round(attempt.milliseconds, 1),
    )


def other_ports(provider: str | None, tried: int) -> tuple[Endpoint, ...]:
    """Return the other ports of a provider, or else the usual ones."""
    preset = find(provider) if provider else None
    return tuple(one for one in (preset.endpoints if preset else _USUAL) if one.port != tried)


def try_others(
    addresses: Addresses, connections: t.Sequence[ReachFacts], ports: t.Sequence[Endpoint], timeout: float
) -> list[ReachFacts]:
    """Connect to other ports, at one address of each family that this host has a way to."""
    routed = {one.address for one in connections if one.state is not Reach.NO_ROUTE}
    chosen = {family: address for address, family in reversed(addresses.items()) if address in routed}
    wanted = {address: family for family, address in chosen.items()}
    return [_fact(one) for one in try_addresses(wanted, [one.port for one in ports], min(timeout, _PATIENCE))]


class _Meaning(t.NamedTuple):
    """What a state of all addresses means.

    :ivar problem: with ``{port}``, ``{where}``, ``{seconds}`` and ``{detail}``.
    """

    problem: str
    advice: str


_MEANINGS: t.Mapping[Reach, _Meaning] = {
    Reach.REFUSED: _Meaning(
        "Port {port} of {where} refuses connections: nothing listens there, or a packet filter rejects them.",
        "Check host and port, and that the server is running.",
    ),
    Reach.FILTERED: _Meaning(
        "Port {port} of {where} did not answer within {seconds} s: a packet filter drops the connection, on this host,"
        " in the network on the way or at the server.",
        "Ask the owners of the firewalls in between to let this host connect, or use another port.",
    ),
    Reach.UNREACHABLE: _Meaning(
        "Port {port} of {where} cannot be reached: {detail}. A router or a packet filter answered in place of the"
        " server.",
        "Check that the server is up, the routes of this host, and the firewalls in between.",
    ),
    Reach.NO_ROUTE: _Meaning(
        "This host has no route to {where}.", "Check the network of this host: ip route shows its routes."
    ),
}
_ONLY_IPV6 = (
    "The server has only IPv6 addresses, and this host has no IPv6: give it an IPv6 address and route, or use a server"
    " with an IPv4 address."
)
_PORT_25 = "Many networks, as those of most clouds, let no connection to port 25 out."


def connect_result(
    settings: ServerSettings,
    connections: t.Sequence[ReachFacts],
    others: t.Sequence[ReachFacts],
    endpoints: t.Sequence[Endpoint],
    refusing: t.Sequence[str] = (),
) -> Result:
    """Return what became of the connections: passed if one was accepted; else why not, and which port would do.

    :param others: connections to the other ports in ``endpoints``.
    :param refusing: chains of this host's packet filter that refuse the connection.
    """
    opened = [one for one in connections if one.state is Reach.OPEN]
    if opened:
        return Result(Step.CONNECT, State.PASSED, opened[0].milliseconds)
    tried = [one for one in connections if one.state is not Reach.NOT_TRIED]
    # an address without a route tells nothing about the server
    state = next((one.state for one in tried if one.state is not Reach.NO_ROUTE), Reach.NO_ROUTE)
    alike = [one for one in tried if one.state is state]
    meaning = _MEANINGS[state]
    where = settings.host if settings.host in {one.address for one in alike} else f"{settings.host} ({_listed(alike)})"
    problem = meaning.problem.format(
        port=settings.port, where=where, seconds=f"{settings.connect_timeout:g}", detail=alike[0].detail
    )
    problem += "".join(f" {reach_words(one)}" for one in tried if one.state is not state)
    advice = meaning.advice
    if state is Reach.NO_ROUTE and all(":" in one.address for one in tried):
        advice = _ONLY_IPV6
    if refusing:
        problem += f" The packet filter of this host refuses it, in chain {', '.join(map(repr, refusing))}."
        advice = f"Let connections to port {settings.port} out in that chain, where its rules are kept."
    elif settings.port == 25 and state in (Reach.FILTERED, Reach.UNREACHABLE):
        advice = f"{_PORT_25} {advice}"
    would_do = _would_do(others, endpoints)
    times = [one.milliseconds for one in alike if one.milliseconds is not None]
    waited = max(times) if times else settings.connect_timeout * 1000 if state is Reach.FILTERED else 0.0
    told = f"{advice} {would_do}" if refusing else f"{would_do} {advice}"
    return Result(Step.CONNECT, State.FAILED, waited, None, problem, told.strip())


def _would_do(others: t.Sequence[ReachFacts], endpoints: t.Sequence[Endpoint]) -> str:
    if not others:
        return ""
    opened = {one.port for one in others if one.state is Reach.OPEN}
    ways = [f"port: {one.port} and tls: {one.tls.value}" for one in endpoints if one.port in opened]
    if ways:
        which = "Another port accepts" if len(ways) == 1 else "Other ports accept"
        return f"{which} connections: set {', or '.join(ways)}."
    ports = ", ".join(str(one.port) for one in endpoints)
    return f"The other ports for mail that were tried ({ports}) accept none either."


def reach_words(one: ReachFacts) -> str:
    """Return a connection that was not accepted as a sentence."""
    said = {
        Reach.REFUSED: "refuses the connection",
        Reach.FILTERED: "does not answer",
        Reach.UNREACHABLE: f"cannot be reached ({one.detail})",
        Reach.NO_ROUTE: "was not tried: this host has no route to it",
        Reach.NOT_TRIED: "was not tried: the limit of connections was reached",
    }
    return f"{one.address} {said.get(one.state, 'accepts it')}."


def _listed(ones: t.Sequence[ReachFacts]) -> str:
    names = [one.address for one in ones[:4]]
    return ", ".join(names) + (f" and {len(ones) - 4} more" if len(ones) > 4 else "")
