# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DKIM: which keys are made, which listeners are signed, and what is refused."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.unit.support.relay_plans import LOGINS, plan, problems_of

MILTER = "unix:/run/relay-dkim/milter.sock"
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
]


@pytest.mark.parametrize(("domain", "expected"), KEYS)
def test_keys_are_built_on_the_host(domain: dict[str, t.Any], expected: list[str]) -> None:
    built = plan(dkim={"domains": [domain]})["dkim"]["build"]
    assert [step["creates"] for step in built] == [f"/etc/relay-dkim/keys/{path}" for path in expected]


def test_only_clients_that_may_send_are_signed() -> None:
    made = plan(**LOGINS, dkim=signed())
    options = {one["line"].split()[0]: one["options"].get("smtpd_milters") for one in made["services"]}
    assert (options["587"], options["25"], made["main"].get("smtpd_milters")) == (MILTER, None, None)
    assert made["main"]["smtpd_milter_maps"] == "cidr:/etc/postfix/relay_signed_clients"
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
    (signed(selectors=["r1-ed"]), "r1-ed ends in -ed, as those of Ed25519 keys do"),
    (signed(selectors=["r1", "r1"]), "r1 is listed more than once; expected each once, newest last"),
    (signed(domain="not a domain"), "relay_dkim.domains[0].domain: 'not a domain' is not a valid domain"),
    ({"domains": [ONE, ONE]}, "relay_dkim.domains: example.com is listed more than once; expected one entry"),
    ({**signed(), "nameservers": ["ns.example.com"]}, "'ns.example.com' is not an IP address; expected one such"),
]


@pytest.mark.parametrize(("dkim", "expected"), BAD)
def test_what_is_refused(dkim: dict[str, t.Any], expected: str) -> None:
    problems = problems_of(dkim=dkim)
    assert any(expected in one for one in problems), problems
