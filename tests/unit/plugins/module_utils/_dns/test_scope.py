# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that the Internet does not reach, and names that the public DNS does not have."""

from __future__ import annotations

import ipaddress

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._dns import scope

#: The name of the scope of each address; the first and the last of the blocks are among them.
ADDRESSES = {
    "127.0.0.1": "a loopback address",
    "127.255.255.255": "a loopback address",
    "::1": "a loopback address",
    "0.0.0.0": "the unspecified address",
    "::": "the unspecified address",
    "0.1.2.3": "an address of 'this network'",
    "169.254.1.1": "a link-local address",
    "fe80::1": "a link-local address",
    "224.0.0.1": "a multicast address",
    "ff02::1": "a multicast address",
    "255.255.255.255": "the broadcast address",
    "::ffff:10.0.0.1": "an IPv4-mapped address",
    "10.0.0.1": "a private address",
    "172.16.0.1": "a private address",
    "172.31.255.255": "a private address",
    "192.168.255.255": "a private address",
    "fd00::1": "a private address",
    "100.64.0.1": "a shared address behind a provider's NAT",
    "192.0.2.1": "a documentation address",
    "198.51.100.1": "a documentation address",
    "203.0.113.1": "a documentation address",
    "2001:db8::1": "a documentation address",
    "3fff::1": "a documentation address",
    "198.19.0.1": "a benchmarking address",
    "240.0.0.1": "a reserved address",
    "192.0.0.1": "a reserved address",
    "100::1": "a reserved address",
    "4000::1": "a reserved address",
    "8.8.8.8": None,
    "172.32.0.1": None,
    "100.128.0.1": None,
    "2a00::1": None,
    "2001:4860::1": None,
    "64:ff9b::808:808": None,
    "64:ff9b:1::1": None,
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_scope_of_an_address(address):
    found = scope.scope_of(ipaddress.ip_address(address))
    assert (found.name if found else None) == ADDRESSES[address]


@pytest.mark.parametrize(
    ("name", "private", "localhost"),
    [
        ("localhost", True, True),
        ("a.localhost", True, True),
        ("localhost.localdomain", True, True),
        ("mx.corp.LOCAL", True, False),
        ("mx.sender.test", True, False),
        ("mx.home.arpa", True, False),
        ("local.example.com", False, False),
        ("mylocalhost", False, False),
        ("mx.example.com", False, False),
    ],
)
def test_name_of_a_private_network(name, private, localhost):
    assert scope.is_private_name(name) is private
    assert scope.is_localhost(name) is localhost
