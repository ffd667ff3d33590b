# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One sender for all mail to an upstream (``sender``), as lines of regexp tables (regexp_table(5)).

The envelope is rewritten by cleanup(8), before a route is chosen. The null sender is looked up, too, as two quotes
without an ``@``; bounces must keep it. The header is rewritten by the transport, so it changes only for that upstream,
and Reply-To stays.
"""

from __future__ import annotations

import re
import typing as t

from .inputs import Inputs

#: What ends an address that stands alone, in a bracket expression.
_ENDS = r'][[:space:]"(),:;<>\\'
#: A display name: quoted strings, and characters that neither are special nor begin an address (RFC 5322 section 3.4).
_DISPLAY = r'("([^"\\]|\\.)*"|[^"<>,@])*'


def envelope_lines(inputs: Inputs) -> list[str]:
    """Return what becomes of each envelope sender; none if no upstream has a sender. The first match applies."""
    default = inputs.upstream.sender if inputs.upstream else ""
    routes = {
        sender: route.upstream.sender if route.upstream else "" for route in inputs.routes for sender in route.senders
    }
    if not default and not any(routes.values()):
        return []
    # notices must keep their sender within this host, where it ends loops of bounces
    notices = {f"double-bounce@{inputs.hostname}": ""}
    exact = {sender: new for sender, new in routes.items() if not sender.startswith("@")}
    lines = [_line(f"^({_with_extension(old)})$", new) for old, new in {**notices, **exact}.items()]
    lines += [_line(f"^([^@]*{_literal(old)})$", new) for old, new in routes.items() if old.startswith("@")]
    return [*lines, _line(_any_sender(inputs), default)] if default else lines


def notice_sender(inputs: Inputs) -> dict[str, str]:
    """Return the sender of notices as an entry of ``generic``, which applies when they leave this host."""
    sender = inputs.upstream.sender if inputs.upstream else ""
    return {f"double-bounce@{inputs.hostname}": sender} if sender else {}


def header_lines(sender: str) -> tuple[str, ...]:
    """Return what becomes of the fields that name the sender. A name stays; an address alone becomes the name."""
    own, new = _literal(sender), _replacement(sender)
    return (
        rf"/^From:({_DISPLAY}<|[[:space:]]*){own}>?[[:space:]]*$/ DUNNO",
        rf'/^From:[[:space:]]*<?([^{_ENDS}]+)>?[[:space:]]*$/ REPLACE From: "$1" <{new}>',
        rf'/^From:[[:space:]]*[^{_ENDS}]+[[:space:]]*\(([^()"\\]+)\)[[:space:]]*$/ REPLACE From: "$1" <{new}>',
        rf"/^From:({_DISPLAY})<.*$/ REPLACE From:$1<{new}>",
        rf"/^From:/ REPLACE From: <{new}>",
        "/^Sender:/ IGNORE",
    )


def _any_sender(inputs: Inputs) -> str:
    """Return a pattern for the senders of this host and its clients, who may send as anyone unless it is an MX."""
    if not inputs.domains:
        return "@"
    names = "|".join(map(_literal, (inputs.hostname, *inputs.host.local)))
    return rf"@(([^@]+\.)?{_literal(inputs.domain)}|{names})$"


def _with_extension(address: str) -> str:
    name, _at, domain = map(_literal, address.rpartition("@"))
    return rf"{name}(\+[^@]*)?@{domain}"


def _line(pattern: str, sender: str) -> str:
    """Return a line; without a sender, what the first parentheses match stays as it is."""
    return f"/{pattern}/ {_replacement(sender) or '$1'}"


def _literal(text: str) -> str:
    """Return a pattern that matches only this text; other characters must not be quoted, since GNU has operators."""
    return re.sub(r"[][\\.^$*+?(){}|/]", r"\\\g<0>", text)


def _replacement(text: str) -> str:
    return text.replace("$", "$$")


def proof_sender(inputs: Inputs) -> str:
    """Return a sender as of a host behind the relay, so that the proof fails where mail of such a host would.

    Without such hosts, it is a user's, or that of a program of this host.
    """
    if inputs.networks:
        return f"root@{inputs.hostname}"
    own: t.Iterable[str] = (sender for user in inputs.users for sender in user.senders if not sender.startswith("@"))
    return next(iter(own), f"postmaster@{inputs.domain}")
