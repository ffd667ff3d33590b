# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a connection, and what that means to the host that tried it."""

from __future__ import annotations

import errno
import ipaddress
import socket
import time

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._firewall import reach
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.reach import Attempt, judge, try_ports


def test_open_and_refused_ports_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        open_port, closed_port = server.getsockname()[1], unused.getsockname()[1]
        found = try_ports("127.0.0.1", [open_port, closed_port], 3)
    assert {one.port: (one.state, one.source) for one in found} == {
        open_port: ("open", "127.0.0.1"),
        closed_port: ("refused", "127.0.0.1"),
    }
    assert [one.detail for one in found if one.port == closed_port] == ["Connection refused"]


def test_ports_that_do_not_answer_take_the_time_of_one() -> None:
    """A backlog that is full answers no further connection."""
    with socket.socket() as server, socket.socket() as first, socket.socket() as second:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        address = server.getsockname()
        for stream in (first, second):
            stream.setblocking(False)
            stream.connect_ex(address)
        began = time.monotonic()
        found = try_ports("127.0.0.1", [address[1], address[1]], 0.4)
        assert time.monotonic() - began < 2
    assert {(one.state, one.detail) for one in found} == {("filtered", "no answer")}


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (0, "open"),
        (errno.ECONNREFUSED, "refused"),
        (errno.ECONNRESET, "refused"),
        (errno.EHOSTUNREACH, "filtered"),  # icmp-host-prohibited, icmp-admin-prohibited
        (errno.ENETUNREACH, "filtered"),  # icmp-net-prohibited
        (errno.EACCES, "filtered"),  # icmpv6 policy-fail
        (errno.ETIMEDOUT, "filtered"),
    ],
)
def test_what_the_system_says(code: int, state: str) -> None:
    assert reach._ended(Attempt(25, "192.0.2.1", "192.0.2.9", "filtered"), code).state == state


def test_an_address_without_a_route_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "source_address", lambda _address: "")
    (found,) = try_ports("192.0.2.1", [25], 3)
    assert (found.state, found.source) == ("no route", "")
    assert judge(found, []) == (
        None,
        None,
        "Port 25 of 192.0.2.1 was not tried: this host has no route to that address.",
    )


OFFICE = "192.0.2.0/24"
#: Name, address, source, as which it is seen, state, clients, whether it is admitted, whether that passes.
CASES: list[tuple[str, str, str, str, str, list[str], bool | None, bool | None]] = [
    ("open to all", "198.51.100.1", "203.0.113.9", "", "open", [], True, True),
    ("all are refused", "198.51.100.1", "203.0.113.9", "", "refused", [], True, False),
    ("all are kept out", "198.51.100.1", "203.0.113.9", "", "filtered", [], True, False),
    ("a client", "198.51.100.1", "192.0.2.9", "", "open", [OFFICE], True, True),
    ("a client is kept out", "198.51.100.1", "192.0.2.9", "", "filtered", [OFFICE], True, False),
    ("another", "198.51.100.1", "203.0.113.9", "", "filtered", [OFFICE], False, True),
    ("another is refused", "198.51.100.1", "203.0.113.9", "", "refused", [OFFICE], False, True),
    ("another is let in", "198.51.100.1", "203.0.113.9", "", "open", [OFFICE], False, False),
    ("the host itself", "198.51.100.1", "198.51.100.1", "", "open", [OFFICE], True, True),
    ("IPv6", "2001:db8::1", "2001:db8::9", "", "open", [OFFICE, "2001:db8::/64"], True, True),
    ("IPv6 that is not named", "2001:db8::1", "2001:db8::9", "", "open", [OFFICE], False, False),
    ("seen as it is", "198.51.100.1", "192.0.2.9", "192.0.2.9", "open", [OFFICE], True, True),
    ("seen as a client", "198.51.100.1", "10.0.0.9", "192.0.2.9", "open", [OFFICE], None, None),
    ("seen as another client", "198.51.100.1", "192.0.2.8", "192.0.2.9", "filtered", [OFFICE], True, False),
    ("seen as another", "198.51.100.1", "10.0.0.9", "203.0.113.9", "open", [OFFICE], False, False),
    ("seen over the other family", "198.51.100.1", "192.0.2.9", "2001:db8::9", "open", [OFFICE], True, True),
    ("behind NAT", "9.9.9.9", "10.0.0.9", "", "open", [OFFICE], None, None),
    ("behind NAT, open to all", "9.9.9.9", "10.0.0.9", "", "open", [], True, True),
]


@pytest.mark.parametrize(
    ("address", "source", "seen_as", "state", "clients", "admitted", "passed"),
    [row[1:] for row in CASES],
    ids=[row[0] for row in CASES],
)
def test_what_it_means(
    address: str,
    source: str,
    seen_as: str,
    state: str,
    clients: list[str],
    admitted: bool | None,
    passed: bool | None,
) -> None:
    attempt = Attempt(465, address, source, state, "" if state == "open" else "no answer")
    found = judge(attempt, list(map(ipaddress.ip_network, clients)), seen_as)
    assert (found.admitted, found.passed) == (admitted, passed)
    assert found.summary.startswith(f"Port 465 of {address} is {state} from {source}")
    assert found.summary.endswith(".")


@pytest.mark.parametrize(("port", "said"), [(25, "Many networks let no connection to port 25 out."), (587, "")])
def test_port_25_is_often_closed_by_the_network_of_the_client(port: int, said: str) -> None:
    found = judge(Attempt(port, "198.51.100.1", "203.0.113.9", "filtered", "no answer"), [])
    assert found.summary.endswith(said)
    assert ("Many networks" in found.summary) == bool(said)
