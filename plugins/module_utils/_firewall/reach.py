# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connect to ports of a host, all at the same time, and judge what became of each connection. Nothing is sent."""

from __future__ import annotations

import errno
import ipaddress
import os
import selectors
import socket
import time
import typing as t

from .rules import Network

#: The host accepted the connection.
OPEN = "open"
#: The host, or something on the way, refused it: nothing listens there, or a packet filter rejects.
REFUSED = "refused"
#: No answer, or that the host may not be reached: a packet filter on the host or on the way.
FILTERED = "filtered"
#: This host has no way to the address, so nothing was tried.
NO_ROUTE = "no route"


class Attempt(t.NamedTuple):
    """What became of one connection.

    :ivar source: address that this host used; empty without a route.
    :ivar state: one of the words above.
    :ivar detail: what the system said; empty if it was accepted.
    :ivar milliseconds: until there was an answer; ``None`` without one.
    :ivar code: error number of the system; 0 if it was accepted, or no answer came.
    """

    port: int
    address: str
    source: str
    state: str
    detail: str = ""
    milliseconds: float | None = None
    code: int = 0


class Judgement(t.NamedTuple):
    """What an attempt means.

    :ivar admitted: whether the clients of the port include this host; ``None`` if that is not known, as behind NAT.
    :ivar passed: whether the port is open to this host if and only if it shall be; ``None`` if that is not known.
    :ivar summary: a sentence.
    """

    admitted: bool | None
    passed: bool | None
    summary: str


def judge(attempt: Attempt, clients: t.Collection[Network], seen_as: str = "") -> Judgement:
    """Compare an attempt with what was declared.

    :param clients: networks that may connect to the port; all if there are none.
    :param seen_as: address that the other host sees instead of this one's, if it has told.
    """
    what = f"Port {attempt.port} of {attempt.address}"
    if attempt.state == NO_ROUTE:
        return Judgement(None, None, f"{what} was not tried: this host has no route to that address.")
    source = " or ".join(dict.fromkeys(filter(None, [attempt.source, seen_as])))
    reason = "" if attempt.state == OPEN else f" ({attempt.detail})"
    what += f" is {attempt.state} from {source}{reason}"
    admitted = _is_admitted(attempt, clients, seen_as)
    if admitted is None:
        return Judgement(None, None, f"{what}. Whether from admits it is not known: its address changes on the way.")
    if admitted == (attempt.state == OPEN):
        return Judgement(admitted, True, f"{what}, as declared.")
    if not admitted:
        return Judgement(False, False, f"{what}, which from does not admit: no packet filter keeps it out.")
    return Judgement(True, False, f"{what}, which may connect. {_why_closed(attempt)}")


def _is_admitted(attempt: Attempt, clients: t.Collection[Network], seen_as: str) -> bool | None:
    if not clients or attempt.source == attempt.address:  # a host may always connect to itself
        return True
    source, target = ipaddress.ip_address(attempt.source), ipaddress.ip_address(attempt.address)
    if not seen_as and source.is_private and not target.is_private:
        return None
    # the other host told of its IPv4 or its IPv6 address; each attempt is over one of them
    told = ipaddress.ip_address(seen_as) if seen_as else source
    views = {source, told if told.version == source.version else source}
    answers = {any(view in client for client in clients) for view in views}
    return answers.pop() if len(answers) == 1 else None


def _why_closed(attempt: Attempt) -> str:
    if attempt.state == REFUSED:
        return "Nothing listens there, or a packet filter rejects the connection."
    blocked = " Many networks let no connection to port 25 out." if attempt.port == 25 else ""
    return f"A packet filter drops it: of the host, of its provider, or of a network on the way.{blocked}"


#: Errors of the resolver that say that the name has no address; the others say that it cannot tell.
_NO_ADDRESS = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", -5), getattr(socket, "EAI_ADDRFAMILY", -9))


def says_no_address(error: OSError) -> bool:
    """Whether an error of :func:`addresses_of` says that the name has no address; else that is not known."""
    return isinstance(error, socket.gaierror) and error.errno in _NO_ADDRESS


def addresses_of(host: str) -> dict[str, int]:
    """Return the addresses of a host, each with its family, in the order in which they are to be tried.

    :raises OSError: the name does not resolve.
    """
    return {str(entry[4][0]): entry[0] for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}


def try_ports(host: str, ports: t.Iterable[int], timeout: float) -> list[Attempt]:
    """Connect to each port at each address of the host.

    :param timeout: seconds for all of them together.
    :raises OSError: the name does not resolve.
    """
    return try_addresses(addresses_of(host), ports, timeout)


def try_addresses(addresses: t.Mapping[str, int], ports: t.Iterable[int], timeout: float) -> list[Attempt]:
    """Connect to each port at each of these addresses.

    :param addresses: from :func:`addresses_of`.
    :param timeout: seconds for all of them together.
    """
    found = []
    began = time.monotonic()
    ports = list(ports)
    with selectors.DefaultSelector() as selector:
        for address, family in addresses.items():
            source = source_address(address)
            for port in ports:
                attempt = Attempt(port, address, source, NO_ROUTE if not source else FILTERED, "no answer")
                found += [attempt] if not source else _start(selector, family, attempt)
        deadline = began + timeout
        while selector.get_map() and time.monotonic() < deadline:
            for key, _events in selector.select(max(0.0, deadline - time.monotonic())):
                code = key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # type: ignore[union-attr]  # a socket
                found.append(_ended(key.data, code)._replace(milliseconds=(time.monotonic() - began) * 1000))
                _close(selector, key.fileobj)
        for key in list(selector.get_map().values()):
            found.append(key.data)
            _close(selector, key.fileobj)
    return sorted(found)


def source_address(address: str) -> str:
    """The address from which this host reaches the other one; empty without a route.

    A datagram socket finds it without sending.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return ""


def _start(selector: selectors.BaseSelector, family: int, attempt: Attempt) -> list[Attempt]:
    """Begin to connect. Returns the attempt if it has ended at once."""
    stream = socket.socket(family, socket.SOCK_STREAM)
    stream.setblocking(False)
    code = stream.connect_ex((attempt.address, attempt.port))
    if code == errno.EINPROGRESS:
        selector.register(stream, selectors.EVENT_WRITE, attempt)
        return []
    stream.close()
    return [_ended(attempt, code)]


def _ended(attempt: Attempt, code: int) -> Attempt:
    if not code:
        return attempt._replace(state=OPEN, detail="")
    state = REFUSED if code in (errno.ECONNREFUSED, errno.ECONNRESET) else FILTERED
    return attempt._replace(state=state, detail=os.strerror(code), code=code)


def _close(selector: selectors.BaseSelector, stream: t.Any) -> None:
    selector.unregister(stream)
    stream.close()
