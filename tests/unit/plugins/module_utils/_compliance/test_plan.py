# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked about a host, from the variables of the roles and what the host says of itself."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.case import DeclaredListener
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.plan import make_plan
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host import HostFacts
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_config import Instance, Service
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_files import DkimKey
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_network import Egress

ACCOUNT = {"username": "app@sender.test", "other_sender": "boss@sender.test"}
PARAMETERS = {
    "inet_interfaces": "all",
    "myhostname": "relay.sender.test",
    "myorigin": "sender.test",
    "smtpd_tls_security_level": "may",
}


def service(name, **parameters):
    return Service(name, "inet", "n", "-", "n", "-", "-", "smtpd", parameters=parameters)


SERVICES = (
    service("smtp"),
    service("submission", smtpd_tls_security_level="encrypt", smtpd_sasl_auth_enable="yes"),
    service("0.0.0.0:465", smtpd_tls_wrappermode="yes", smtpd_sasl_auth_enable="yes"),
    service("127.0.0.1:10025"),
)
INSTANCE = Instance("", "", True, "/etc/postfix", "3.7", PARAMETERS, (), SERVICES)
FACTS = HostFacts(config=(INSTANCE,))


def plan(facts=FACTS, **variables):
    return make_plan({"inventory_hostname": "relay", **variables}, facts, "nonce")


LISTENERS = [
    pytest.param(
        {}, FACTS, [(25, "opportunistic", False), (465, "implicit", True), (587, "starttls", True)], id="host"
    ),
    pytest.param(
        {},
        None,
        [(25, "opportunistic", False), (465, "implicit", True), (587, "starttls", True)],
        id="nothing is known",
    ),
    pytest.param({}, HostFacts(config=()), [], id="no Postfix"),
    pytest.param({"relay_listeners": []}, None, [], id="null client"),
    pytest.param({"relay_listeners": [{"port": 2525}]}, None, [(2525, "starttls", True)], id="declared, host is down"),
    pytest.param(
        {"compliance_listeners": [{"port": "587", "login": "no"}]},
        FACTS,
        [(25, "opportunistic", False), (465, "implicit", True), (587, "starttls", False)],
        id="what is declared counts, and what is not is asked as well",
    ),
]


@pytest.mark.parametrize(("variables", "facts", "expected"), LISTENERS)
def test_ports_that_are_asked(variables, facts, expected):
    found = plan(facts, **variables)
    assert [(one.port, one.tls, one.login) for one in found.listeners] == expected
    assert [one.port for one in found.smtp] == [port for port, _tls, _login in expected]


def test_each_vantage_asks_each_port_and_the_first_one_logs_in():
    found = plan(compliance_vantages=["out", "far"], compliance_accounts=[ACCOUNT], compliance_recipient="me@else.test")
    strangers = [(one.vantage, one.port) for one in found.smtp if one.account is None]
    assert strangers == [(vantage, port) for vantage in ("out", "far") for port in (25, 465, 587)]
    logins = [(one.vantage, one.port, one.attempt, one.sender) for one in found.smtp if one.account is not None]
    assert logins == [
        ("out", port, attempt, sender)
        for port in (465, 587)
        for attempt, sender in (("right", "app@sender.test"), ("sender of another", "boss@sender.test"))
    ]


@pytest.mark.parametrize(
    ("recipient", "port", "expected"),
    [
        ("me@else.test", 25, ("postmaster@sender.test", "", ("relay", "tls"))),
        ("me@else.test", 587, ("me@else.test", "", ("relay", "tls"))),
        ("", 587, ("postmaster@sender.test", "", ("tls",))),
    ],
    ids=["a port for strangers", "a port with a login", "no address elsewhere"],
)
def test_what_a_stranger_asks(recipient, port, expected):
    probes = ["relay", "login_replies", "tls"]
    found = plan(compliance_recipient=recipient, compliance_probes=probes).smtp
    assert [(one.recipient, one.attempt, one.probes) for one in found if one.port == port] == [expected]


def test_wrong_logins_are_tried_for_one_account_alone():
    accounts = [ACCOUNT, {"username": "second"}]
    found = plan(compliance_accounts=accounts, compliance_probes=["login_replies"]).smtp
    assert [one.account for one in found if "login_replies" in one.probes] == [0, 0]


LETTERS = [
    ({}, []),
    ({"compliance_recipient": "me@else.test"}, [(25, "postmaster@sender.test", True)]),
    (
        {"compliance_recipient": "me@else.test", "compliance_accounts": [{"username": "robot"}, ACCOUNT]},
        [(465, "app@sender.test", False), (587, "app@sender.test", False)],
    ),
]


@pytest.mark.parametrize(("variables", "expected"), LETTERS, ids=["no recipient", "no account", "an account"])
def test_messages_that_are_sent(variables, expected):
    found = plan(**variables).letters
    assert [(one.port, one.sender, one.local) for one in found] == expected
    assert len({one.nonce for one in found}) == len(found)


SIGNS = dataclasses.replace(
    FACTS,
    dkim=tuple(
        DkimKey("rspamd", f"/{number}", domain, f"s{number}")
        for number, domain in enumerate(("b.test", "C.test", "a.test", "b.test", ""))
    ),
)
DOMAINS = [
    ({"compliance_domains": ["a.test", "b.test"], "relay_domain": "c.test"}, FACTS, ["a.test", "b.test"]),
    ({"relay_domain": "c.test"}, FACTS, ["c.test"]),
    ({}, FACTS, ["sender.test"]),
    ({"relay_domain": "c.test"}, SIGNS, ["c.test", "b.test", "a.test"]),
    ({"compliance_domains": ["d.test"]}, SIGNS, ["d.test"]),
    ({"inventory_hostname": "relay.example.com"}, None, ["example.com"]),
    ({"inventory_hostname": "192.0.2.1"}, None, []),
    ({"inventory_hostname": "relay1"}, None, []),
]


@pytest.mark.parametrize(("variables", "facts", "expected"), DOMAINS)
def test_domains_that_are_looked_up(variables, facts, expected):
    assert [one.domain for one in plan(facts, **variables).dns] == expected


def test_what_the_dns_is_asked_comes_from_the_host():
    egress = [Egress("", "smtp", 4, one, "routes", False, "helo.sender.test") for one in ("192.0.2.1", "127.0.0.1")]
    keys = (
        DkimKey("opendkim", "/k", "sender.test", "s1", public_key="MII"),
        DkimKey("opendkim", "/l", "other.test", "s2", public_key="MII"),
    )
    instance = dataclasses.replace(INSTANCE, parameters={**PARAMETERS, "relayhost": "[smtp.up.test]:587"})
    facts = HostFacts(config=(instance,), egress=tuple(egress), dkim=keys)
    found = plan(facts, compliance_dkim=[{"selector": "s9"}, {"selector": "s8", "domain": "x.test"}]).dns[0]
    assert found.hostname == "helo.sender.test"
    assert found.addresses == ("192.0.2.1",)
    assert found.via == ("smtp.up.test",)
    assert found.dkim == ({"selector": "s1", "domain": "sender.test", "public_key": "MII"}, {"selector": "s9"})


def test_plan_holds_no_password():
    found = plan(compliance_accounts=[{**ACCOUNT, "password": "hunter2"}], compliance_recipient="me@else.test")
    assert "hunter2" not in str(found.to_dict())


def test_listener_is_that_of_the_judge():
    assert isinstance(plan().listeners[0], DeclaredListener)
