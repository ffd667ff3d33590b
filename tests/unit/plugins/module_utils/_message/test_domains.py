# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains and address literals."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._message.domains import ascii_domain
from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import InvalidAddress

#: RFC 5321 section 4.1.3.
LITERALS = [
    "[192.0.2.1]",
    "[0.0.0.0]",
    "[255.255.255.255]",
    "[IPv6:2001:db8::1]",
    "[ipv6:2001:DB8::1]",
    "[IPv6:::]",
    "[IPv6:::1]",
    "[IPv6:1::]",
    "[IPv6:1:2:3:4:5:6:7:8]",
    "[IPv6:1:2:3:4:5:6::]",
    "[IPv6:1:2:3:4:5:6:192.0.2.1]",
    "[IPv6:1:2:3:4::192.0.2.1]",
    "[IPv6:::ffff:192.0.2.1]",
]
BAD_LITERALS = [
    "[]",
    "[",
    "[192.0.2.1",
    "[192.0.2.256]",
    "[192.0.2.1000]",
    "[192.0.2]",
    "[192.0.2.1.5]",
    "[.192.0.2.1]",
    "[192.0..1]",
    "[ 192.0.2.1 ]",
    "[192.0.2.1]x",
    "[IPv6:]",
    "[IPv6:192.0.2.1]",
    "[IPv6:1::2:]",
    "[IPv6::1]",
    "[IPv6:1:]",
    "[IPv6::::]",
    "[IPv6:1:::2]",
    "[IPv6:1::2::3]",
    "[IPv6:1:2:3:4:5:6:7]",
    "[IPv6:1:2:3:4:5:6:7:8:9]",
    "[IPv6:1:2:3:4:5:6:7::]",  # :: is at least two groups
    "[IPv6:1:2:3:4:5:6:7::8]",
    "[IPv6:12345::1]",
    "[IPv6:g::1]",
    "[IPv6:fe80::1%eth0]",
    "[IPv6:1:2:3:4:5:192.0.2.1]",
    "[IPv6:1:2:3:4:5::192.0.2.1]",
    "[IPv6:1::192.0.2.1:2]",
    "[IPv6:192.0.2.1::]",
    "[IPv6:1::192.0.2.256]",
    "[IPv6:1::192.0.2]",
    "[2001:db8::1]",
    "[IPv4:192.0.2.1]",
    "[tag:text]",
    "[example.com]",
    "[192.0.2.١]",  # a digit of another script
]


@pytest.mark.parametrize("literal", LITERALS)
def test_address_literal_is_kept(literal: str) -> None:
    assert ascii_domain(literal) == literal


@pytest.mark.parametrize("literal", BAD_LITERALS)
def test_malformed_address_literal_is_refused(literal: str) -> None:
    with pytest.raises(InvalidAddress, match="is not a valid address literal; expected one such as"):
        ascii_domain(literal)


@pytest.mark.parametrize(
    "domain", ["", ".", "a..b", "-a.test", "a-.test", "a b", "a!b.test", "b.test.", "\u201cb.test\u201d", "b—c.test"]
)
def test_invalid_domain_is_refused(domain: str) -> None:
    with pytest.raises(InvalidAddress, match="is not a valid domain; expected one such as example.com"):
        ascii_domain(domain)
