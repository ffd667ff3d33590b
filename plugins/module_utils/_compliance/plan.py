# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to ask about one host: its domains in the DNS, its ports from each vantage, and the messages to send. Pure.

The role's tasks loop over the plan. It holds no password: an account is named by its place in ``compliance_accounts``.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

from .._evidence.document import plain
from .._evidence.host import HostFacts
from .._evidence.host_config import Instance, Service
from .._evidence.proof import Attempt
from .case import DeclaredListener
from .declared import declared, declared_listener
from .profiles import is_public, services, setting

Variables = t.Mapping[str, t.Any]

#: The attempt to write to an address that every domain needs, and these addresses (RFC 5321 section 4.5.1, RFC 2142).
RECIPIENT = "recipient"
_NEEDED = ("postmaster", "abuse")
#: Parameters that name domains for which Postfix takes mail of strangers.
_DOMAINS_OF_OTHERS = ("relay_domains", "virtual_mailbox_domains")
#: Asked if neither the inventory nor the host tells which ports there are.
_USUAL_PORTS = (25, 465, 587)
#: Names of services in master.cf that stand for ports.
_PORTS = {"smtp": 25, "smtps": 465, "submissions": 465, "submission": 587}
_LEVELS = {"encrypt": "starttls", "may": "opportunistic"}
#: Active tests that need an address elsewhere, or a login.
_NEEDS_SINK, _NEEDS_LOGIN = ("relay", "smuggling"), ("login_replies",)


@dataclasses.dataclass(frozen=True)
class Question:
    """One conversation with one port from one vantage: a call of ``smtp_info``."""

    label: str
    vantage: str
    port: int
    tls: str
    probes: tuple[str, ...] = ()
    sender: str = ""
    recipient: str = ""
    #: What is proved by it: a value of :class:`Attempt`, or :data:`RECIPIENT`; empty if nothing is.
    attempt: str = ""
    #: Whether it says nothing of the port itself, which strangers have asked already.
    proof_only: bool = False
    #: The place of the account in ``compliance_accounts``, and its user name; null without a login.
    account: int | None = None
    user: str | None = None


@dataclasses.dataclass(frozen=True)
class Letter:
    """One message to send through one port, and to look for."""

    label: str
    vantage: str
    port: int
    tls: str
    sender: str
    recipient: str
    nonce: str
    account: int | None = None
    user: str | None = None
    #: Whether the host itself sends it, over loopback.
    local: bool = False


@dataclasses.dataclass(frozen=True)
class DnsQuestion:
    """One mail domain: a call of ``mail_dns_info``."""

    domain: str
    hostname: str = ""
    addresses: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    dkim: tuple[dict[str, str], ...] = ()


@dataclasses.dataclass(frozen=True)
class Plan:
    """What to ask about one host."""

    listeners: tuple[DeclaredListener, ...]
    smtp: tuple[Question, ...]
    dns: tuple[DnsQuestion, ...]
    letters: tuple[Letter, ...]

    def to_dict(self) -> dict[str, t.Any]:
        """The plan as tasks read it."""
        return t.cast("dict[str, t.Any]", plain(self))


def make_plan(variables: Variables, facts: HostFacts | None, nonce: str) -> Plan:
    """Plan what to ask about a host.

    :param variables: of the roles ``relay`` and ``compliance``, by their names, and ``inventory_hostname``.
    :param facts: what the host says of itself; ``None`` if it could not be asked.
    :param nonce: a random word that no other message has.
    """
    listeners = _listeners(variables, facts)
    domains = _domains(variables, facts)
    return Plan(
        listeners=listeners,
        smtp=(*_questions(variables, listeners, domains), *_recipients(variables, listeners, domains, facts)),
        dns=tuple(_dns_question(name, variables, facts) for name in domains),
        letters=tuple(_letters(variables, listeners, domains, nonce)),
    )


# -- the ports --------------------------------------------------------------------------------------------------------


def _listeners(variables: Variables, facts: HostFacts | None) -> tuple[DeclaredListener, ...]:
    """The declared ports, and those that Postfix offers to others. Each port once; what is declared counts."""
    wanted = declared(variables).listeners
    seen = _offered(facts) if facts and facts.config is not None else None
    if wanted is None and seen is None:
        return tuple(declared_listener({"port": port}) for port in _USUAL_PORTS)
    found = {one.port: one for one in [*(seen or ()), *(wanted or ())]}
    return tuple(found[port] for port in sorted(found))


def _offered(facts: HostFacts) -> list[DeclaredListener]:
    offered = [(one, service) for one in facts.config or () for service in services(one) if is_public(one, service)]
    read = [_offered_by(instance, service) for instance, service in offered]
    return [one for one in read if one]


def _offered_by(instance: Instance, service: Service) -> DeclaredListener | None:
    name = service.name.rpartition(":")[2]
    port = _PORTS.get(name) or (int(name) if name.isdigit() else None)
    if port is None:
        return None
    implicit = setting(instance, service, "smtpd_tls_wrappermode") == "yes"
    tls = "implicit" if implicit else _LEVELS.get(setting(instance, service, "smtpd_tls_security_level"), "none")
    return DeclaredListener(port, tls, setting(instance, service, "smtpd_sasl_auth_enable") == "yes")


# -- over SMTP --------------------------------------------------------------------------------------------------------

#: How a client asks: STARTTLS if it is offered, so that the rest can be seen where it is missing.
_ASKED = {"implicit": "implicit", "starttls": "starttls"}


def _questions(
    variables: Variables, listeners: t.Sequence[DeclaredListener], domains: t.Sequence[str]
) -> t.Iterator[Question]:
    vantages = variables.get("compliance_vantages") or ["localhost"]
    domain = domains[0] if domains else ""
    for vantage in vantages:
        for listener in listeners:
            yield _as_stranger(variables, vantage, listener, domain)
    for listener in listeners:
        if listener.login:
            yield from _as_users(variables, vantages[0], listener)


def _as_stranger(variables: Variables, vantage: str, listener: DeclaredListener, domain: str) -> Question:
    """Without a login: to an address of the host itself, or where a login is required to one elsewhere."""
    sink = str(variables.get("compliance_recipient") or "")
    left_out = (*_NEEDS_LOGIN, *(() if sink else _NEEDS_SINK))
    own = f"postmaster@{domain}" if domain else ""
    elsewhere = bool(listener.login and sink)
    return Question(
        label=f"port {listener.port} from {vantage}",
        vantage=vantage,
        port=listener.port,
        tls=_tls(listener),
        probes=tuple(one for one in variables.get("compliance_probes") or () if one not in left_out),
        sender=own,
        recipient=(sink if elsewhere else own) if own else "",
    )


def _as_users(variables: Variables, vantage: str, listener: DeclaredListener) -> t.Iterator[Question]:
    """Each account logs in and names its own sender, then that of another user. A wrong login is tried for one."""
    sink = str(variables.get("compliance_recipient") or "")
    for number, account in enumerate(variables.get("compliance_accounts") or ()):
        user, own, other = str(account["username"]), sender_of(account), str(account.get("other_sender") or "")
        wrong = [one for one in _NEEDS_LOGIN if one in (variables.get("compliance_probes") or ()) and number == 0]
        tries = [(Attempt.RIGHT, own, tuple(wrong), ""), (Attempt.OTHER_SENDER, other, (), f" with the sender {other}")]
        for attempt, sender, probes, how in tries:
            if sender or attempt is Attempt.RIGHT:
                yield Question(
                    label=f"port {listener.port} as {user}{how}",
                    vantage=vantage,
                    port=listener.port,
                    tls=_tls(listener),
                    probes=probes,
                    sender=sender,
                    recipient=sink if sender else "",
                    attempt=attempt.value,
                    proof_only=True,
                    account=number,
                    user=user,
                )


def _recipients(
    variables: Variables, listeners: t.Sequence[DeclaredListener], domains: t.Sequence[str], facts: HostFacts | None
) -> t.Iterator[Question]:
    """Whether strangers may write to the addresses that every domain needs, if the host takes mail of strangers."""
    own = declared(variables).relay_domains or ()
    takes_mail = own or any(_parameter(facts, name) for name in _DOMAINS_OF_OTHERS)
    vantage = (variables.get("compliance_vantages") or ["localhost"])[0]
    for listener in listeners:
        if takes_mail and not listener.login:
            for address in (f"{name}@{domain}" for domain in own or domains for name in _NEEDED):
                label = f"port {listener.port} to {address}"
                tls = _tls(listener)
                yield Question(label, vantage, listener.port, tls, (), "<>", address, RECIPIENT, proof_only=True)


def sender_of(account: Variables) -> str:
    """The address that an account sends with: its own, or its user name if that is one."""
    name = str(account["username"])
    return str(account.get("sender") or (name if "@" in name else ""))


def _tls(listener: DeclaredListener) -> str:
    return _ASKED.get(listener.tls, "opportunistic")


# -- messages ---------------------------------------------------------------------------------------------------------


def _letters(
    variables: Variables, listeners: t.Sequence[DeclaredListener], domains: t.Sequence[str], nonce: str
) -> t.Iterator[Letter]:
    """A message through each port with a login, as the first account; without a login, one from the host itself."""
    sink = str(variables.get("compliance_recipient") or "")
    if not sink:
        return
    vantage = (variables.get("compliance_vantages") or ["localhost"])[0]
    senders = [number for number, one in enumerate(variables.get("compliance_accounts") or ()) if sender_of(one)]
    ways = [one for one in listeners if one.login and senders]
    for listener in ways:
        account = variables["compliance_accounts"][senders[0]]
        user = str(account["username"])
        word = f"{nonce}-{listener.port}"
        label = f"port {listener.port} as {user}"
        tls = _tls(listener)
        yield Letter(label, vantage, listener.port, tls, sender_of(account), sink, word, senders[0], user)
    if not ways and domains:
        host = str(variables.get("inventory_hostname", ""))
        own = f"postmaster@{domains[0]}"
        yield Letter(f"from {host} itself", host, 25, "none", own, sink, f"{nonce}-local", local=True)


# -- the DNS ----------------------------------------------------------------------------------------------------------


def _domains(variables: Variables, facts: HostFacts | None) -> tuple[str, ...]:
    """The mail domains: those that are given, else the role's, else what Postfix completes senders with.

    If none of them is known, it is the domain of the host's name, as the role relay has it by default. The domains that
    the host signs for come after it.
    """
    given = declared(variables).domains
    if given:
        return tuple(one for one in given if one)
    name = str(variables.get("relay_hostname") or variables.get("inventory_hostname") or "")
    ways = (
        str(variables.get("relay_domain") or ""),
        _parameter(facts, "myorigin"),
        _parameter(facts, "mydomain"),
        "" if name.replace(".", "").isdigit() else name.partition(".")[2],
    )
    signed = [one.domain.lower() for one in (facts.dkim or () if facts else ()) if one.domain]
    return tuple(dict.fromkeys([*[one for one in ways if "." in one][:1], *signed]))


def _parameter(facts: HostFacts | None, name: str) -> str:
    instances = (facts.config or ()) if facts else ()
    return next((setting(one, None, name) for one in instances if one.enabled), "")


def _dns_question(domain: str, variables: Variables, facts: HostFacts | None) -> DnsQuestion:
    helo = [one.helo_name for one in (facts.egress or () if facts else ())]
    hostname = str(variables.get("relay_hostname") or next(iter(helo), "") or _parameter(facts, "myhostname"))
    keys = [
        {"selector": one.selector, "domain": one.domain or domain, "public_key": one.public_key or ""}
        for one in (facts.dkim or () if facts else ())
        if one.selector and (one.domain or domain).lower() == domain.lower()
    ]
    given = [{str(key): str(one[key]) for key in one if one[key]} for one in variables.get("compliance_dkim") or ()]
    mine = [one for one in given if one.get("domain", domain).lower() == domain.lower()]
    known = {one["selector"] for one in keys}
    return DnsQuestion(
        domain=domain,
        hostname=hostname,
        addresses=declared(variables).egress or _egress(facts),
        via=_upstreams(facts),
        dkim=(*({k: v for k, v in one.items() if v} for one in keys), *(x for x in mine if x["selector"] not in known)),
    )


def _egress(facts: HostFacts | None) -> tuple[str, ...]:
    """The addresses that the host connects from, as far as others can see them."""
    found = dict.fromkeys(one.address for one in (facts.egress or () if facts else ()) if one.address)
    return tuple(one for one in found if _may_leave(one))


def _may_leave(text: str) -> bool:
    """Whether mail to other hosts leaves from the address; ``mail_dns_info`` refuses others."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return not (
        address.is_loopback
        or address.is_link_local
        or address.is_unspecified
        or address.is_multicast
        or address.is_reserved
    )


def _upstreams(facts: HostFacts | None) -> tuple[str, ...]:
    """The host of ``relayhost``, if mail leaves over one."""
    host = _parameter(facts, "relayhost").strip()
    name = host.partition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    return (name,) if name else ()
