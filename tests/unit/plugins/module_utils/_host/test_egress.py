# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From which address mail leaves a host: what main.cf says, what a service says, and what the routes say."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._host import egress
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._host.fakes import FakeHost

ROUTES = {"192.0.2.1": "192.0.2.10", "2001:db8::1": "2001:db8::10"}

POSTCONF = "postconf -c /etc/postfix"
MASTER = "smtp unix - - y - - smtp\nlmtp unix - - y - - lmtp\nup unix - - n - - smtp\n"
DEFAULTS = """inet_interfaces = all
inet_protocols = all
smtp_helo_name = mail.example.com
smtp_bind_address_enforce = no
default_transport = smtp
"""


def make(tmp_path: Path, main: str, **answers: t.Any) -> FakeHost:
    known = {
        "postconf -d config_directory mail_version": "config_directory = /etc/postfix\nmail_version = 3.10.5\n",
        f"{POSTCONF} -n": main,
        f"{POSTCONF} -x": DEFAULTS + main,
        f"{POSTCONF} -M": MASTER,
        f"{POSTCONF} -Px": "",
    }
    return FakeHost(tmp_path, **known, **answers)


#: Lines of main.cf, what getent says, and the address with what decides it, over IPv4 and IPv6.
ADDRESSES: list[tuple[str, str, tuple[str | None, str], tuple[str | None, str]]] = [
    ("", "", ("192.0.2.10", "routes"), ("2001:db8::10", "routes")),
    ("smtp_bind_address = 192.0.2.7", "", ("192.0.2.7", "smtp_bind_address"), ("2001:db8::10", "routes")),
    ("smtp_bind_address6 = [2001:db8::7]", "", ("192.0.2.10", "routes"), ("2001:db8::7", "smtp_bind_address6")),
    ("inet_protocols = ipv4", "", ("192.0.2.10", "routes"), (None, "inet_protocols")),
    ("inet_protocols = ipv6", "", (None, "inet_protocols"), ("2001:db8::10", "routes")),
    ("inet_protocols = ipv6, ipv4", "", ("192.0.2.10", "routes"), ("2001:db8::10", "routes")),
    ("inet_interfaces = 192.0.2.9", "", ("192.0.2.9", "inet_interfaces"), ("2001:db8::10", "routes")),
    ("inet_interfaces = [2001:db8::9]", "", ("192.0.2.10", "routes"), ("2001:db8::9", "inet_interfaces")),
    # of two, Postfix binds to neither; of a loopback one, neither
    ("inet_interfaces = 192.0.2.9, 127.0.0.1", "", ("192.0.2.10", "routes"), ("2001:db8::10", "routes")),
    ("inet_interfaces = loopback-only", "", ("192.0.2.10", "routes"), ("2001:db8::10", "routes")),
    ("inet_interfaces = localhost", "127.0.0.1 STREAM localhost", ("192.0.2.10", "routes"), ("2001:db8::10", "routes")),
    (
        "inet_interfaces = mail.example.com",
        "192.0.2.8 STREAM mail.example.com\n192.0.2.8 DGRAM\n2001:db8::8 STREAM\n",
        ("192.0.2.8", "inet_interfaces"),
        ("2001:db8::8", "inet_interfaces"),
    ),
    # the next server may be reached over another interface
    ("relayhost = [10.1.1.1]:587", "", ("10.1.1.2", "routes"), ("2001:db8::10", "routes")),
    ("relayhost = [smart.test]", "10.1.1.1 STREAM smart.test", ("10.1.1.2", "routes"), ("2001:db8::10", "routes")),
    ("relayhost = [2001:db8:1::1]", "", ("192.0.2.10", "routes"), ("2001:db8:1::2", "routes")),
    ("relayhost = [10.1.1.1]:587, [192.0.2.99]", "", ("10.1.1.2", "routes"), ("2001:db8::10", "routes")),
    ("relayhost = example.com", "", ("192.0.2.10", "routes"), ("2001:db8::10", "routes")),  # its MX records decide
]


@pytest.fixture(autouse=True)
def routes(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the kernel would choose."""
    known = {**ROUTES, "10.1.1.1": "10.1.1.2", "2001:db8:1::1": "2001:db8:1::2"}
    monkeypatch.setattr(egress, "source_address", lambda address: known.get(address, ""))
    return known


@pytest.mark.parametrize(("main", "getent", "over_4", "over_6"), ADDRESSES)
def test_address_of_the_service_smtp(
    tmp_path: Path, main: str, getent: str, over_4: tuple[str | None, str], over_6: tuple[str | None, str]
) -> None:
    found = egress.find(make(tmp_path, f"{main}\n", getent=getent)) or ()
    assert [(one.ip_version, (one.address, one.decided_by)) for one in found if one.service == "smtp"] == [
        (4, over_4),
        (6, over_6),
    ]
    assert {one.service for one in found} == {"smtp", "up"}  # not lmtp, which stays on the host


def test_service_with_its_own_next_hop(tmp_path: Path) -> None:
    found = egress.find(make(tmp_path, "default_transport = up:[10.1.1.1]:25\n")) or ()
    assert [(one.service, one.address) for one in found if one.ip_version == 4] == [
        ("smtp", "192.0.2.10"),
        ("up", "10.1.1.2"),
    ]


def test_a_host_without_a_way_out_is_known(tmp_path: Path, routes: dict[str, str]) -> None:
    routes.clear()
    host = make(tmp_path, "")
    assert {one.address for one in egress.find(host) or ()} == {None}
    assert host.reasons() == {}


def test_overrides_of_a_service(tmp_path: Path) -> None:
    found = egress.find(FakeHost(tmp_path, "nested")) or ()
    assert {(one.service, one.ip_version): (one.address, one.helo_name) for one in found} == {
        ("smtp", 4): ("192.0.2.7", "nested.example.com"),
        ("smtp", 6): ("2001:db8::10", "nested.example.com"),
        ("bulk", 4): ("198.51.100.7", "bulk.example.com"),
        ("bulk", 6): ("2001:db8::7", "bulk.example.com"),
    }


def test_instances_have_their_own_addresses(tmp_path: Path) -> None:
    found = egress.find(FakeHost(tmp_path, "multi")) or ()
    assert {(one.instance, one.ip_version): one.address for one in found} == {
        ("", 4): "192.0.2.10",
        ("", 6): None,
        ("postfix-out", 4): "192.0.2.11",
        ("postfix-out", 6): "2001:db8::11",
    }
