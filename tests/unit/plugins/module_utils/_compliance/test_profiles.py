# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which profiles a host has, by what was declared or seen."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.case import Case, Declared, Target
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.case import DeclaredListener as Port
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.judge import judge
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.profiles import choose
from ansible_collections.mailops.smtp.plugins.module_utils._controls.control import Profile
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_network import Listener
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.smtp import EhloFacts
from ansible_collections.mailops.smtp.tests.unit.support import cases

NULL, SUBMISSION, OUTBOUND, MX = Profile
LOCAL = (Listener("127.0.0.1", 25, True, "master", None), Listener("::1", 25, False, "master", None))
SMTP = cases.service("smtp")
LOGIN = cases.service("submission", smtpd_sasl_auth_enable="yes")
OTHER = cases.dns({"example.test": {"MX": ["10 mx.provider.test"]}, "mx.provider.test": {"A": ["192.0.2.7"]}})


def host(*services, listeners=cases.FACTS.listeners, **parameters):
    """A host with these services and parameters."""
    values = {**cases.PARAMETERS, **parameters}
    instance = dataclasses.replace(cases.INSTANCE, parameters=values, own=tuple(values), services=services)
    return cases.host(config=(instance,), listeners=listeners)


def offers(*mechanisms):
    ehlo = EhloFacts(cases.answer(250, "mail.example.test"), {}, mechanisms)
    return cases.smtp(ehlo=ehlo)


#: What is declared, the evidence, and the profiles.
CASES = {
    "declared: no listener": (Declared(listeners=()), [cases.host()], (NULL,)),
    "declared: networks": (Declared(listeners=(Port(25, login=False),)), [], (OUTBOUND,)),
    "declared: logins": (Declared(listeners=(Port(25, login=False), Port(587))), [], (SUBMISSION,)),
    "declared: domains": (Declared(listeners=(Port(25, login=False),), relay_domains=("a.test",)), [], (MX,)),
    "declared: both": (Declared(listeners=(Port(587),), relay_domains=("a.test",)), [], (SUBMISSION, MX)),
    "loopback-only": (Declared(), [host(SMTP, inet_interfaces="loopback-only")], (NULL,)),
    "loopback in the entry": (Declared(), [host(cases.service("127.0.0.1:smtp"))], (NULL,)),
    "loopback by its sockets": (Declared(), [host(SMTP, listeners=LOCAL)], (NULL,)),
    "no service": (Declared(), [host()], (NULL,)),
    "no login": (Declared(), [host(SMTP)], (OUTBOUND,)),
    "a login": (Declared(), [host(SMTP, LOGIN)], (SUBMISSION,)),
    "a login at port 25": (Declared(), [host(SMTP, smtpd_sasl_auth_enable="yes")], (SUBMISSION,)),
    "domains of others": (Declared(), [host(SMTP, relay_domains="a.test")], (MX,)),
    "an MX record": (Declared(), [host(SMTP), cases.DNS], (MX,)),
    "an MX record of another": (Declared(), [host(SMTP), OTHER], (OUTBOUND,)),
    "a login and an MX record": (Declared(), [host(SMTP, LOGIN), cases.DNS], (SUBMISSION, MX)),
    "over SMTP: no login": (Declared(), [offers()], (OUTBOUND,)),
    "over SMTP: a login": (Declared(), [offers("PLAIN")], (SUBMISSION,)),
    "over SMTP: an MX record": (Declared(), [offers(), cases.DNS], (MX,)),
    "nothing": (Declared(), [], (OUTBOUND,)),
    "a configuration that is not known": (Declared(), [cases.host(config=None)], (OUTBOUND,)),
}


@pytest.mark.parametrize("case", CASES)
def test_the_profiles_follow_from_the_evidence(case):
    declared, evidence, expected = CASES[case]
    profiles, reason = choose(Case(Target("mail", declared=declared), evidence))
    assert profiles == expected
    assert reason.endswith(".")


def test_a_profile_that_is_named_decides():
    found = judge([cases.host()], Target("mail", profiles=(MX,)))
    assert (found.profiles, found.reason) == ((MX,), "The profile was named.")
