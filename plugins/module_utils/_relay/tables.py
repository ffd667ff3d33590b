# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup tables: ``texthash:``, with a key and its value on each line; no index is built that could be stale."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .inputs import Inputs
from .transports import Transport
from .upstreams import Upstream

#: Postfix's configuration directory.
DIRECTORY = "/etc/postfix"
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
        *(
            _lookup(f"relay_{name}", _REWRITING[name], (f"{key} {value}" for key, value in table.items()))
            for name, table in inputs.rewrites.tables.items()
        ),
        _lookup("relay_header_checks", "header_checks", inputs.rewrites.header_checks, "regexp"),
    ]
    logins = [
        Table(one.table.rpartition("/")[2], tuple(one.logins), {}, secret=True)
        for one in transports.values()
        if one.upstream.has_login
    ]
    return [table for table in lookups if table.lines] + logins


def _lookup(name: str, parameter: str, lines: t.Iterable[str], kind: str = "texthash") -> Table:
    return Table(name, tuple(lines), {parameter: f"{kind}:{DIRECTORY}/{name}"})


def _logins_by_sender(inputs: Inputs) -> t.Iterator[str]:
    owners: dict[str, list[str]] = {}
    for user in inputs.users:
        for sender in user.senders:
            owners.setdefault(sender, []).append(user.name)
    yield from (f"{sender} {','.join(names)}" for sender, names in owners.items())


def _aliases(inputs: Inputs) -> t.Iterator[str]:
    table = inputs.rewrites.alias_table(inputs.hostname, inputs.domain, inputs.without_postmaster)
    yield from (f"{name} {', '.join(recipients)}" for name, recipients in table.items())


def _by_recipient(inputs: Inputs, transports: t.Mapping[Upstream, Transport]) -> t.Iterator[str]:
    for domain in inputs.domains:
        if domain.to:
            yield f"{domain.name} {transports[domain.to].route}"
    for route in inputs.routes:
        yield from (f"{recipient} {_route(route.upstream, transports)}" for recipient in route.recipients)


def _by_sender(inputs: Inputs, transports: t.Mapping[Upstream, Transport]) -> t.Iterator[str]:
    for route in inputs.routes:
        yield from (f"{sender} {_route(route.upstream, transports)}" for sender in route.senders)


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
