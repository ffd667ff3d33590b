# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts that the headers of an arrived message show: its way, its signatures, and how the receiver judged it.

They hold names, results and times, but no header as a whole, and nothing of the content.
"""

from __future__ import annotations

import dataclasses

from .document import Moment, fact


@dataclasses.dataclass(frozen=True)
class ReceivedFacts:
    """One Received field: how a server got the message (RFC 5321 section 4.4)."""

    by: str | None = fact("The server that wrote it.")
    protocol: str | None = fact("The protocol after with, such as ESMTPSA (RFC 3848). Null for a local program.")
    from_name: str | None = fact("The name that the client gave. Null for a local program.")
    from_address: str | None = fact("The address of the client, as the server saw it.")
    tls: str | None = fact("The version of TLS, if the field has it.")
    queue_id: str | None = fact("The queue ID on the server.")
    received_at: Moment | None = fact("The time in it, in UTC (RFC 3339).")


@dataclasses.dataclass(frozen=True)
class VerdictFacts:
    """The result of one method in Authentication-Results (RFC 8601)."""

    authserv_id: str = fact("Which server says so. Empty if it gives no name.")
    received_above: int = fact("How many Received fields are above it: by how many servers it passed since.")
    method: str = fact("Such as spf, dkim or dmarc.")
    result: str = fact("Such as pass, fail, none or temperror.")
    properties: dict[str, str] = fact("What was looked at, such as header.d, header.s or smtp.mailfrom.")


@dataclasses.dataclass(frozen=True)
class SignatureFacts:
    """One DKIM-Signature field (RFC 6376 section 3.5), which says nothing of its validity."""

    domain: str | None = fact("The domain that signs (d).")
    selector: str | None = fact("The selector of the key (s).")
    algorithm: str | None = fact("The algorithm (a).")
    signed: tuple[str, ...] = fact("The signed header fields in lower case, as often as they are listed (h).")
    body_is_cut: bool = fact("Whether only the beginning of the body is signed (l).")
    expires_at: Moment | None = fact("When it expires (x), in UTC (RFC 3339).")


@dataclasses.dataclass(frozen=True)
class ArrivalFacts:
    """What the headers of an arrived message say."""

    copies: int = fact("How many messages with the nonce were found.")
    author_domains: tuple[str, ...] = fact("The domain of each address in From.")
    from_fields: int = fact("How many From fields the message has; one is right (RFC 5322 section 3.6).")
    return_path: str | None = fact(
        "The domain of the sender in Return-Path. Empty for the null sender, null without the field."
    )
    received: tuple[ReceivedFacts, ...] = fact("The Received fields, the last server first.")
    verdicts: tuple[VerdictFacts, ...] = fact("The results in Authentication-Results, from the top.")
    signatures: tuple[SignatureFacts, ...] = fact("The DKIM signatures, from the top.")
