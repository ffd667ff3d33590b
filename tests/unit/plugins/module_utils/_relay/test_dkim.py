# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DKIM: which keys are made, which listeners are signed, and what is refused."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.mailops.smtp.tests.unit.support.relay_plans import LOGINS, plan, problems_of

ROLE = Path(__file__).resolve().parents[5] / "roles/relay"
MILTER = "unix:/run/relay-dkim/milter.sock"
TABLE = "cidr:/etc/postfix/relay_signed_clients"
ONE = {"domain": "example.com", "selectors": ["r1"]}


def signed(**options: t.Any) -> dict[str, t.Any]:
    return {"domains": [{**ONE, **options}]}


def test_without_domains_nothing_is_signed() -> None:
    made = plan(dkim={})
    assert made["dkim"] == {}
    assert not [name for name in made["main"] if "milter" in name]


KEYS: list[tuple[dict[str, t.Any], list[str]]] = [
    (ONE, ["example.com/r1.key"]),
    ({**ONE, "selectors": "r1, R2"}, ["example.com/r1.key", "example.com/r2.key"]),
    ({**ONE, "ed25519": True}, ["example.com/r1.key", "example.com/r1-ed.key", "example.com/r1-ed.seed"]),
    ({"domain": "Bücher.example", "selectors": ["a.b"]}, ["xn--bcher-kva.example/a.b.key"]),
    ({"domain": " BÜCHER.Example\t", "selectors": [" R1 "]}, ["xn--bcher-kva.example/r1.key"]),
    ({"domain": "xn--BCHER-kva.example", "selectors": [202611]}, ["xn--bcher-kva.example/202611.key"]),
    ({**ONE, "ed25519": "no"}, ["example.com/r1.key"]),
    ({**ONE, "ed25519": "Yes"}, ["example.com/r1.key", "example.com/r1-ed.key", "example.com/r1-ed.seed"]),
]


@pytest.mark.parametrize(("domain", "expected"), KEYS)
def test_keys_are_built_on_the_host(domain: dict[str, t.Any], expected: list[str]) -> None:
    built = plan(dkim={"domains": [domain]})["dkim"]["build"]
    assert [step["creates"] for step in built] == [f"/etc/relay-dkim/keys/{path}" for path in expected]


def test_only_clients_that_may_send_are_signed() -> None:
    made = plan(**LOGINS, dkim=signed())
    options = {one["line"].split()[0]: one["options"].get("smtpd_milters") for one in made["services"]}
    assert (options["587"], options["25"], made["main"].get("smtpd_milters")) == (MILTER, None, None)
    assert made["main"]["smtpd_milter_maps"] == TABLE
    assert made["main"]["non_smtpd_milters"] == MILTER
    assert made["main"]["milter_default_action"] == "tempfail"
    (table,) = [one for one in made["tables"] if one["path"].endswith("relay_signed_clients")]
    assert f"127.0.0.0/8 {MILTER}" in table["content"].splitlines()


BAD: list[tuple[dict[str, t.Any], str]] = [
    ({"sign": "now"}, "relay_dkim.sign: has no effect without domains"),
    (signed(selectors=[]), "relay_dkim.domains[0].selectors: is empty; expected at least one selector"),
    (signed(selectors=["a_b"]), "relay_dkim.domains[0].selectors: 'a_b' is not a valid selector; expected letters"),
    (signed(selectors=["-a"]), "'-a' is not a valid selector"),
    (signed(selectors=["../x"]), "'../x' is not a valid selector"),
    (signed(selectors=["R 1"]), "'R 1' is not a valid selector"),
    (signed(selectors=["r1-ed"]), "r1-ed ends in -ed, as those of Ed25519 keys do"),
    (signed(selectors=["R1-ED"]), "R1-ED ends in -ed, as those of Ed25519 keys do"),
    (signed(selectors=["r1", "r1"]), "r1 is listed more than once; expected each once, newest last"),
    (signed(domain="not a domain"), "relay_dkim.domains[0].domain: 'not a domain' is not a valid domain"),
    (signed(selectors=["_a"]), "'_a' is not a valid selector"),
    (signed(selectors=[".a"]), "'.a' is not a valid selector"),
    (signed(selectors=["a."]), "'a.' is not a valid selector"),
    (signed(selectors=["r1._domainkey"]), "'r1._domainkey' is not a valid selector"),
    (signed(selectors=["a" * 64]), "is not a valid selector"),
    (signed(selectors=["r1", "R1"]), "r1 is listed more than once; expected each once, newest last"),
    (signed(selectors=["ä"]), "'ä' is not a valid selector"),
    (signed(domain="example.com."), "'example.com.' is not a valid domain; expected a name such as example.com"),
    (signed(domain="com"), "'com' is not a valid domain"),
    (signed(domain="*.example.com"), "'*.example.com' is not a valid domain"),
    (signed(domain="x@example.com"), "'x@example.com' is not a valid domain"),
    (signed(domain="192.0.2.1"), "'192.0.2.1' is not a valid domain"),
    (signed(domain=""), "'' is not a valid domain"),
    ({"domains": [], "sign": "when_published"}, "relay_dkim.sign: has no effect without domains"),
    ({"domains": [ONE, ONE]}, "relay_dkim.domains: example.com is listed more than once; expected one entry"),
    ({"domains": [ONE, {**ONE, "domain": "EXAMPLE.COM"}]}, "example.com is listed more than once"),
    ({"domains": [{**ONE, "domain": "ä.test"}, {**ONE, "domain": "xn--4ca.test"}]}, "xn--4ca.test is listed more"),
    ({**signed(), "nameservers": ["ns.example.com"]}, "'ns.example.com' is not an IP address; expected one such"),
    ({**signed(), "nameservers": ["192.0.2.53:53"]}, "'192.0.2.53:53' is not an IP address"),
]


@pytest.mark.parametrize(("dkim", "expected"), BAD)
def test_what_is_refused(dkim: dict[str, t.Any], expected: str) -> None:
    problems = problems_of(dkim=dkim)
    assert any(expected in one for one in problems), problems


#: Options as a user may write them, and what is said of their shape.
MISSHAPEN: list[tuple[t.Any, str]] = [
    ([ONE], "relay_dkim: is a list; expected a dictionary"),
    ({"domains": ["example.com"]}, "relay_dkim.domains[0]: is"),
    ({"domains": "example.com"}, "relay_dkim.domains: is"),
    ({"domains": [{"domain": "example.com"}]}, "relay_dkim.domains[0].selectors: is missing; expected a value"),
    ({"domains": [{**ONE, "selector": "r1"}]}, "relay_dkim.domains[0].selector: is not an option; expected selectors"),
    (signed(ed25519="maybe"), "relay_dkim.domains[0].ed25519: 'maybe' is not valid"),
    ({**signed(), "sign": "Now"}, "relay_dkim.sign: 'Now' is not valid"),
    ({**signed(), "sign": True}, "relay_dkim.sign"),
]


@pytest.mark.parametrize(("dkim", "expected"), MISSHAPEN)
def test_another_shape_is_refused(dkim: t.Any, expected: str) -> None:
    spec = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    problems = problems_of(dkim=dkim, spec=spec)
    assert any(expected in one for one in problems), problems


PASS = ""
UPSTREAM = {"host": "smtp.p.test", "sender": "noreply@example.com"}
DIRECT = {"senders": ["@example.com"], "direct": True}
#: Variables beside relay_dkim, and what is refused.
LATER: list[tuple[dict[str, t.Any], str]] = [
    ({"rewrites": {"generic": {"root@host.example.com": "ops@example.com"}}}, PASS),
    ({"rewrites": {"generic": {"x@example.com": "X@Example.com"}}}, PASS),
    ({"rewrites": {"generic": {"x@Example.com": "y@example.com"}}}, "relay_rewrites.generic: replaces x@example.com"),
    ({"rewrites": {"generic": {"@example.com": "@example.org"}}}, "relay_rewrites.generic: replaces @example.com"),
    ({"rewrites": {"sender_canonical": {"@example.com": "y@example.com"}}}, PASS),
    ({"upstream": UPSTREAM}, "relay_upstream.sender: replaces @example.com in From after the mail is signed"),
    ({"upstream": UPSTREAM, "routes": [DIRECT]}, PASS),
    ({"routes": [{"senders": ["a@example.org"], "upstream": UPSTREAM}]}, PASS),
    ({"routes": [{"senders": ["noreply@example.com"], "upstream": UPSTREAM}]}, PASS),
    (
        {"routes": [DIRECT, {"senders": ["a@example.org", "b@example.com"], "upstream": UPSTREAM}]},
        "relay_routes[1].upstream.sender: replaces b@example.com",
    ),
    ({"settings": {"non_smtpd_milters": "inet:127.0.0.1:11332"}}, "relay_settings.non_smtpd_milters: takes the place"),
    ({"settings": {"non_smtpd_milters": f"inet:127.0.0.1:11332, {MILTER}"}}, PASS),
    ({"settings": {"non_smtpd_milters": TABLE}}, f"would leave unsigned; expected {MILTER} in it as well"),
    ({"settings": {"smtpd_milter_maps": "cidr:/etc/postfix/own"}}, f"would leave unsigned; expected {TABLE} in it"),
    ({"settings": {"smtpd_milter_maps": MILTER}}, "relay_settings.smtpd_milter_maps: takes the place"),
    ({"settings": {"smtpd_milter_maps": f"cidr:/etc/postfix/own, {TABLE}"}}, PASS),
    ({"settings": {"smtpd_milters": "inet:127.0.0.1:11332"}}, PASS),
    (
        {"settings": {"milter_default_action": "accept"}},
        "relay_settings.milter_default_action: is accept, so that mail",
    ),
    ({"settings": {"milter_default_action": "reject"}}, PASS),
    ({"settings": {"disable_mime_output_conversion": "no"}}, "is no, so that 8-bit mail would be converted"),
    ({"settings": {"disable_mime_output_conversion": "yes"}}, PASS),
]


@pytest.mark.parametrize(("variables", "expected"), LATER)
def test_what_breaks_or_replaces_signatures_is_refused(variables: dict[str, t.Any], expected: str) -> None:
    problems = problems_of(dkim=signed(), **variables)
    assert (expected in problems[0]) if expected else not problems, problems
    assert not problems_of(**variables)
