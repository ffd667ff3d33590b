# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MX and SPF records are parsed, and syntax errors are reported."""

from __future__ import annotations

import contextlib
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._dns.dns_errors import RecordSyntaxError
from ansible_collections.mailops.smtp.plugins.module_utils._dns.records import (
    MxRecord,
    Qualifier,
    SpfMechanism,
    SpfRecord,
    is_spf,
    parse_mx,
    parse_spf,
    why_not_spf,
)


@pytest.mark.parametrize(
    ("value", "expected", "null"),
    [
        ("10 Mx.Example.com.", MxRecord(10, "mx.example.com"), False),
        ("0 mx.example.com", MxRecord(0, "mx.example.com"), False),
        ("0 .", MxRecord(0, ""), True),
    ],
)
def test_mx_record_is_parsed(value, expected, null):
    assert parse_mx(value) == expected
    assert expected.is_null is null


@pytest.mark.parametrize("value", ["", "10", "mx.example.com", "x mx.example.com", "-1 mx.example.com"])
def test_malformed_mx_record_is_an_error(value):
    with pytest.raises(RecordSyntaxError, match="is not a valid MX record"):
        parse_mx(value)


@pytest.mark.parametrize(
    ("text", "expected"), [("v=spf1", True), ("V=SPF1 -all", True), ("v=spf10", False), ("", False)]
)
def test_spf_record_is_recognised_by_its_version(text, expected):
    assert is_spf(text) is expected


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("all", SpfMechanism("all", Qualifier.PASS, "all")),
        ("-all", SpfMechanism("all", Qualifier.FAIL, "-all")),
        ("~ALL", SpfMechanism("all", Qualifier.SOFTFAIL, "~ALL")),
        ("?all", SpfMechanism("all", Qualifier.NEUTRAL, "?all")),
        ("a", SpfMechanism("a", Qualifier.PASS, "a")),
        ("a/24", SpfMechanism("a", Qualifier.PASS, "a/24", prefix4=24)),
        ("a//64", SpfMechanism("a", Qualifier.PASS, "a//64", prefix6=64)),
        ("mx:m.example/24//64", SpfMechanism("mx", Qualifier.PASS, "mx:m.example/24//64", "m.example", None, 24, 64)),
        ("include:%{d}.x.example", SpfMechanism("include", Qualifier.PASS, "include:%{d}.x.example", "%{d}.x.example")),
        ("exists:%{i}", SpfMechanism("exists", Qualifier.PASS, "exists:%{i}", "%{i}")),
        ("ptr", SpfMechanism("ptr", Qualifier.PASS, "ptr")),
        (
            "ip4:192.0.2.9/24",
            SpfMechanism("ip4", Qualifier.PASS, "ip4:192.0.2.9/24", "", ipaddress.ip_network("192.0.2.0/24")),
        ),
        ("ip6:::1", SpfMechanism("ip6", Qualifier.PASS, "ip6:::1", "", ipaddress.ip_network("::1/128"))),
    ],
)
def test_mechanism_is_parsed(term, expected):
    assert parse_spf(f"v=spf1 {term}") == SpfRecord((expected,))


def test_known_modifiers_are_kept_and_unknown_ones_ignored():
    record = parse_spf("v=spf1  redirect=_spf.example.com exp=why.example.com future=%{c}/thing ")
    assert record == SpfRecord((), "_spf.example.com", "why.example.com")


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ("moo", "'moo' is not a known mechanism"),
        ("all:x.example", "it takes no argument"),
        ("include", "it needs a domain"),
        ("include:", "the domain is malformed"),
        ("exists", "it needs a domain"),
        ("a:foo", "the domain is malformed"),
        ("a:192.0.2.1", "the domain is malformed"),
        ("a:foo.example/", "the domain is malformed"),
        ("a/33", "/33 is more than 32 bits"),
        ("a/024", "the domain is malformed"),
        ("a//129", "/129 is more than 128 bits"),
        ("a:%{z}.example", "the domain is malformed"),
        ("a:%{d0}.example", "the domain is malformed"),
        ("a:%d.example", "the domain is malformed"),
        ("exists:%{c}.example", "the domain is malformed"),
        ("ip4:192.0.2", "Expected 4 octets"),
        ("ip4:192.0.2.1/33", "/33 is more than 32 bits"),
        ("ip4:192.0.2.01", "Leading zeros"),
        ("ip4:2001:db8::1", "Expected 4 octets"),
        ("ip4", "the network is malformed"),
        ("ip6:192.0.2.1", "is not valid"),
        ("ip6:fe80::1%eth0", "the network is malformed"),
        ("redirect=a.example redirect=b.example", "the modifier redirect= appears twice"),
        ("exp=a.example exp=b.example", "the modifier exp= appears twice"),
        ("redirect=", "does not have a valid value"),
        ("new=%z", "does not have a valid value"),
        ("ipv4:192.0.2.1", "is not a known mechanism; write ip4 instead"),
        ("redirect:example.com", "write redirect= instead"),
        ("ip4:192.0.2.1ip4:192.0.2.2", "is malformed; a blank is missing between two terms"),
        ("include:a.example~all", "is malformed; a blank is missing between two terms"),
        ("mx-all", "is not a known mechanism; a blank is missing between two terms"),
        ("mx,", "is malformed; separate the terms by blanks alone"),
        ("ip4:192.0.2.1;", "is malformed; separate the terms by blanks alone"),
        ('"mx"', 'is not a valid SPF term; remove the quotation mark "'),
        ("a:'x.example'", "; remove the quotation mark '"),
        ("-all\tmx", r"character 26 is U\+0009, which is not printable ASCII: \\009 in '-all\\009mx'"),
        ("mx\0", r"character 24 is U\+0000, which is not printable ASCII: \\000 in 'mx\\000'"),
        ("mx\x7f", r"is U\+007F, which"),
        ("\u201c-all\u201d", r"is U\+201C LEFT DOUBLE QUOTATION MARK, which is not printable ASCII: \\226\\128\\156"),
        ("\u00e2\x80\x8b", r"character 22 is U\+200B ZERO WIDTH SPACE, which is not printable ASCII: \\226\\128\\139"),
        ("a:caf\xe9.example", r"is U\+00E9 LATIN SMALL LETTER E WITH ACUTE, which is not printable ASCII: \\233 in"),
        ("a:x\xff.example", r"\\255 in 'a:x\\255.example'"),
        ("include:\u212a.example", r"is U\+212A KELVIN SIGN"),
        ("new=\xa0", r"is U\+00A0 NO-BREAK SPACE"),
    ],
)
def test_syntax_error_names_the_cause(terms, reason):
    with pytest.raises(RecordSyntaxError, match=reason):
        parse_spf(f"v=spf1 ip4:192.0.2.1 {terms} -all")


@pytest.mark.parametrize(
    ("text", "spot"),
    [
        ("v=spf1ip4:192.0.2.1 -all", "character 7 is 'i'"),
        ('"v=spf1 mx -all"', "character 1 is '\"'"),
        ('"v=spf 1 mx', "character 1 is '\"'"),
        ("v=spf 1 mx", "character 6 is ' '"),
        (" v=spf1 mx", "character 1 is ' '"),
        ("v = spf1 mx", "character 2 is ' '"),
        ("\u00e2\x80\x9cv=spf1 mx", "character 1 is '\\226'"),
        ("\u201cv=spf1 mx", "character 1 is '\\226\\128\\156'"),
        ("v=spf1\u00c2\u00a0mx", "character 7 is '\\194'"),
        ("v=spf1\tmx", "character 7 is '\\009'"),
        ("v=spf1\0", "character 7 is '\\000'"),
        ("v=spf1;mx", "character 7 is ';'"),
        ("v=spf10 mx", "character 7 is '0'"),
        ("v=spf2 mx", "character 6 is '2'"),
        ("v:spf1 mx", "character 2 is ':'"),
        ("v=spf", "it ends too early"),
        ("spf1 mx", "character 1 is 's'"),
        ("v=sfp1 mx", "character 4 is 'f'"),
        ("v=\u017fpf1 mx", "character 3 is '\\197\\191'"),
        ("TXT v=spf1 mx", "character 1 is 'T'"),
        ("\u00e2\x80\x9cv=spf1 mx", "(U+201C LEFT DOUBLE QUOTATION MARK)"),
        ("\u00ef\u00bb\u00bfv=spf1 mx", "(U+FEFF ZERO WIDTH NO-BREAK SPACE)"),
        ("include:a.example -all", "character 1 is 'i'"),
        ('"ip4:192.0.2.1 ~all"', "character 1 is"),
        # What is an SPF record, or was never meant as one.
        ("v=spf1 mx", ""),
        ("V=SPF1", ""),
        ("spf2.0/mfrom mx", ""),
        ("SPF information is elsewhere", ""),
        ("v=DMARC1; p=none", ""),
        ("google-site-verification=vspf1", ""),
        ("a record for all", ""),
        ("include: see the file", ""),
        ("", ""),
    ],
)
def test_mangled_record_is_told_with_the_spot(text, spot):
    said = why_not_spf(text)
    assert bool(said) is bool(spot)
    assert spot in said
    assert said.isascii()
    assert said.isprintable()


@pytest.mark.parametrize(
    ("terms", "reasons"),
    [
        ("include=a.example -all", ("'include=' is not a mechanism; write include:",)),
        ("ipv4=192.0.2.1 -all", ("'ipv4=' is not a mechanism; write ip4:",)),
        ("mx all=no", ("'all=' is not a mechanism; write all",)),
        ("mx v=spf1 -all", ("'v=' appears twice",)),
        ("~all mx", ("'mx' follows '~all', which ends the evaluation",)),
        ("all redirect=a.example", ("'redirect=a.example' is not used in a record with 'all'",)),
        ("mx future=x -all", ()),
        ("mx redirect=a.example", ()),
    ],
)
def test_terms_without_effect_are_told(terms, reasons):
    assert parse_spf(f"v=spf1 {terms}").idle == reasons


def test_other_text_record_is_not_spf():
    with pytest.raises(RecordSyntaxError, match="does not begin with v=spf1"):
        parse_spf("google-site-verification=x")


TERMS = st.one_of(
    st.text(),
    st.text("aimnptxlcud4e6+-~?:/=%{}.0123456789 ", max_size=40),
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["a", "mx", "ip4", "ip6", "exp", "include", "exists"]),
        st.sampled_from(":=/"),
        st.text(),
    ),
)


@given(st.lists(TERMS))
def test_any_text_gives_a_record_or_a_syntax_error(terms):
    with contextlib.suppress(RecordSyntaxError):
        assert isinstance(parse_spf("v=spf1 " + " ".join(terms)), SpfRecord)


@pytest.mark.parametrize(
    "hostile", ["a:" + "a" * 60000 + "!", "a:" + "." * 60000, "x=" + "%" * 60001, "a" + "/1" * 30000]
)
def test_long_hostile_record_is_refused_at_once(hostile):
    with pytest.raises(RecordSyntaxError):
        parse_spf(f"v=spf1 {hostile}")
