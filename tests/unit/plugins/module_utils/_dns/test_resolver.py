# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The resolver, tested against a name server on loopback."""

from __future__ import annotations

import socket
import time
import typing as t

import dns.query
import dns.rcode
import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._dns import resolver as resolver_module
from ansible_collections.mailops.smtp.plugins.module_utils._dns.dns_errors import (
    InvalidName,
    LibraryMissing,
    LookupTimedOut,
    ResolverUnavailable,
    ServerFailure,
)
from ansible_collections.mailops.smtp.plugins.module_utils._dns.lookup import Answer, CachedLookup, addresses_of
from ansible_collections.mailops.smtp.plugins.module_utils._dns.resolver import DnsResolver, parse_nameserver
from ansible_collections.mailops.smtp.tests.unit.support.dns_server import DnsServer, serve

SERVER = DnsServer(
    zone={
        "example.test": {
            "MX": ["10 mx1.example.test.", "20 mx2.example.test."],
            "TXT": ['"v=spf1 mx" " -all"', '"caf\\195\\169"'],
            "A": ["192.0.2.1"],
        },
        "mx1.example.test": {"A": ["192.0.2.1"], "AAAA": ["2001:db8::1"]},
        "alias.example.test": {"CNAME": ["mx1.example.test."]},
        "null.example.test": {"MX": ["0 ."]},
        "odd.example.test": {
            "TXT": [r'"v=spf1 a:mail\226\128\139.example.test -all"'],
            "SPF": [r'"v=spf1 \255"'],
            "MX": [r"10 a\.b.example.test.", r"20 m\195\188.example.test.", "30 192.0.2.1."],
            "PTR": [".", r"a\032b.example.test.", r"x\.."],
        },
        "control.example.test": {"TXT": [r'"a\000\027\"b\\226c\127"']},
        "odd-alias.example.test": {"CNAME": [r"caf\233\".example.test."]},
        "1.2.0.192.in-addr.arpa": {"PTR": ["Mail.Example.test."]},
        "big.example.test": {"TXT": ['"came over tcp"']},
        "broken.example.test": {},
        "refused.example.test": {},
    },
    rcodes={"broken.example.test": dns.rcode.SERVFAIL, "refused.example.test": dns.rcode.REFUSED},
    silent=frozenset({"silent.example.test"}),
    truncated=frozenset({"big.example.test"}),
)


@pytest.fixture(scope="module")
def resolver():
    with serve(SERVER):
        yield DnsResolver([SERVER.nameserver], timeout=3)


@pytest.mark.parametrize(
    ("name", "rdtype", "expected"),
    [
        ("example.test", "A", Answer(("192.0.2.1",))),
        ("EXAMPLE.test.", "A", Answer(("192.0.2.1",))),
        ("example.test", "MX", Answer(("10 mx1.example.test", "20 mx2.example.test"))),
        ("example.test", "TXT", Answer(("caf\u00c3\u00a9", "v=spf1 mx -all"))),
        # Octets that are not printable ASCII, quotes, backslashes and dots within a label stay what they are.
        ("odd.example.test", "TXT", Answer(("v=spf1 a:mail\u00e2\x80\x8b.example.test -all",))),
        ("control.example.test", "TXT", Answer(('a\x00\x1b"b\\226c\x7f',))),
        ("odd.example.test", "SPF", Answer(("v=spf1 \xff",))),
        ("odd.example.test", "MX", Answer(("10 a\\.b.example.test", "20 m\\195\\188.example.test", "30 192.0.2.1"))),
        ("odd.example.test", "PTR", Answer((".", "a\\032b.example.test", "x\\."))),
        ("odd-alias.example.test", "CNAME", Answer(('caf\\233\\".example.test',))),
        ("mx1.example.test", "AAAA", Answer(("2001:db8::1",))),
        ("1.2.0.192.in-addr.arpa", "PTR", Answer(("Mail.Example.test",))),
        ("alias.example.test", "A", Answer(("192.0.2.1",))),
        ("alias.example.test", "CNAME", Answer(("mx1.example.test",))),
        ("null.example.test", "MX", Answer(("0 .",))),
        ("mx1.example.test", "MX", Answer()),
        ("absent.example.test", "A", Answer(exists=False)),
    ],
)
def test_answer_has_the_text_of_each_record(resolver, name, rdtype, expected):
    assert resolver.query(name, rdtype) == expected


def test_truncated_answer_is_fetched_over_tcp(resolver):
    assert resolver.query("big.example.test", "TXT") == Answer(("came over tcp",))
    assert [asked for asked in SERVER.asked if asked[1] == "big.example.test"] == [
        ("udp", "big.example.test", "TXT"),
        ("tcp", "big.example.test", "TXT"),
    ]


@pytest.mark.parametrize(("name", "code"), [("broken.example.test", "SERVFAIL"), ("refused.example.test", "REFUSED")])
def test_server_error_is_not_an_answer(resolver, name, code):
    with pytest.raises(ServerFailure) as caught:
        resolver.query(name, "A")
    assert str(caught.value) == f"the A lookup for {name} failed (127.0.0.1: {code})"


def test_silent_name_server_times_out():
    with serve(SERVER) as server:
        impatient = DnsResolver([server.nameserver], timeout=0.3)
        start = time.monotonic()
        with pytest.raises(LookupTimedOut, match=r"the A lookup for silent\.example\.test got no answer within 0\.3 s"):
            impatient.query("silent.example.test", "A")
    assert time.monotonic() - start < 2


def test_name_servers_that_answer_nothing_cost_one_time_out():
    """The time of a run does not grow with the number of names."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        lookup = CachedLookup(DnsResolver([f"127.0.0.1:{deaf.getsockname()[1]}"], timeout=0.4))
        began = time.monotonic()
        lookup.knock([("example.test", "SOA"), ("", "SOA")])
        for number in range(50):
            with pytest.raises(LookupTimedOut, match="was not asked for, since no name server answers"):
                lookup.query(f"host{number}.example.test", "A")
        assert time.monotonic() - began < 1
        lookup.close()


def test_name_servers_without_a_route_are_silent_too(monkeypatch):
    """One has no route, the other is deaf: neither answers, which is a time-out and no error of a server."""

    def no_route(*_arguments, **_options):
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(dns.query, "udp", no_route)
    with pytest.raises(LookupTimedOut, match=r"failed \(2001:db8::53: Network is unreachable\)"):
        DnsResolver(["2001:db8::53"], timeout=0.3).query("example.test", "A")


def test_one_domain_that_times_out_does_not_silence_the_others():
    with serve(SERVER):
        patient = DnsResolver([SERVER.nameserver], timeout=0.5)
        for _attempt in range(2):
            with pytest.raises(LookupTimedOut, match=r"got no answer within 0\.5 s"):
                patient.query("silent.example.test", "A")
            assert patient.query("example.test", "A").values == ("192.0.2.1",)


def test_next_name_server_is_used_if_one_is_down():
    with serve(SERVER) as server:
        # No server listens on this port of 127.0.0.2.
        both = DnsResolver([f"127.0.0.2:{server.port}", server.nameserver], timeout=0.8)
        assert both.query("example.test", "A") == Answer(("192.0.2.1",))


def test_addresses_of_both_ip_versions(resolver):
    assert [str(address) for address in addresses_of(resolver, "mx1.example.test")] == ["192.0.2.1", "2001:db8::1"]


@pytest.mark.parametrize("name", ["a..example.test", "x" * 64 + ".test", ".".join(["x" * 60] * 5)])
def test_malformed_name_is_refused(resolver, name):
    with pytest.raises(InvalidName):
        resolver.query(name, "A")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.53", ("192.0.2.53", 53)),
        ("192.0.2.53:5353", ("192.0.2.53", 5353)),
        ("2001:db8::53", ("2001:db8::53", 53)),
        ("[2001:db8::53]:5353", ("2001:db8::53", 5353)),
    ],
)
def test_name_server_is_parsed(text, expected):
    assert parse_nameserver(text) == expected


@pytest.mark.parametrize(
    "text", ["ns.example.com", "ns.example.com:53", "192.0.2.300", "192.0.2.53:", "192.0.2.53:99999", ""]
)
def test_name_server_must_be_an_ip_address(text):
    with pytest.raises(ResolverUnavailable, match="is not an IP address"):
        parse_nameserver(text)


def test_missing_dnspython_is_named_in_the_error(monkeypatch):
    monkeypatch.setattr(resolver_module, "DNSPYTHON_IMPORT_ERROR", ImportError("No module named 'dns'"))
    with pytest.raises(LibraryMissing, match="dnspython is not installed"):
        DnsResolver()


def flipped(wire: bytes) -> bytes:
    """An answer with another ID than the query."""
    return bytes([wire[0] ^ 0xFF]) + wire[1:]


def other_name(wire: bytes) -> bytes:
    """An answer to a question about another name."""
    return wire.replace(b"\x05other", b"\x05wrong")


#: What a server does with a name, and what is told of it.
MISBEHAVIOUR: dict[str, tuple[dict[str, t.Any], bool, str]] = {
    "another ID": ({"odd": {"other.test": flipped}}, True, "it answered another question"),
    "another name": ({"odd": {"other.test": other_name}}, True, "it answered another question"),
    "a query in place of an answer": (
        {"odd": {"other.test": lambda wire: wire[:2] + bytes([wire[2] & 0x7F]) + wire[3:]}},
        True,
        "it answered another question",
    ),
    "no DNS at all": ({"odd": {"other.test": lambda _wire: b"HTTP/1.1 400 Bad"}}, True, "it gave a malformed answer"),
    "half an answer": ({"odd": {"other.test": lambda wire: wire[:20]}}, True, "it gave a malformed answer"),
    "another address": ({"elsewhere": {"other.test"}}, True, "the answer came from another address"),
    "truncated, TCP refused": (
        {"truncated": {"other.test"}},
        False,
        "its answer over UDP is truncated, and over TCP Connection refused",
    ),
    "truncated, TCP drips": (
        {"truncated": {"other.test"}, "dripping": {"other.test"}},
        True,
        "its answer over UDP is truncated, and over TCP there is none in time",
    ),
    "aliases in a circle": ({}, True, "its aliases lead in a circle or are too many"),
}
CIRCLE = {"other.test": {"CNAME": ["loop.test."]}, "loop.test": {"CNAME": ["other.test."]}}


@pytest.mark.parametrize("case", MISBEHAVIOUR)
def test_server_that_misbehaves_is_told_in_time(case):
    behaviour, tcp, told = MISBEHAVIOUR[case]
    zone = CIRCLE if "circle" in case else {"other.test": {"TXT": ['"x"']}}
    behaviour = {key: frozenset(value) if isinstance(value, set) else value for key, value in behaviour.items()}
    began = time.monotonic()
    with serve(DnsServer(zone, **behaviour), tcp=tcp) as server, pytest.raises(ServerFailure) as caught:
        DnsResolver([server.nameserver], timeout=0.9).query("other.test", "TXT")
    assert str(caught.value) == f"the TXT lookup for other.test failed (127.0.0.1: {told})"
    assert time.monotonic() - began < 2


def test_answer_from_elsewhere_is_ignored_if_the_right_one_follows():
    """A stranger that guesses the port cannot keep the answer away."""
    asked = []

    def second(wire: bytes) -> bytes:
        asked.append(wire)
        return wire if len(asked) > 1 else b"noise"

    with serve(DnsServer({"late.test": {"A": ["192.0.2.1"]}}, odd={"late.test": second})) as server:
        assert DnsResolver([server.nameserver], timeout=2).query("late.test", "A").values == ("192.0.2.1",)


def test_failure_that_passes_is_asked_again():
    rcodes = {"flaky.test": dns.rcode.SERVFAIL}

    def heal(wire: bytes) -> bytes:
        rcodes.clear()
        return wire

    flaky = DnsServer({"flaky.test": {"A": ["192.0.2.1"]}}, rcodes=rcodes, odd={"flaky.test": heal})
    with serve(flaky) as server:
        assert DnsResolver([server.nameserver]).query("flaky.test", "A").values == ("192.0.2.1",)


def test_server_without_edns_is_asked_without_it():
    def old(wire: bytes) -> bytes:
        """FORMERR, as from a server that does not know the OPT record, which ends the query."""
        has_edns = wire[10:12] != b"\0\0"
        return wire[:3] + bytes([wire[3] & 0xF0 | 1]) + wire[4:] if has_edns else wire

    with serve(DnsServer({"old.test": {"A": ["192.0.2.1"]}}, odd={"old.test": old})) as server:
        assert DnsResolver([server.nameserver]).query("old.test", "A").values == ("192.0.2.1",)


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_question_is_sent_again_as_often_as_wanted(retries):
    with serve(DnsServer({}, silent=frozenset({"silent.test"}))) as server:
        with pytest.raises(LookupTimedOut):
            DnsResolver([server.nameserver], timeout=0.4, retries=retries).query("silent.test", "A")
        assert len(server.asked) == retries + 1


def test_large_answers_come_over_tcp():
    """200 MX records, and a TXT record of 64 kB."""
    large = " ".join(f'"{"x" * 250}"' for _number in range(255))
    zone = {"big.test": {"MX": [f"{number} mx{number}.big.test." for number in range(200)], "TXT": [large]}}
    with serve(DnsServer(zone)) as server:
        resolver = DnsResolver([server.nameserver])
        assert len(resolver.query("big.test", "MX").values) == 200
        assert [len(value) for value in resolver.query("big.test", "TXT").values] == [255 * 250]


def test_resolver_says_what_dnssec_proves():
    zone = {name: {"A": ["192.0.2.1"]} for name in ("good.test", "bad.test", "plain.test")}
    with serve(DnsServer(zone, secure=frozenset({"good.test"}), bogus=frozenset({"bad.test"}))) as server:
        resolver = DnsResolver([server.nameserver], retries=0)
        assert resolver.query("good.test", "A").secure
        assert not resolver.query("plain.test", "A").secure
        with pytest.raises(ServerFailure, match="SERVFAIL"):
            resolver.query("bad.test", "A")
        assert resolver.unchecked("bad.test", "A").values == ("192.0.2.1",)


def test_authoritative_server_is_asked_without_recursion():
    zone = {"zone.test": {"SOA": ["ns.zone.test. h.zone.test. 9 1 1 1 1"]}, "a.zone.test": {"A": ["192.0.2.1"]}}
    with serve(DnsServer(zone)) as server:
        resolver = DnsResolver([server.nameserver])
        assert resolver.at("127.0.0.1", "zone.test", "SOA").values == ("ns.zone.test. h.zone.test. 9 1 1 1 1",)
        assert resolver.query("a.zone.test", "MX").zone == "zone.test"
    lame = DnsServer(zone, odd={"zone.test": lambda wire: wire[:2] + bytes([wire[2] & 0xFB]) + wire[3:]})
    with serve(lame) as server, pytest.raises(ServerFailure, match="it is not authoritative for the zone"):
        DnsResolver([server.nameserver]).at("127.0.0.1", "zone.test", "SOA")
