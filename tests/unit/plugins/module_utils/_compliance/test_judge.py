# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each control of the DNS and of the host, judged from evidence: passed, failed, unknown, not asked, not applicable.

Covers judge.py, case.py, judge_dns.py, judge_joined.py, judge_host.py, judge_firewall.py and judge_keys.py.
"""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._compliance import (
    judge_dns,
    judge_host,
    judge_joined,
    judge_keys,
)
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.judge import JUDGES, judge
from ansible_collections.mailops.smtp.plugins.module_utils._controls.catalogue import CATALOGUE, CONTROLS
from ansible_collections.mailops.smtp.plugins.module_utils._controls.control import EvidenceKind, Profile
from ansible_collections.mailops.smtp.plugins.module_utils._dns.dns_errors import LookupTimedOut
from ansible_collections.mailops.smtp.plugins.module_utils._dns.names import parse_address
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.dns_trust import DnssecState
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import Evidence, Vantage
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host import HostFacts
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_files import ManagedFile
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_mail import Alias, Target
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_network import Egress, Listener
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_system import (
    MailServer,
    Unit,
    Update,
)
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.smtp import EhloFacts, Reach, ReachFacts
from ansible_collections.mailops.smtp.tests.unit.support import cases
from ansible_collections.mailops.smtp.tests.unit.support.cases import FACTS, INSTANCE, KEY, TARGET, judged, statuses

#: The controls of these files.
MINE = {**judge_dns.JUDGES, **judge_joined.JUDGES, **judge_host.JUDGES, **judge_keys.JUDGES}


PERMISSION = "It cannot be read: Permission denied. Set become: true."


def everything(**changed: Evidence[t.Any]) -> list[Evidence[t.Any]]:
    """Evidence of all kinds, without faults but for what is given by its kind."""
    found = {"dns": cases.DNS, "host": cases.host(), "smtp": cases.smtp(), "submission": cases.smtp(587), **changed}
    return list(found.values())


def dns(zone: dict[str, t.Any] | None = None, **system: t.Any) -> list[Evidence[t.Any]]:
    return everything(dns=cases.dns(zone, **system))


def host(unknown: dict[str, str] | None = None, **facts: t.Any) -> list[Evidence[t.Any]]:
    return everything(host=cases.host(unknown, **facts))


def smtp(unknown: dict[str, str] | None = None, **facts: t.Any) -> list[Evidence[t.Any]]:
    return everything(smtp=cases.smtp(25, unknown, **facts))


def config(*services: t.Any, **parameters: str) -> list[Evidence[t.Any]]:
    """The host with these parameters of main.cf, and these services in place of those of the same name and type."""
    kept = {(one.name, one.type): one for one in (*cases.SERVICES, *services)}
    changed = dataclasses.replace(
        INSTANCE, parameters={**cases.PARAMETERS, **parameters}, services=tuple(kept.values())
    )
    return host(config=(changed,))


def files(**changes: t.Any) -> t.Callable[[str], list[Evidence[t.Any]]]:
    """A maker of evidence in which the file at a path is another."""

    def make(path: str) -> list[Evidence[t.Any]]:
        return host(
            files=tuple(dataclasses.replace(one, **changes) if one.path == path else one for one in FACTS.files)
        )

    return make


def listeners(*more: Listener, without: tuple[t.Any, ...] = ()) -> list[Evidence[t.Any]]:
    kept = [one for one in FACTS.listeners if (one.address, one.port) not in without and one.port not in without]
    return host(listeners=(*kept, *more))


def firewall(*ports: t.Any) -> list[Evidence[t.Any]]:
    """The rules with these ports in place of the same ones."""
    kept = {(one.port, one.ip_version): one for one in (*cases.PORTS, *ports)}
    return host(firewall=dataclasses.replace(FACTS.firewall, ports=tuple(kept.values())))


def certificate(**changes: str) -> list[Evidence[t.Any]]:
    shown = dataclasses.replace(FACTS.certificates[0], chain=(dataclasses.replace(cases.LEAF, **changes),))
    return host(certificates=(shown,))


def shown(**changes: t.Any) -> list[Evidence[t.Any]]:
    return smtp(tls=cases.tls(dataclasses.replace(cases.LEAF, **changes)))


def aliases(name: str, *targets: Target, loops: tuple[str, ...] = ()) -> list[Evidence[t.Any]]:
    kept = tuple(one for one in FACTS.aliases if one.name != name)
    return host(aliases=(*kept, Alias("", name, True, targets, loops)))


def managed(state: str | None, mode: str | None = "0644") -> list[Evidence[t.Any]]:
    path = "/etc/postfix/master.cf"
    unknown = {} if state else {f"managed.{path}": PERMISSION}
    return host(unknown, managed=(*FACTS.managed, ManagedFile(path, "relay", state, "0644", mode)))


OTHER_V4 = "192.0.2.99"
LOGIN = {"smtp_sasl_auth_enable": "yes"}

#: A defect: the evidence with it, and the controls that it fails.
DEFECTS: dict[str, tuple[list[Evidence[t.Any]], set[str]]] = {
    "MX is an alias": (
        dns({"example.test": {"MX": ["10 www.example.test"]}, "www.example.test": {"CNAME": [cases.HOST]}}),
        {"MR-DNS-01", "MR-STS-01"},
    ),
    "a parked domain without SPF": (
        dns({"example.test": {"MX": ["0 ."], "TXT": []}}, addresses=()),
        {"MR-DNS-02", "MR-SPF-01", "MR-DMARC-03"},
    ),
    "no reverse name": (dns({cases.REVERSE4: {}}), {"MR-DNS-03"}),
    "a reverse name that leads elsewhere": (
        dns({cases.REVERSE4: {"PTR": ["other.example.test"]}, "other.example.test": {"A": ["192.0.2.7"]}}),
        {"MR-DNS-03"},
    ),
    "the reverse name is another": (
        dns({cases.REVERSE4: {"PTR": ["other.example.test"]}, "other.example.test": {"A": [cases.V4]}}),
        {"MR-DNS-04"},
    ),
    "Postfix gives another EHLO name": (
        host(egress=(Egress("", "smtp", 4, cases.V4, "routes", False, "localhost.localdomain"),)),
        {"MR-DNS-04"},
    ),
    "another name in the greeting": (smtp(greeting=cases.answer(220, "old.example.test ESMTP")), {"MR-DNS-05"}),
    "a certificate for another name": (shown(names=("old.example.test",)), {"MR-DNS-05"}),
    "no listener over IPv6": (listeners(without=(("::", 25), ("::", 587))), {"MR-DNS-06"}),
    "DNSSEC is not used": (
        dns({"example.test": {"UNCHECKED": []}}),
        set(),
    ),
    "listed": (dns({"25.2.0.192.list.test": {"A": ["127.0.0.4"]}}), {"MR-DNS-09"}),
    "CAA allows another authority": (dns({"example.test": {"CAA": ['0 issue "other.test"']}}), {"MR-DNS-10"}),
    "two SPF records": (
        dns({"example.test": {"TXT": ["v=spf1 mx -all", "v=spf1 a -all"]}}),
        {"MR-SPF-01", "MR-SPF-02"},
    ),
    "SPF does not list the address": (
        dns({"example.test": {"TXT": [f"v=spf1 ip6:{cases.V6} -all"]}}),
        {"MR-SPF-02"},
    ),
    "Postfix binds to another address": (
        host(egress=(Egress("", "smtp", 4, OTHER_V4, "smtp_bind_address", True, cases.HOST),)),
        {"MR-SPF-02"},
    ),
    "SPF needs too many lookups": (
        dns({"example.test": {"TXT": ["v=spf1 mx " + "a:mail.example.test " * 11 + "-all"]}}),
        {"MR-SPF-03", "MR-SPF-04"},
    ),
    "SPF with +all": (dns({"example.test": {"TXT": ["v=spf1 mx +all"]}}), {"MR-SPF-04"}),
    "no SPF of the EHLO name": (dns({cases.HOST: {"TXT": []}}), {"MR-SPF-05"}),
    "no DKIM key": (dns({"s1._domainkey.example.test": {}}), {"MR-DKIM-01"}),
    "a DKIM key in test mode": (
        dns({"s1._domainkey.example.test": {"TXT": [f"v=DKIM1; t=y; p={cases.PUBLIC_KEY}"]}}),
        {"MR-DKIM-01"},
    ),
    "another DKIM key in the DNS": (
        dns({"s1._domainkey.example.test": {"TXT": [f"v=DKIM1; p={cases.OTHER_KEY}"]}}),
        {"MR-DKIM-02"},
    ),
    "another DKIM key on the host": (
        host(dkim=(dataclasses.replace(KEY, spki_sha256=cases.digest(cases.OTHER_KEY)),)),
        {"MR-DKIM-02"},
    ),
    "a short DKIM key": (
        [
            *dns({"s1._domainkey.example.test": {"TXT": [f"v=DKIM1; p={(SHORT := cases.published(1024))}"]}})[:1],
            cases.host(dkim=(dataclasses.replace(KEY, spki_sha256=cases.digest(SHORT)),)),
        ],
        {"MR-DKIM-03"},
    ),
    "a DKIM key that all can read": (files(mode="0644")(cases.DKIM_FILE), {"MR-DKIM-04"}),
    "a DKIM key that a group can read": (files(mode="0640", group="users")(cases.DKIM_FILE), {"MR-DKIM-04"}),
    "a DKIM key of another user": (files(owner="www-data")(cases.DKIM_FILE), {"MR-DKIM-04"}),
    "an old DKIM key": (files(changed_at="2024-01-01T00:00:00Z")(cases.DKIM_FILE), {"MR-DKIM-06"}),
    "no DMARC record": (dns({"_dmarc.example.test": {}}), {"MR-DMARC-01"}),
    "DMARC with p=none": (
        dns({"_dmarc.example.test": {"TXT": ["v=DMARC1; p=none; rua=mailto:a@example.test"]}}),
        {"MR-DMARC-02"},
    ),
    "DMARC without reports": (dns({"_dmarc.example.test": {"TXT": ["v=DMARC1; p=reject"]}}), {"MR-DMARC-03"}),
    "DMARC with pct": (
        dns({"_dmarc.example.test": {"TXT": ["v=DMARC1; p=reject; pct=50; rua=mailto:a@example.test"]}}),
        {"MR-DMARC-05"},
    ),
    "MTA-STS does not list the MX": (
        dns({"example.test": {"MX": ["10 mail.example.test", "20 ns1.example.test"]}}),
        {"MR-STS-01"},
    ),
    "no TLS reports": (dns({"_smtp._tls.example.test": {}}), {"MR-STS-02"}),
    "TLSA of a usage that is not used": (
        dns({"_25._tcp.mail.example.test": {"TLSA": [f"1 1 1 {cases.SPKI}"]}}),
        {"MR-DANE-01"},
    ),
    "TLSA of another certificate": (
        dns({"_25._tcp.mail.example.test": {"TLSA": [f"3 1 1 {'0' * 64}"]}}),
        {"MR-DANE-02"},
    ),
    "another certificate is shown": (shown(spki_sha256="1" * 64), {"MR-DANE-02"}),
    "another certificate on the host": (certificate(spki_sha256="1" * 64), {"MR-DANE-02"}),
    "opportunistic TLS": (config(smtp_tls_security_level="may"), {"MR-DANE-03"}),
    "DANE without DNSSEC": (config(smtp_dns_support_level="enabled"), {"MR-DANE-03"}),
    "a certificate that expires": (certificate(not_after="2026-03-05T00:00:00Z"), {"MR-TLS-05"}),
    "a certificate that has expired is shown": (shown(not_after="2026-02-01T00:00:00Z"), {"MR-TLS-05"}),
    "a certificate that is not valid yet": (shown(not_before="2026-04-01T00:00:00Z"), {"MR-TLS-05"}),
    "a certificate of 64 days that was not renewed": (
        certificate(not_before="2026-01-12T00:00:00Z", not_after="2026-03-16T00:00:00Z"),
        {"MR-TLS-05"},
    ),
    "a TLS key that all can read": (files(mode="0604")(cases.KEY_FILE), {"MR-TLS-08"}),
    "a TLS key that a group can read": (files(mode="0640", group="ssl-cert")(cases.KEY_FILE), {"MR-TLS-08"}),
    "a TLS key of another user": (files(owner="postfix")(cases.KEY_FILE), {"MR-TLS-08"}),
    "a port more": (listeners(Listener("::", 465, True, "master", None)), {"MR-HOST-01"}),
    "Postfix at a port of its own": (listeners(Listener("::", 10025, True, "master", None)), {"MR-HOST-01"}),
    "a port less": (listeners(without=(587,)), {"MR-HOST-01"}),
    "a port that all may reach": (firewall(cases.access(587, 4)), {"MR-HOST-02"}),
    "a port that all may reach over IPv6": (firewall(cases.access(587, 6)), {"MR-HOST-02"}),
    "a port that another network may reach": (
        firewall(cases.access(587, 4, "drop", accepts=(cases.NETWORK, "203.0.113.0/24"))),
        {"MR-HOST-02"},
    ),
    "a port that none may reach": (firewall(cases.access(25, 4, "drop")), {"MR-HOST-02"}),
    "a port that its network may not reach": (firewall(cases.access(587, 4, "drop")), {"MR-HOST-02"}),
    "a port that is filtered on the way": (
        smtp(connections=(ReachFacts(cases.V4, 25, Reach.FILTERED, "198.51.100.7"),)),
        {"MR-HOST-02"},
    ),
    "a port that an outsider reaches": (
        [
            *everything(),
            cases.smtp(587, connections=(ReachFacts(cases.V4, 587, Reach.OPEN, "203.0.113.7"),)),
        ],
        {"MR-HOST-02"},
    ),
    "Postfix is stopped": (
        host(units=(Unit("postfix.service", "enabled", "inactive", "dead", None),)),
        {"MR-HOST-03"},
    ),
    "Postfix is disabled": (
        host(units=(Unit("postfix.service", "disabled", "active", "running", None),)),
        {"MR-HOST-03"},
    ),
    "an instance has failed": (
        host(units=(*FACTS.units, Unit("postfix@-.service", "static", "failed", "failed", None))),
        {"MR-HOST-03"},
    ),
    "Postfix complains": (
        host(config=(dataclasses.replace(INSTANCE, complaints=("unused parameter: foo=bar",)),)),
        {"MR-HOST-03"},
    ),
    "Exim runs": (
        host(mail_servers=(MailServer("Exim", "/usr/sbin/exim4", "exim4-daemon-light", True),)),
        {"MR-HOST-03"},
    ),
    "a security update": (
        host(packages=dataclasses.replace(FACTS.packages, updates=(Update("postfix", "3.7.12", True),))),
        {"MR-HOST-03"},
    ),
    "passwords that all can read": (files(mode="0644")(cases.PASSWORD_FILE), {"MR-HOST-04"}),
    "passwords that a group can read": (files(mode="0640", group="postfix")(cases.PASSWORD_FILE), {"MR-HOST-04"}),
    "a login without TLS": (
        config(cases.service("upstream", "unix", "smtp", **LOGIN, smtp_tls_security_level="may")),
        {"MR-HOST-04"},
    ),
    "mail to root is discarded": (aliases("root", Target("file", "/dev/null")), {"MR-HOST-05"}),
    "mail to postmaster leads nowhere": (aliases("postmaster", Target("unresolved", "nobody")), {"MR-HOST-05"}),
    "mail to root goes in a circle": (aliases("root", loops=("root",)), {"MR-HOST-05"}),
    "a file was edited": (managed("edited"), {"MR-HOST-06"}),
    "a file was removed": (managed("missing", None), {"MR-HOST-06"}),
    "a mode was changed": (managed("unchanged", "0666"), {"MR-HOST-06"}),
}


def failed(evidence: list[Evidence[t.Any]], target: t.Any = TARGET) -> set[str]:
    found = judged(evidence, target)
    return {control for control in MINE if "fail" in statuses(found[control])}


def test_a_relay_without_faults_passes():
    found = judged(everything())
    other = {control for control in MINE if statuses(found[control]) != {"pass"}}
    assert other == {"MR-DNS-02"}, "it does send mail"


def test_a_parked_domain_passes():
    zone = {"example.test": {"MX": ["0 ."], "TXT": ["v=spf1 -all"]}}
    assert statuses(judged(dns(zone, addresses=()))["MR-DNS-02"]) == {"pass"}


@pytest.mark.parametrize("case", DEFECTS)
def test_a_defect_fails_its_controls_and_no_other(case):
    evidence, expected = DEFECTS[case]
    assert failed(evidence) == expected


@pytest.mark.parametrize("case", [case for case, (_change, expected) in DEFECTS.items() if expected])
def test_a_failure_says_what_to_do(case):
    evidence, expected = DEFECTS[case]
    found = judged(evidence)
    for one in (one for control in expected for one in found[control] if one.status.value == "fail"):
        assert one.message.endswith(".")
        assert one.remedy


def test_each_control_has_a_defect():
    """Those of DNSSEC, of the name servers and of shared keys are below."""
    others = {"MR-DNS-07", "MR-DNS-08", "MR-DNS-11", "MR-DKIM-05"}
    assert {control for _change, expected in DEFECTS.values() for control in expected} == set(MINE) - others


@pytest.mark.parametrize(
    ("state", "validates", "expected"),
    [
        (DnssecState.SECURE, True, ("pass", "pass")),
        (DnssecState.INSECURE, True, ("fail", "pass")),
        (DnssecState.BOGUS, True, ("fail", "pass")),
        (None, False, ("not_checked", "fail")),
    ],
)
def test_dnssec(state, validates, expected):
    facts = dataclasses.replace(cases.DNS.facts.dnssec, state=state, resolver_validates=validates)
    evidence = dataclasses.replace(cases.DNS, facts=dataclasses.replace(cases.DNS.facts, dnssec=facts))
    found = judged(everything(dns=evidence))
    assert (statuses(found["MR-DNS-07"]), statuses(found["MR-DNS-08"])) == tuple({one} for one in expected)


def test_name_servers_that_differ_fail():
    facts = cases.DNS.facts
    differing = dataclasses.replace(facts.authority, differing=("MX",))
    found = judged(
        everything(dns=dataclasses.replace(cases.DNS, facts=dataclasses.replace(facts, authority=differing)))
    )
    assert statuses(found["MR-DNS-11"]) == {"fail"}


@pytest.mark.parametrize(
    ("holders", "expected"),
    [({cases.KEY_DIGEST: ("mail", "other")}, "fail"), ({}, "pass"), (None, "not_checked")],
)
def test_a_key_that_another_relay_has_fails(holders, expected):
    target = dataclasses.replace(TARGET, key_holders=holders)
    assert statuses(judged(everything(), target)["MR-DKIM-05"]) == {expected}


def test_the_holders_of_keys_are_found_in_the_fleet():
    fleet = {"a": [cases.host()], "b": [cases.host(), cases.DNS], "c": [cases.smtp()]}
    assert judge_keys.holders_of_keys(fleet) == {cases.KEY_DIGEST: ("a", "b")}


# -- what is not known ------------------------------------------------------------------------------------------------


def missing(group: str, path: str = "") -> list[Evidence[t.Any]]:
    return host({path or group: PERMISSION}, **{group: None})


def times_out(
    *names: str, types: tuple[str, ...] = ("A", "AAAA", "TXT", "MX", "PTR", "CAA", "TLSA")
) -> list[Evidence[t.Any]]:
    return dns({name: dict.fromkeys(types, LookupTimedOut) for name in names})


#: What cannot be seen, and the controls that then are errors, and never fail or pass.
UNKNOWN: dict[str, tuple[list[Evidence[t.Any]], set[str]]] = {
    "MX": (times_out("example.test", types=("MX",)), {"MR-DNS-01", "MR-DNS-02", "MR-DANE-01"}),
    "PTR": (times_out(cases.REVERSE4, cases.REVERSE6), {"MR-DNS-03"}),
    "EHLO name": (times_out(cases.HOST, types=("A", "AAAA")), {"MR-DNS-04", "MR-DNS-06"}),
    "TXT": (times_out("example.test", types=("TXT",)), {"MR-SPF-01", "MR-SPF-02", "MR-SPF-03", "MR-SPF-04"}),
    "SPF of the EHLO name": (times_out(cases.HOST, types=("TXT",)), {"MR-SPF-05"}),
    "DKIM": (times_out("s1._domainkey.example.test"), {"MR-DKIM-01", "MR-DKIM-02", "MR-DKIM-03"}),
    "DMARC": (times_out("_dmarc.example.test"), {f"MR-DMARC-0{number}" for number in (1, 2, 3, 5)}),
    "MTA-STS": (times_out("_mta-sts.example.test"), {"MR-STS-01"}),
    "TLS-RPT": (times_out("_smtp._tls.example.test"), {"MR-STS-02"}),
    "TLSA": (times_out("_25._tcp.mail.example.test"), {"MR-DANE-01", "MR-DANE-02"}),
    "CAA": (times_out("example.test", types=("CAA",)), {"MR-DNS-10"}),
    "SOA": (times_out("example.test", types=("SOA", "UNCHECKED")), {"MR-DNS-07"}),
    "SOA of the root, too": (times_out("example.test", "", types=("SOA", "UNCHECKED")), {"MR-DNS-07", "MR-DNS-08"}),
    "NS": (times_out("example.test", types=("NS",)), {"MR-DNS-11"}),
    "block list": (times_out("25.2.0.192.list.test"), {"MR-DNS-09"}),
    "greeting": (smtp({"greeting": "The server answered 421."}, greeting=None, tls=None), {"MR-DNS-05"}),
    "TLS": (smtp({"tls": "The handshake timed out."}, tls=None), {"MR-DNS-05", "MR-TLS-05"}),
    "config": (missing("config"), {"MR-HOST-03", "MR-HOST-04", "MR-DANE-03"}),
    "listeners": (missing("listeners"), {"MR-HOST-01"}),
    "files": (missing("files"), {"MR-TLS-08", "MR-DKIM-04", "MR-DKIM-06", "MR-HOST-04"}),
    "DKIM keys": (missing("dkim"), {"MR-DKIM-04", "MR-DKIM-05", "MR-DKIM-06"}),
    "certificates": (missing("certificates"), {"MR-TLS-05"}),
    "aliases": (missing("aliases"), {"MR-HOST-05"}),
    "firewall": (missing("firewall"), {"MR-HOST-02"}),
    "units": (missing("units"), {"MR-HOST-03"}),
    "packages": (missing("packages"), {"MR-HOST-03"}),
    "mail servers": (missing("mail_servers"), {"MR-HOST-03"}),
    "managed": (missing("managed"), {"MR-HOST-06"}),
    "one managed file": (managed(None, None), {"MR-HOST-06"}),
    "one key file": (
        everything(
            host=cases.host(
                {f"files.{cases.KEY_FILE}": PERMISSION},
                files=(dataclasses.replace(FACTS.files[0], exists=None, mode=None), *FACTS.files[1:]),
            )
        ),
        {"MR-TLS-08"},
    ),
    "rules that are not understood": (
        firewall(cases.access(25, 4, "unknown"), cases.access(587, 4, "unknown")),
        {"MR-HOST-02"},
    ),
    "the key of a selector": (
        everything(
            host=cases.host(
                {f"dkim.{cases.DKIM_FILE}": PERMISSION},
                dkim=(dataclasses.replace(KEY, public_key=None, spki_sha256=None),),
            )
        ),
        {"MR-DKIM-02", "MR-DKIM-05", "MR-DKIM-06"},
    ),
    "who decides about TLS": (
        config(
            cases.service(
                "upstream", "unix", "smtp", **LOGIN, smtp_tls_security_level="may", smtp_tls_policy_maps="lmdb:/x"
            )
        ),
        {"MR-HOST-04"},
    ),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_is_not_known_is_an_error_with_the_reason(case):
    evidence, expected = UNKNOWN[case]
    found = judged(evidence)
    assert {control for control in MINE if "error" in statuses(found[control])} >= expected
    assert failed(evidence) == set()
    for one in (one for control in expected for one in found[control] if one.status.value == "error"):
        assert not one.message.endswith(": .")
        assert not one.message.endswith("..")


def test_each_control_can_be_an_error():
    assert {control for _change, expected in UNKNOWN.values() for control in expected} == set(MINE)


def test_what_was_not_asked_for_is_not_checked():
    nothing = cases.dns(parts=())
    nothing = dataclasses.replace(nothing, facts=dataclasses.replace(nothing.facts, answers=()))
    evidence = [nothing, dataclasses.replace(cases.host(), facts=HostFacts()), cases.smtp(greeting=None, tls=None)]
    found = judged(evidence)
    assert {control: statuses(found[control]) for control in MINE} == {control: {"not_checked"} for control in MINE}


def test_without_evidence_nothing_is_checked():
    found = judged([])
    assert {control: statuses(found[control]) for control in MINE} == {control: {"not_checked"} for control in MINE}
    assert all(one.remedy for control in MINE for one in found[control])


def test_evidence_that_could_not_be_collected_is_an_error():
    unseen = dict.fromkeys(EvidenceKind, "the host could not be reached: Connection timed out.")
    found = judged([], dataclasses.replace(TARGET, unseen=unseen))
    assert {control: statuses(found[control]) for control in MINE} == {control: {"error"} for control in MINE}
    assert {one.message for control in MINE for one in found[control]} == {
        "mail could not be judged: the host could not be reached: Connection timed out."
    }


@pytest.mark.parametrize("profile", Profile)
def test_a_control_applies_to_its_profiles_alone(profile):
    found = judged(everything(), dataclasses.replace(TARGET, profiles=(profile,)))
    for control in CONTROLS:
        if profile not in control.profiles:
            assert statuses(found[control.id]) == {"not_applicable"}
            assert profile.value in found[control.id][0].message


def test_each_control_of_the_catalogue_has_a_judge_or_a_reason():
    without = {control.id for control in CONTROLS if control.id not in JUDGES and not control.not_implemented}
    assert without == set()
    assert set(JUDGES) <= set(CATALOGUE)


def test_the_name_servers_of_another_host_tell_nothing_of_the_relay():
    evidence = dataclasses.replace(cases.DNS, seen_from=Vantage("controller"))
    found = judged(everything(dns=evidence))["MR-DNS-08"]
    assert statuses(found) == {"not_checked"}
    assert "name servers of controller" in found[0].message


@pytest.mark.parametrize(
    ("before", "after", "status", "words"),
    [  # days before and after the moment
        (2, 4, "pass", "is valid for 4 days more."),
        (4, 1.9, "pass", "is valid for 45 hours more. Renew it soon."),
        (5, 1, "fail", "expires in 24 hours, on 2026-03-02T12:00:00Z."),
        (40, 24, "pass", "is valid for 24 days more."),
        (47, 17, "pass", "is valid for 17 days more. Renew it soon."),
        (49, 15, "fail", "expires in 15 days, on "),
        (348, 17, "pass", "is valid for 17 days more. Renew it soon."),
        (359, 6, "fail", "expires in 6 days, on "),
    ],
)
def test_a_certificate_is_judged_by_the_part_of_its_life_that_is_left(before, after, status, words):
    """One that lasts at most 100 days is renewed by a program, whose failure shows."""
    now = datetime.datetime.fromisoformat(cases.SEEN_AT)
    begins, ends = (f"{now + datetime.timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}" for days in (-before, after))
    findings = judged(certificate(not_before=begins, not_after=ends, subject=""))["MR-TLS-05"]
    assert [one.status.value for one in findings if words in one.message] == [status], findings
    assert any(one.message.startswith("The certificate mail.example.test of /") for one in findings)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"ehlo": EhloFacts(cases.answer(250, "ok"), {})}, {"not_applicable", "pass"}),
        (
            {"ehlo": EhloFacts(cases.answer(250, "ok"), {"STARTTLS": ()}), "starttls": cases.answer(502, "no")},
            {"not_applicable", "pass"},
        ),
        ({"ehlo": EhloFacts(cases.answer(250, "ok"), {"STARTTLS": ()})}, {"error", "pass"}),
        ({"ehlo": None}, {"error", "pass"}),
    ],
)
def test_a_port_without_tls_has_no_certificate(facts, expected):
    """What it means that it has none is decided by MR-TLS-01."""
    found = judged(smtp({"tls": "Not reached."}, tls=None, **facts))
    assert statuses(found["MR-TLS-05"]) == expected
    assert statuses(found["MR-DNS-05"]) == {"error", "pass"} & expected | {"pass"}


# -- joins and exceptions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (OTHER_V4, {"pass", "not_checked"}),
        ("10.0.0.5", {"pass", "not_checked"}),
        ("169.254.0.1", {"pass"}),
        (cases.V4, {"pass"}),
        (None, {"pass"}),
    ],
)
def test_an_address_that_was_not_looked_up_is_told(address, expected):
    """Below .test, others see private addresses, too. A link-local one is never seen."""
    egress = (Egress("", "smtp", 4, address, "routes", False, cases.HOST),)
    found = judged(host(egress=egress))
    assert statuses(found["MR-DNS-03"]) == expected


def test_nat_replaces_a_private_address():
    """Below example.com, an address of documentation is a public one."""
    facts = dataclasses.replace(cases.DNS.facts, answers=())
    evidence = dataclasses.replace(cases.DNS, subject="example.com", facts=facts)
    egress = (Egress("", "smtp", 4, "10.0.0.5", "routes", False, cases.HOST),)
    found = judged(everything(dns=evidence, host=cases.host(egress=egress)))
    assert "10.0.0.5" not in {one.subject for one in found["MR-DNS-03"]}


def test_an_address_that_was_looked_up_for_another_reason_is_judged():
    other = parse_address(OTHER_V4)
    evidence = cases.dns({other.reverse_pointer: {}}, addresses=(*cases.SYSTEM.addresses, other))
    facts = dataclasses.replace(evidence.facts, addresses=(cases.V4, cases.V6))
    egress = (Egress("", "smtp", 4, OTHER_V4, "smtp_bind_address", True, cases.HOST),)
    found = judged(everything(dns=dataclasses.replace(evidence, facts=facts), host=cases.host(egress=egress)))
    assert [one.subject for one in found["MR-DNS-03"] if one.status.value == "fail"] == [OTHER_V4]


def test_a_selector_that_signs_but_was_not_looked_up_is_told():
    key = dataclasses.replace(KEY, selector="s2")
    found = judged(host(dkim=(KEY, key)))["MR-DKIM-02"]
    assert statuses(found) == {"pass", "not_checked"}
    assert "s2._domainkey.example.test" in found[-1].message


def test_a_key_of_the_relay_is_not_said_to_sign():
    """The signer of the role has each key, and uses it only while the DNS has its record."""
    keys = (KEY, dataclasses.replace(KEY, spki_sha256="00"), dataclasses.replace(KEY, selector="s2"))
    found = judged(host(dkim=keys))["MR-DKIM-02"]
    assert statuses(found) == {"pass", "fail", "not_checked"}
    assert not [one.message for one in found if "relay signs" in one.message]


def test_a_null_client_needs_no_port():
    local = tuple(one for one in FACTS.listeners if one.address == "127.0.0.1")
    found = judged([cases.host(listeners=local)], cases.NULL_CLIENT)
    assert statuses(found["MR-HOST-01"]) == {"pass"}
    assert statuses(found["MR-HOST-02"]) == {"pass"}
    assert statuses(judged([cases.host()], cases.NULL_CLIENT)["MR-HOST-01"]) == {"fail"}


@pytest.mark.parametrize("names", [(), (465,)])
def test_without_declared_listeners_master_cf_declares_them(names):
    target = dataclasses.replace(TARGET, declared=dataclasses.replace(TARGET.declared, listeners=None))
    more = tuple(Listener("0.0.0.0", port, True, "master", None) for port in names)
    found = judged(listeners(*more), target)
    assert statuses(found["MR-HOST-01"]) == ({"fail"} if names else {"pass"})
    assert statuses(found["MR-HOST-02"]) == {"not_checked"}


@pytest.mark.parametrize(
    ("access", "expected"),
    [
        (cases.access(587, 4, "drop", accepts=("198.51.100.0/24",)), "pass"),
        (cases.access(587, 4, "drop", accepts=("198.51.0.0/16",)), "fail"),
        (cases.access(587, 4, "drop", accepts=("198.51.100.0/25", "198.51.100.128/25")), "fail"),
        (cases.access(587, 4, "drop", accepts=(cases.NETWORK,), drops=("198.51.100.9/32",)), "pass"),
        (cases.access(587, 4, "drop", accepts=(cases.NETWORK, "127.0.0.0/8")), "pass"),
        (cases.access(587, 4, "unknown", accepts=(cases.NETWORK,)), "error"),
        (cases.access(587, 4, "drop", accepts=(cases.NETWORK,), unknown=("203.0.113.0/24",)), "error"),
    ],
)
def test_a_port_with_networks(access, expected):
    found = [one for one in judged(firewall(access))["MR-HOST-02"] if "587 over IPv4" in one.subject]
    assert statuses(found) == {expected}


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (cases.file("/etc/sasl2/smtpd.conf", "passwords", mode="0644", named_by=("Cyrus SASL",)), "not_checked"),
        (cases.file("/etc/sasldb2", "passwords", mode="0640", group="sasl", named_by=("Cyrus SASL",)), "pass"),
        (cases.file("/etc/sasldb2", "passwords", mode="0644", named_by=("Cyrus SASL",)), "fail"),
        (cases.file("/etc/dovecot/users", "passwords", mode="0640", group="mail", named_by=("Dovecot",)), "fail"),
        (cases.file("/etc/postfix/pw", "passwords", mode="0640", group="dovecot"), "fail"),
        (cases.file("/etc/postfix/pw", "passwords", mode="0400"), "pass"),
        (cases.file("/etc/postfix/pw", "passwords", exists=False, mode=None, owner=None, group=None), "not_applicable"),
        (cases.file("/etc/postfix/table", "table", mode="0644"), "not_applicable"),
    ],
)
def test_a_file_with_passwords(file, expected):
    found = [one for one in judged(host(files=(file,)))["MR-HOST-04"] if "upstream" not in one.subject]
    assert statuses(found) == {expected}


@pytest.mark.parametrize(
    ("level", "expected"),
    [*((one, "pass") for one in ("dane", "dane-only", "encrypt", "verify", "secure", "fingerprint")), ("", "fail")],
)
def test_tls_to_other_servers(level, expected):
    assert statuses(judged(config(smtp_tls_security_level=level))["MR-DANE-03"]) == {expected}


def test_a_policy_server_may_decide_about_tls():
    maps = "socketmap:inet:127.0.0.1:8461:postfix"
    found = judged(config(smtp_tls_security_level="may", smtp_tls_policy_maps=maps))
    assert statuses(found["MR-DANE-03"]) == {"pass"}


def test_records_that_sha_256_cannot_compare_are_left_to_the_checks():
    zone = {"_25._tcp.mail.example.test": {"TLSA": [f"3 1 2 {'0' * 128}"]}}
    assert statuses(judged(dns(zone))["MR-DANE-02"]) == {"not_checked"}


def test_hosts_share_what_was_found_in_the_document_of_their_domain():
    made: dict[t.Any, t.Any] = {}
    first = judge(everything(), TARGET, made).findings
    known = set(made)
    assert known
    assert judge(everything(), TARGET, made).findings == first
    assert set(made) == known
