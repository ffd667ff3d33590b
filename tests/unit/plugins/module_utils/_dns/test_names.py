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
from ansible_collections.mailops.smtp.plugins.module_utils._dns.dns_errors import InvalidName


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
    names.require_fqdn(name)


@pytest.mark.parametrize(
    "name", ["", "mail", "localhost", "192.0.2.1", "[192.0.2.1]", "-a.example", "a_b.example", "a b.example", "a..b"]
)
def test_not_a_fully_qualified_host_name(name):
    with pytest.raises(InvalidName):
        names.require_fqdn(name)


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


#: What is written where a name is expected, and what it is told to be.
OTHER_TEXTS = {
    "": "it is empty",
    ".": "it is empty",
    "https://mail.example.com": "it is a URL; write the name alone",
    "smtp:/mail.example.com": "it is a URL",
    "mailto:jo@example.com": "it is a URL",
    "jo@example.com": "it is a mail address; write what follows the @",
    "@example.com": "it is a mail address",
    "192.0.2.1": "it is an IP address",
    "[192.0.2.1]": "it is an IP address",
    "2001:db8::1": "it is an IP address",
    "[IPv6:2001:db8::1]": "it is an IP address",
    "mail.example.com:25": "it has a colon; write the name without a port",
    "[mail.example.com]": "it has a bracket",
    "mail.example.com/x": "it has a slash",
    '"mail.example.com"': "it has a quotation mark",
    "'mail.example.com'": "it has a quotation mark",
    "\u201cmail.example.com\u201d": "it has a quotation mark",
    '\\"mail.example.com\\"': "it has a quotation mark",
    "mail.example.com ": "it has a blank at its beginning or end",
    "mail.example.com\\032": "it has an escaped character: a blank",
    "mail.example.com\\009": "it has an escaped character: a tab",
    "mail\\.example.com": "it has an escaped character: a dot within a label",
    "mail\\@example.com": "it is a mail address",
    "m\\195\\188.example.com": "U+00FC LATIN SMALL LETTER U WITH DIAERESIS; write its ASCII form",
    "m\\226\\128\\139.example.com": "U+200B ZERO WIDTH SPACE",
    "m\\255.example.com": "U+00FF",
    "\\": "it has an escaped character: U+005C",
    "\\\u00b2": "it has an escaped character: U+00B2",
    "a.example.com b.example.com": "it is more than one name",
    "a.example.com,b.example.com": "it is more than one name",
    "mail.example.com;": "it has a punctuation mark",
    "mail\u200b.example.com": "it has the invisible character U+200B ZERO WIDTH SPACE",
    "stra\u00dfe.example": "software disagrees on U+00DF LATIN SMALL LETTER SHARP S",
    "a..b": "a label is empty",
    ".example.com": "a label is empty",
    "example.com..": "a label is empty",
    "x" * 64 + ".example": "a label is longer than 63 characters",
    ".".join(["x" * 60] * 5): "it is longer than 253 characters",
    "x" * 200_000: "a label is longer than 63 characters",
    "*.example.com": "it is a wildcard",
    "mail_1.example.com": "it has an underscore, which host names cannot have",
    "-a.example": "a label begins or ends with a hyphen",
    "a-.example": "a label begins or ends with a hyphen",
    "a!.example": "it has a character other than letters, digits, hyphens and dots",
    "a.123": "its last label is a number",
    "localhost": "it has a single label",
}


@pytest.mark.parametrize("text", OTHER_TEXTS)
def test_other_text_than_a_name_is_told_as_what_it_is(text):
    with pytest.raises(InvalidName) as error:
        names.require_fqdn(text)
    assert OTHER_TEXTS[text] in error.value.reason
    assert str(error.value).endswith(error.value.reason)
    assert len(str(error.value)) < 250


@given(st.text())
def test_any_text_is_a_host_name_or_refused(name):
    with contextlib.suppress(InvalidName):
        names.require_fqdn(name)
        assert names.normalize(name).isascii()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("[192.0.2.1]", "192.0.2.1"), ("[IPv6:2001:DB8::1]", "2001:db8::1"), ("2001:db8::1", "2001:db8::1")],
)
def test_address_literal_is_an_address(text, expected):
    assert names.parse_literal(text) == ipaddress.ip_address(expected)


@pytest.mark.parametrize("text", ["[192.0.2.1", "192.0.2.0/24", "192.0.2.1:25", "mail.example.com", ""])
def test_other_text_is_not_an_address(text):
    assert not names.is_address(text)
