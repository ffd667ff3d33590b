# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strangers: clients that neither log in nor are in ``relay_networks``, and what they may do.

They may send to ``relay_domains`` and to names of this host, with senders of their own that exist. Their mail does not
leave by an upstream that has a login, and they get no reports.
"""

from __future__ import annotations

import typing as t

from .inputs import Inputs
from .reader import Network
from .upstreams import Upstream

# Forms of an address in a command. Postfix accepts more than RFC 5321 section 4.1.2: missing brackets, phrases,
# comments, escapes, and any number of blanks (regexp_table(5)).
_BLANK = "[[:space:]]"
_RCPT, _MAIL = f"{_BLANK}*RCPT{_BLANK}", f"{_BLANK}*MAIL{_BLANK}"
_WORD = r'[^]["<>(),:;@\[:space:]]+'
_BEFORE_DOMAIN = r'([^("\>]|"([^"\]|\\.)*")*'
_DOMAIN = rf"({_WORD}|\[[^][<>[:space:]]*])"
_REST = rf">?({_BLANK}[^<>]*)?"

#: Postfix looks for the owner of ``"app@a.test"@b.test`` in the local part, too, if b.test is the domain of this host.
QUOTED_SENDERS = ("/@.*@/ 553 5.7.1 the part before the last @ of a sender may not contain another",)


class Check(t.NamedTuple):
    """A restriction of smtpd(8) with its lookup table (access(5))."""

    restriction: str
    kind: str
    table: str
    lines: tuple[str, ...]


def checks(inputs: Inputs) -> list[Check]:
    """Return what refuses a recipient or a sender of a stranger, for good (RFC 3463 section 3.8)."""
    closed = () if "upstream_login" in inputs.strangers_may else closed_recipients(inputs)
    own = () if "own_senders" in inputs.strangers_may else own_senders(inputs)
    found = [
        # Postfix takes mail for any name at its own address, and bounces it
        ("check_recipient_access", "regexp", "relay_literals", [r"/\]$/"], "no mail for an address literal"),
        ("check_recipient_access", "texthash", "relay_closed", closed, "this address takes no mail from outside"),
        ("check_sender_access", "texthash", "relay_own_senders", own, "log in to send as this address"),
    ]
    return [
        Check(restriction, kind, table, tuple(f"{key} 550 5.7.1 {words}" for key in keys))
        for restriction, kind, table, keys, words in found
        if keys
    ]


def commands(hostname: str, login: bool = False) -> list[str]:
    """Return the lines of ``smtpd_command_filter``; the first match decides.

    :param login: whether the listener requires a login.
    """
    lines = [
        # the reply to HELP names the product; RFC 5321 section 4.5.1 does not require the command
        f"/^{_BLANK}*HELP({_BLANK}|$)/ NOHELP",
        # Postfix evaluates no restriction for a postmaster without domain, who must exist (RFC 5321 section 4.5.1)
        f"/^{_RCPT}+TO:{_BLANK}*<?postmaster{_REST}$/ RCPT TO:<postmaster@{hostname}>$1",
        # any unusual spelling may mean that postmaster, and is answered with the syntax of the command;
        # usual ones match nothing, since Postfix logs each command that matches
        f"if /^{_RCPT}/",
        f"if !/^{_RCPT}+TO:{_BLANK}*<?{_WORD}{_REST}$/",
        f"if !/^{_RCPT}+TO:{_BEFORE_DOMAIN}@{_DOMAIN}{_REST}$/",
        "/^/ RCPT",
        *["endif"] * 3,
    ]
    if login:
        # without a name for the domain, Postfix looks for an owner in the local part: app%example.com@[192.0.2.1], or
        # "app@example.com"@, may be sent by the owner of app@example.com
        lines.append(rf"/^{_MAIL}.*(\[|@([]>():;,.@\"\[:space:]]|$))/ MAIL")
    return lines


def own_senders(inputs: Inputs) -> list[str]:
    """Return the senders that are ours, as keys of access(5): by name, by login, by route, or by rewriting.

    A stranger's sender is rewritten like any other, so an address that becomes ours is ours.
    """
    tables = inputs.rewrites.tables
    senders = [
        *(sender for user in inputs.users for sender in user.senders),
        *(sender for route in inputs.routes for sender in route.senders),
        *(sender for name in ("canonical", "sender_canonical", "generic") for sender in tables.get(name, ())),
    ]
    keys = [
        inputs.domain,
        inputs.hostname,
        *(name for name in inputs.host.local if not name.startswith("[")),
        *(domain.name for domain in inputs.domains),
        *(key for domain in inputs.rewrites.masquerade for key in (domain, f".{domain}")),
        *(sender[1:] if sender.startswith("@") else sender for sender in senders),
    ]
    return list(dict.fromkeys(keys))


def closed_recipients(inputs: Inputs) -> list[str]:
    """Return the recipients, as keys of access(5), whose mail would leave by an upstream with a login."""
    table = inputs.aliases
    rewritten = {
        key: value for name in ("canonical", "recipient_canonical") for key, value in _table(inputs, name).items()
    }
    open_to_all = {inputs.hostname, *(domain.name for domain in inputs.domains)}
    keys = [key if "@" in key else f"{key}@{inputs.domain}" for key in (*table, *rewritten)]
    closed = []
    for key in dict.fromkeys(keys):
        local, _at, domain = key.rpartition("@")
        if domain in open_to_all:
            address = _replaced(f"{local or 'any-name'}@{domain}", rewritten)
            if any(_uses_login(inputs, reader) for reader in _readers(address, table, inputs.domain, set())):
                closed.append(key.lstrip("@"))
    return closed


def _table(inputs: Inputs, name: str) -> t.Mapping[str, str]:
    return inputs.rewrites.tables.get(name, {})


def _replaced(address: str, table: t.Mapping[str, str]) -> str:
    """Return an address after canonical(5)."""
    local, _at, domain = address.rpartition("@")
    new = table.get(address) or table.get(f"@{domain}") or address
    return f"{local}{new}" if new.startswith("@") else new


def _readers(address: str, table: t.Mapping[str, t.Sequence[str]], domain: str, seen: set[str]) -> t.Iterator[str]:
    """Yield the addresses at the end of virtual(5)."""
    local, _at, at_domain = address.rpartition("@")
    keys = (address, local if at_domain == domain else address, f"@{at_domain}")
    found = next((table[key] for key in keys if key in table), ())
    for one in found:
        following = f"{local}{one}" if one.startswith("@") else one if "@" in one else f"{one}@{domain}"
        if following == address:
            yield address
        elif following not in seen:
            yield from _readers(following, table, domain, seen | {address})
    if not found:
        yield address


def _uses_login(inputs: Inputs, address: str) -> bool:
    """Whether mail to an address may leave by an upstream with a login; ``relay_domains`` go where they are told."""
    domain = address.rpartition("@")[2]
    if domain in [one.name for one in inputs.domains]:
        return False
    parents = [domain[index:] for index in range(len(domain)) if domain[index] == "."]
    routes = {key: route.upstream for route in inputs.routes for key in route.recipients}
    for key in (address, domain, *parents):
        if key in routes:
            return _has_login(routes[key])
    return any(map(_has_login, (inputs.upstream, *(route.upstream for route in inputs.routes if route.senders))))


def _has_login(upstream: Upstream | None) -> bool:
    return upstream is not None and upstream.has_login


def keywords(networks: t.Iterable[Network]) -> list[str]:
    """Return the keywords that EHLO does not offer, by client: only allowed networks may ask for reports (DSN_README).

    ETRN is refused, so it is not offered either.
    """
    return [f"{network} silent-discard, etrn" for network in ("127.0.0.0/8", "::1/128", *networks)]


def local_hop(hostname: str) -> str:
    """Return the line that takes the user ID of a program of this host from ``Received:`` (pickup(8))."""
    name = hostname.replace(".", r"\.")
    return rf"/^(Received: by {name} \([^()]*), from userid [0-9]+\)(.*)$/ REPLACE $1)$2"
