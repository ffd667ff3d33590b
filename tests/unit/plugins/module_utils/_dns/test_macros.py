# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPF macros are expanded, with the examples of RFC 7208 section 7.4."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._dns.macros import MacroValues, expand_domain
from ansible_collections.mailops.smtp.plugins.module_utils._dns.names import parse_address


def values(address: str = "192.0.2.3", sender: str = "strong-bad@email.example.com") -> MacroValues:
    return MacroValues(
        parse_address(address), sender, "email.example.com", "mail.example.org", lambda: "mx.example.org"
    )


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
        ("%{h}", "mail.example.org"),
        ("%{p}", "mx.example.org"),
        ("%%%_%-.example", "% %20.example"),
        ("plain.example.", "plain.example"),
    ],
)
def test_examples_of_the_rfc(spec, expected):
    assert expand_domain(spec, values()) == expected


def test_ipv6_is_written_digit_by_digit():
    expected = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"
    assert expand_domain("%{ir}.%{v}._spf.%{d2}", values("2001:db8::cb01")) == expected


def test_upper_case_letter_escapes_the_value():
    assert expand_domain("%{L}.example", values(sender="jack&jill=up@x.example")) == "jack%26jill%3Dup.example"


def test_long_name_loses_labels_on_the_left():
    name = expand_domain("%{l}.example.com", values(sender="x" * 60 + ".y" * 100 + "@x.example"))
    assert len(name) <= 253
    assert name.startswith("y.")
    assert name.endswith(".y.example.com")
