# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lookup tables: their lines, and the parameters that refer to them."""

from __future__ import annotations

from ansible_collections.mailops.smtp.tests.unit.support.relay_plans import (
    MX,
    plan,
    service,
    table,
)


def test_mx_lists_recipients_or_asks_the_next_server() -> None:
    """Listed recipients are in a table, the next server is asked about others, and postscreen(8) has port 25."""
    domains = [
        {"name": "A.test", "to": {"host": "mx.a.test"}, "recipients": ["x", "Y@a.test"]},
        {"name": "b.test", "to": {"host": "mx.a.test"}},
        {"name": "c.test"},
    ]
    made = plan(**MX, domains=domains)
    assert made["main"]["relay_domains"] == "a.test, b.test, c.test"
    assert table(made, "relay_recipients") == ["x@a.test ok", "y@a.test ok", "@b.test ok", "@c.test ok"]
    assert table(made, "relay_probed") == ["b.test reject_unverified_recipient", "c.test reject_unverified_recipient"]
    assert table(made, "relay_transports") == [
        "a.test to-mx-a-test-25:[mx.a.test]:25",
        "b.test to-mx-a-test-25:[mx.a.test]:25",
    ]
    assert service(made, "to-mx-a-test-25")["smtp_tls_security_level"] == "may"
    lines = [one["line"] for one in made["services"]]
    assert "25 inet n - n - 1 postscreen" in lines
    assert "smtpd pass - - n - - smtpd" in lines
    assert made["main"]["postscreen_cache_map"] == "lmdb:$data_directory/relay/postscreen_cache"
    assert made["main"]["smtpd_recipient_restrictions"].split(", ") == [
        "permit_mynetworks",
        "permit_sasl_authenticated",
        "check_recipient_access texthash:/etc/postfix/relay_probed",
    ]


def test_each_rewrite_has_a_table() -> None:
    rewrites = {
        "generic": {"root@host.local.test": "ops@a.test"},
        "canonical": {"@old.test": "@a.test"},
        "virtual": {"sales@a.test": ["x@b.test", "y@b.test"]},
        "masquerade": ["a.test"],
        "header_checks": [{"match": "^X-Path: a/b\\/c", "action": "IGNORE"}],
    }
    made = plan(rewrites=rewrites)
    assert made["main"]["smtp_generic_maps"] == "texthash:/etc/postfix/relay_generic"
    assert made["main"]["header_checks"] == "regexp:/etc/postfix/relay_header_checks"
    assert made["main"]["masquerade_domains"] == "a.test"
    assert table(made, "relay_generic") == ["root@host.local.test ops@a.test"]
    assert "@old.test @a.test" in table(made, "relay_canonical")
    assert table(made, "relay_aliases")[-1] == "sales@a.test x@b.test, y@b.test"
    assert table(made, "relay_header_checks") == ["%^X-Path: a/b\\/c% IGNORE"]
