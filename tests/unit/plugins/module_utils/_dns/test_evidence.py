# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records that are returned with the findings."""

from __future__ import annotations

from ansible_collections.mailops.smtp.plugins.module_utils._dns.checks import CHECKS
from ansible_collections.mailops.smtp.plugins.module_utils._dns.dns_errors import LookupTimedOut
from ansible_collections.mailops.smtp.plugins.module_utils._dns.evidence import collect
from ansible_collections.mailops.smtp.plugins.module_utils._dns.mail_system import MailSystem
from ansible_collections.mailops.smtp.plugins.module_utils._dns.names import parse_address
from ansible_collections.mailops.smtp.tests.unit.support.zone_lookup import ZoneLookup

SYSTEM = MailSystem("example.com", "mail.example.com", (parse_address("192.0.2.25"),))


def test_records_of_each_check_are_collected():
    zone = {
        "example.com": {"MX": ["20 b.example.com", "10 mail.example.com"], "TXT": ["other", "v=spf1 mx -all"]},
        "mail.example.com": {"A": ["192.0.2.25"], "AAAA": ["2001:db8::25"]},
        "25.2.0.192.in-addr.arpa": {"PTR": ["mail.example.com"]},
    }
    assert collect(ZoneLookup(zone), SYSTEM, CHECKS) == {
        "a": {"mail.example.com": ["192.0.2.25", "2001:db8::25"]},
        "mx": [
            {"preference": 10, "exchange": "mail.example.com", "addresses": ["192.0.2.25", "2001:db8::25"]},
            {"preference": 20, "exchange": "b.example.com", "addresses": []},
        ],
        "ptr": {"192.0.2.25": ["mail.example.com"]},
        "spf": ["v=spf1 mx -all"],
    }


def test_octets_of_a_text_are_written_as_in_a_zone_file():
    found = collect(ZoneLookup({"example.com": {"TXT": ["v=spf1 a:\u00e2\x80\x8b\\226\0 -all"]}}), SYSTEM, ["spf"])
    assert found == {"spf": [r"v=spf1 a:\226\128\139\\226\000 -all"]}


def test_null_mx_has_an_empty_exchange():
    found = collect(ZoneLookup({"example.com": {"MX": ["0 ."]}}), SYSTEM, ["mx"])
    assert found == {"mx": [{"preference": 0, "exchange": "", "addresses": []}]}


def test_failed_lookups_are_left_out():
    late = {"A": LookupTimedOut, "MX": LookupTimedOut, "TXT": LookupTimedOut, "PTR": LookupTimedOut}
    zone = dict.fromkeys(["example.com", "mail.example.com", "25.2.0.192.in-addr.arpa"], late)
    assert collect(ZoneLookup(zone), SYSTEM, CHECKS) == {"a": {}, "mx": [], "ptr": {}, "spf": []}
