# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence of a relay without faults, as judges read it, and the same with one fact changed.

The DNS facts are collected by the room ``_dns`` from a zone in a dictionary; those of the host and of SMTP are written
by hand.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import typing as t

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.case import Declared, DeclaredListener, Target
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.judge import judge
from ansible_collections.mailops.smtp.plugins.module_utils._controls.control import Profile
from ansible_collections.mailops.smtp.plugins.module_utils._controls.finding import Finding
from ansible_collections.mailops.smtp.plugins.module_utils._dns.checks import PARTS, run_checks
from ansible_collections.mailops.smtp.plugins.module_utils._dns.dkim import parse_given_key
from ansible_collections.mailops.smtp.plugins.module_utils._dns.lookup import CachedLookup
from ansible_collections.mailops.smtp.plugins.module_utils._dns.mail_system import MailSystem, Selector
from ansible_collections.mailops.smtp.plugins.module_utils._dns.names import parse_address
from ansible_collections.mailops.smtp.plugins.module_utils._dns.recorded import record
from ansible_collections.mailops.smtp.plugins.module_utils._dns.sts import PolicyAnswer
from ansible_collections.mailops.smtp.plugins.module_utils._dns.survey import survey
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.certificate import CertificateFacts
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import Evidence, Kind, Unknown, Vantage
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host import HostFacts
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_config import Instance, Service
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_files import (
    CertificateFile,
    DkimKey,
    HostFile,
    ManagedFile,
)
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_mail import Alias
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_mail import Target as AliasTarget
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_network import (
    Egress,
    FirewallFacts,
    Listener,
    PortAccess,
)
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_system import Packages, Unit
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.smtp import (
    Reach,
    ReachFacts,
    SmtpFacts,
    TlsFacts,
)
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.smtp_answer import AnswerFacts
from ansible_collections.mailops.smtp.tests.unit.support.zone_lookup import Zone, ZoneLookup

SEEN_AT = "2026-03-01T12:00:00Z"
DOMAIN, HOST, V4, V6 = "example.test", "mail.example.test", "192.0.2.25", "2001:db8::25"
REVERSE4, REVERSE6 = (parse_address(one).reverse_pointer for one in (V4, V6))
KEY_FILE, DKIM_FILE, PASSWORD_FILE = "/etc/postfix/relay.pem", "/etc/dkimkeys/s1.private", "/etc/postfix/sasl_passwd"
CERT, SPKI = hashlib.sha256(b"certificate").hexdigest(), hashlib.sha256(b"key").hexdigest()


def published(bits: int = 2048) -> str:
    """The p= of a new RSA key."""
    key = rsa.generate_private_key(65537, bits).public_key()
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def digest(key: str) -> str:
    """SHA-256 of the key in a p=."""
    return hashlib.sha256(base64.b64decode(key)).hexdigest()


PUBLIC_KEY, OTHER_KEY = published(), published()
KEY_DIGEST = digest(PUBLIC_KEY)

ZONE: Zone = {
    "": {"SOA": ["a.root h.root 1 1 1 1 1"]},
    DOMAIN: {
        "SOA": ["ns1.example.test h.example.test 7 1 1 1 1"],
        "NS": ["ns1.example.test"],
        "MX": ["10 mail.example.test"],
        "TXT": ["v=spf1 mx -all"],
        "CAA": ['0 issue "ca.test"'],
        "UNCHECKED": ["ns1.example.test h.example.test 7 1 1 1 1"],
    },
    "ns1.example.test": {"A": ["192.0.2.53"]},
    HOST: {"A": [V4], "AAAA": [V6], "TXT": ["v=spf1 a -all"]},
    REVERSE4: {"PTR": [HOST]},
    REVERSE6: {"PTR": [HOST]},
    "s1._domainkey.example.test": {"TXT": [f"v=DKIM1; k=rsa; p={PUBLIC_KEY}"]},
    "_dmarc.example.test": {"TXT": ["v=DMARC1; p=reject; rua=mailto:a@example.test"]},
    "_mta-sts.example.test": {"TXT": ["v=STSv1; id=1"]},
    "mta-sts.example.test": {"A": ["192.0.2.80"]},
    "_smtp._tls.example.test": {"TXT": ["v=TLSRPTv1; rua=mailto:t@example.test"]},
    "_25._tcp.mail.example.test": {"TLSA": [f"3 1 1 {SPKI}", f"3 1 1 {'0' * 64}"]},
    "2.0.0.127.list.test": {"A": ["127.0.0.2"]},
    f"{parse_address('::ffff:7f00:2').reverse_pointer.replace('.in-addr.arpa', '')}.list.test": {"A": ["127.0.0.2"]},
    "2.0.0.0.0.0.f.7.f.f.f.f" + ".0" * 20 + ".list.test": {"A": ["127.0.0.2"]},
}
POLICY = "version: STSv1\nmode: enforce\nmx: mail.example.test\nmax_age: 604800\n"
SYSTEM = MailSystem(
    domain=DOMAIN,
    hostname=HOST,
    addresses=(parse_address(V4), parse_address(V6)),
    selectors=(Selector("s1", DOMAIN, parse_given_key(PUBLIC_KEY)),),
    blocklists=("list.test",),
    certificate_authority="ca.test",
)


def dns(
    zone: t.Mapping[str, t.Any] | None = None, parts: t.Collection[str] | None = None, **system: t.Any
) -> Evidence[t.Any]:
    """What the DNS says, with these records changed; ``{}`` for a name removes it, and others replace single types."""
    merged = {**ZONE, **{name: {**ZONE.get(name, {}), **records} for name, records in (zone or {}).items() if records}}
    merged = {name: records for name, records in merged.items() if (zone or {}).get(name, records) != {}}
    lookup = CachedLookup(ZoneLookup(merged, secure=list(merged)))
    asked = dataclasses.replace(SYSTEM, **system)
    wanted = [check for check in PARTS if parts is None or set(PARTS[check]) <= set(parts)]
    policy = PolicyAnswer(200, "text/plain", POLICY)
    try:
        everything = {part for found in PARTS.values() for part in found} if parts is None else parts
        seen = survey(lookup, asked, everything, lambda _host, _addresses: policy)
        run_checks(lookup, asked, wanted, seen)
        facts = dataclasses.replace(seen.facts, answers=record(lookup), nameservers=("192.0.2.1",))
    finally:
        lookup.close()
    return Evidence(Kind.DNS, DOMAIN, SEEN_AT, 0.1, Vantage("mail"), facts, seen.unknown)


# -- the host ---------------------------------------------------------------------------------------------------------

PARAMETERS = {
    "myhostname": HOST,
    "inet_interfaces": "all",
    "default_transport": "smtp",
    "smtp_tls_security_level": "dane",
    "smtp_dns_support_level": "dnssec",
    "smtpd_sasl_auth_enable": "no",
}


def service(name: str, kind: str = "inet", program: str = "smtpd", **parameters: str) -> Service:
    """A service of master.cf."""
    return Service(name, kind, "n", "-", "y", "-", "-", program, parameters=parameters)


SERVICES = (
    service("smtp"),
    service("submission", smtpd_sasl_auth_enable="yes"),
    service("smtp", "unix", "smtp"),
    service("upstream", "unix", "smtp", smtp_sasl_auth_enable="yes", smtp_tls_security_level="encrypt"),
)
INSTANCE = Instance("", "", True, "/etc/postfix", "3.7.11", PARAMETERS, tuple(PARAMETERS), SERVICES)
LEAF: t.Any = CertificateFacts(
    subject=f"CN={HOST}",
    issuer="CN=CA",
    names=(HOST,),
    serial="01",
    not_before="2026-01-01T00:00:00Z",
    not_after="2026-12-01T00:00:00Z",
    sha256=CERT,
    spki_sha256=SPKI,
    key_type="rsa",
    key_bits=2048,
    key_curve=None,
    signature="sha256WithRSAEncryption",
    signature_hash="sha256",
    self_issued=False,
    authority=False,
)
KEY = DkimKey("OpenDKIM", DKIM_FILE, DOMAIN, "s1", "rsa", 2048, PUBLIC_KEY, KEY_DIGEST)


def file(
    path: str,
    purpose: str,
    mode: str | None = "0600",
    owner: str | None = "root",
    group: str | None = "root",
    **more: t.Any,
) -> HostFile:
    """A file that the configuration names."""
    found = {"exists": True, "type": "file", "changed_at": "2026-01-01T00:00:00Z", **more}
    return HostFile(path, purpose, owner=owner, group=group, mode=mode, **found)


def access(port: int, version: int, others: str = "accept", **networks: tuple[str, ...]) -> PortAccess:
    """Who may connect to a port."""
    return PortAccess(port, version, others, **{"accepts": (), "drops": (), "unknown": (), **networks})


FILES = (
    file(KEY_FILE, "key"),
    file(DKIM_FILE, "DKIM key", owner="opendkim", group="opendkim"),
    file(PASSWORD_FILE, "passwords"),
    file("/etc/dovecot/relay_users", "passwords", mode="0640", group="dovecot", named_by=("Dovecot",)),
)
NETWORK = "198.51.100.0/24"
PORTS = (
    *(access(25, version) for version in (4, 6)),
    access(587, 4, "drop", accepts=(NETWORK,)),
    access(587, 6, "drop"),
)
FACTS: t.Any = HostFacts(
    config=(INSTANCE,),
    listeners=(
        Listener("0.0.0.0", 25, True, "master", "postfix.service"),
        Listener("::", 25, False, "master", "postfix.service"),
        Listener("0.0.0.0", 587, True, "master", "postfix.service"),
        Listener("::", 587, False, "master", "postfix.service"),
        Listener("127.0.0.1", 2525, True, "other", None),
    ),
    egress=(Egress("", "smtp", 4, V4, "routes", False, HOST), Egress("", "smtp", 6, V6, "routes", False, HOST)),
    files=FILES,
    managed=(ManagedFile("/etc/postfix/main.cf", "relay", "unchanged", "0644", "0644"),),
    dkim=(KEY,),
    certificates=(CertificateFile(KEY_FILE, ("smtpd_tls_chain_files",), (LEAF,)),),
    aliases=tuple(Alias("", name, True, (AliasTarget("mailbox", "admin"),), ()) for name in ("root", "postmaster")),
    firewall=FirewallFacts(("ufw",), (), PORTS, ()),
    packages=Packages("Debian 12", "apt", {"postfix": "3.7.11"}, (), 0, SEEN_AT),
    units=(Unit("postfix.service", "enabled", "active", "running", SEEN_AT),),
    mail_servers=(),
    queue=(),
)


def host(unknown: t.Mapping[str, str] | None = None, **facts: t.Any) -> Evidence[HostFacts]:
    """What the host says of itself, with these groups changed."""
    found = tuple(Unknown(path, reason) for path, reason in (unknown or {}).items())
    return Evidence(Kind.HOST, "mail", SEEN_AT, 0.1, Vantage("mail"), dataclasses.replace(FACTS, **facts), found)


# -- SMTP -------------------------------------------------------------------------------------------------------------


def answer(code: int, text: str) -> AnswerFacts:
    """A reply."""
    return AnswerFacts(code, None, text, 1.0)


def tls(*chain: CertificateFacts) -> TlsFacts:
    """TLS with these certificates."""
    return TlsFacts("starttls", True, True, "", "TLSv1.3", "TLS_AES_256_GCM_SHA384", chain, len(chain), 1.0)


def smtp(port: int = 25, unknown: t.Mapping[str, str] | None = None, **facts: t.Any) -> Evidence[SmtpFacts]:
    """What a port says, with these facts changed."""
    reached = ReachFacts(V4, port, Reach.OPEN, "198.51.100.7")
    defaults = {"greeting": answer(220, f"{HOST} ESMTP"), "tls": tls(LEAF), "connections": (reached,)}
    seen = SmtpFacts(HOST, port, (V4,), **{**defaults, **facts})
    found = tuple(Unknown(path, reason) for path, reason in (unknown or {}).items())
    vantage = Vantage("outside", ("198.51.100.7",))
    return Evidence(Kind.SMTP, f"{HOST}:{port}", SEEN_AT, 0.1, vantage, seen, found)


# -- all of it --------------------------------------------------------------------------------------------------------

DECLARED = Declared(
    listeners=(
        DeclaredListener(25, "opportunistic", login=False),
        DeclaredListener(587, sources=(NETWORK,)),
    ),
    relay_domains=(DOMAIN,),
)
TARGET = Target("mail", declared=DECLARED, key_holders={KEY_DIGEST: ("mail",)})
DNS = dns()


def judged(evidence: t.Iterable[Evidence[t.Any]], target: Target = TARGET) -> dict[str, list[Finding]]:
    """The findings by their controls."""
    found: dict[str, list[Finding]] = {}
    for one in judge(evidence, target).findings:
        found.setdefault(one.control, []).append(one)
    return found


def statuses(findings: t.Iterable[Finding]) -> set[str]:
    """Their statuses."""
    return {one.status.value for one in findings}


NULL_CLIENT = dataclasses.replace(TARGET, profiles=(Profile.NULL_CLIENT,), declared=Declared())
