# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domain names are normalised and checked, and addresses parsed."""

from __future__ import annotations

import contextlib
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._dns import names
from ansible_collections.mailops.smtp.plugins.module_utils._dns.errors import InvalidName


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Example.COM.", "example.com"),
        ("_dmarc.example.com", "_dmarc.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        (".", ""),
        ("x" * 63 + ".example", "x" * 63 + ".example"),
    ],
)
def test_name_is_normalised(name, expected):
    assert names.normalize(name) == expected


@pytest.mark.parametrize("name", ["a..b", ".a", "x" * 64 + ".example", ".".join(["x" * 60] * 5), "a\n.example", "a.."])
def test_malformed_name_is_refused(name):
    with pytest.raises(InvalidName):
        names.normalize(name)


@given(st.text())
def test_any_text_is_normalised_or_refused(name):
    with contextlib.suppress(InvalidName):
        assert names.normalize(names.normalize(name)) == names.normalize(name)


@pytest.mark.parametrize(
    "name", ["mail.example.com", "MAIL.example.com.", "a-b.example", "bücher.example", "1.example"]
)
def test_fully_qualified_host_name(name):
    assert names.is_fqdn(name)


@pytest.mark.parametrize(
    "name", ["", "mail", "localhost", "192.0.2.1", "[192.0.2.1]", "-a.example", "a_b.example", "a b.example", "a..b"]
)
def test_not_a_fully_qualified_host_name(name):
    assert not names.is_fqdn(name)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", "1.2.0.192.in-addr.arpa"),
        ("2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"),
    ],
)
def test_reverse_pointer(address, expected):
    assert names.reverse_pointer(names.parse_address(address)) == expected


def test_ipv4_mapped_address_becomes_ipv4():
    assert names.parse_address("::ffff:192.0.2.1") == ipaddress.ip_address("192.0.2.1")
