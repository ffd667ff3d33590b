# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup tables: ``texthash:``, with a key and its value on each line; no index is built that could be stale."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from . import strangers
from .inputs import Inputs
from .senders import envelope_lines, header_lines, notice_sender
from .transports import DIRECTORY, LOCAL_HOP, Transport
from .upstreams import Upstream

#: The Postfix parameter for each table of ``relay_rewrites``.
_REWRITING: t.Mapping[str, str] = {
    "canonical": "canonical_maps",
    "sender_canonical": "sender_canonical_maps",
    "recipient_canonical": "recipient_canonical_maps",
    "generic": "smtp_generic_maps",
}


@dataclass(frozen=True)
class Table:
    """One lookup table.

    :param name: name of its file.
    :param lines: lines of its file.
    :param parameters: parameters of main.cf that refer to it.
    :param secret: whether it contains passwords.
    """

    name: str
    lines: tuple[str, ...]
    parameters: t.Mapping[str, str]
    secret: bool = False

    @property
    def file(self) -> dict[str, str]:
        """Its entry in ``files`` of ``config_transaction``, without the path."""
        text = "".join(f"{line}\n" for line in self.lines)
        return {"secret": text, "mode": "0600"} if self.secret else {"content": text, "mode": "0644"}


def postfix_tables(inputs: Inputs, transports: t.Mapping[Upstream, Transport]) -> list[Table]:
    """Return the tables that this relay needs."""
    lookups = [
        _lookup("relay_senders", "smtpd_sender_login_maps", _logins_by_sender(inputs)),
        _lookup("relay_aliases", "virtual_alias_maps", _aliases(inputs)),
        _lookup("relay_transports", "transport_maps", _by_recipient(inputs, transports)),
        _lookup("relay_sender_transports", "sender_dependent_default_transport_maps", _by_sender(inputs, transports)),
        _lookup("relay_recipients", "relay_recipient_maps", _recipients(inputs)),
        _probed(inputs),
        *_stranger_tables(inputs),
        *(
            _lookup(f"relay_{name}", _REWRITING[name], (f"{key} {value}" for key, value in table.items()))
            for name, table in _address_tables(inputs).items()
        ),
        _envelope_senders(inputs),
        _lookup("relay_header_checks", "header_checks", inputs.rewrites.header_checks, "regexp"),
    ]
    logins = [
        Table(one.table.rpartition("/")[2], tuple(one.logins), {}, secret=True)
        for one in transports.values()
        if one.upstream.has_login
    ]
    headers = [
        Table(one.header_table.rpartition("/")[2], header_lines(one.upstream.sender), {})
        for one in transports.values()
        if one.upstream.sender
    ]
    return [table for table in lookups if table.lines] + headers + logins


def _lookup(name: str, parameter: str, lines: t.Iterable[str], kind: str = "texthash") -> Table:
    return Table(name, tuple(lines), {parameter: f"{kind}:{DIRECTORY}/{name}"})


def _logins_by_sender(inputs: Inputs) -> t.Iterator[str]:
    owners: dict[str, list[str]] = {}
    for user in inputs.users:
        for sender in user.senders:
            owners.setdefault(sender, []).append(user.name)
    yield from (f"{sender} {','.join(names)}" for sender, names in owners.items())


def _aliases(inputs: Inputs) -> t.Iterator[str]:
    yield from (f"{name} {', '.join(recipients)}" for name, recipients in inputs.aliases.items())


def _address_tables(inputs: Inputs) -> dict[str, t.Mapping[str, str]]:
    tables = inputs.rewrites.address_tables(inputs.host)
    return {**tables, "generic": {**notice_sender(inputs), **tables.get("generic", {})}}


def _envelope_senders(inputs: Inputs) -> Table:
    table = _lookup("relay_one_sender", "sender_canonical_maps", envelope_lines(inputs), "regexp")
    return replace(table, parameters={**table.parameters, "sender_canonical_classes": "envelope_sender"})


def _by_recipient(inputs: Inputs, transports: t.Mapping[Upstream, Transport]) -> t.Iterator[str]:
    for domain in inputs.domains:
        if domain.to:
            yield f"{domain.name} {transports[domain.to].route}"
    for route in inputs.routes:
        yield from (f"{recipient} {_route(route.upstream, transports)}" for recipient in route.recipients)


def _by_sender(inputs: Inputs, transports: t.Mapping[Upstream, Transport]) -> t.Iterator[str]:
    for route in inputs.routes:
        yield from (f"{sender} {_route(route.upstream, transports)}" for sender in route.all_senders)


def _route(upstream: Upstream | None, transports: t.Mapping[Upstream, Transport]) -> str:
    # without a next hop, Postfix uses the MX of the recipient
    return transports[upstream].route if upstream else "smtp:"


def _recipients(inputs: Inputs) -> t.Iterator[str]:
    """Yield every recipient of the domains; for a domain whose next server is asked, the whole domain."""
    if all(domain.recipients is None for domain in inputs.domains):
        return
    for domain in inputs.domains:
        known = (f"@{domain.name}",) if domain.recipients is None else domain.recipients
        yield from (f"{recipient} ok" for recipient in known)


def _probed(inputs: Inputs) -> Table:
    """Domains whose next server is asked about each recipient of an outside client (ADDRESS_VERIFICATION_README)."""
    lines = [f"{domain.name} reject_unverified_recipient" for domain in inputs.domains if domain.recipients is None]
    # clients that may relay do not wait for that server; their mail is queued
    access = f"permit_mynetworks, permit_sasl_authenticated, check_recipient_access texthash:{DIRECTORY}/relay_probed"
    return Table("relay_probed", tuple(lines), {"smtpd_recipient_restrictions": access})


def _stranger_tables(inputs: Inputs) -> t.Iterator[Table]:
    """Yield what clients may say, and what strangers may not do."""
    yield _lookup("relay_commands", "smtpd_command_filter", strangers.commands(inputs.hostname), "regexp")
    if any(listener.login for listener in inputs.listeners):
        yield Table("relay_login_commands", tuple(strangers.commands(inputs.hostname, login=True)), {})
        yield Table("relay_login_senders", strangers.QUOTED_SENDERS, {})
    yield _lookup(LOCAL_HOP, "smtp_header_checks", [strangers.local_hop(inputs.hostname)], "regexp")
    keywords = strangers.keywords(inputs.networks)
    yield _lookup("relay_keywords", "smtpd_discard_ehlo_keyword_address_maps", keywords, "cidr")
    checks = strangers.checks(inputs)
    yield from (Table(one.table, one.lines, {}) for one in checks)


def stranger_restrictions(inputs: Inputs) -> str:
    """Return ``smtpd_relay_restrictions``: the names of this host first, so that DNS is asked last."""
    return ", ".join(
        [
            *("permit_mynetworks", "reject_unauth_destination", "reject_unlisted_recipient"),
            *(f"{one.restriction} {one.kind}:{DIRECTORY}/{one.table}" for one in strangers.checks(inputs)),
            *("reject_non_fqdn_sender", "reject_unknown_sender_domain"),
        ]
    )
