# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof of a mail server's configuration: a message that it must hand over to the next server."""

from __future__ import annotations

import typing as t
from email.message import EmailMessage
from email.utils import format_datetime, localtime, make_msgid

from .._smtp.delivery import DeliveryStatus, Envelope
from .._smtp.errors import SmtpError
from .._smtp.session import SmtpSession
from .._smtp.settings import ServerSettings
from .._smtp.tls import TlsMode, TlsPolicy
from .._transaction.model import TransactionError
from .commands import Commands
from .postfix import Way, follow

#: Where every Postfix of this collection listens; programs of the host use it, too.
_LOOPBACK = ServerSettings("127.0.0.1", 25, tls=TlsPolicy(mode=TlsMode.NONE))


def send_proof(commands: Commands, option: t.Mapping[str, t.Any]) -> Way:
    """Send the message to port 25 on loopback, and follow it until the next server has accepted it.

    A message that does not get through is removed from the queue, since it would prove nothing later.

    :raises TransactionError: Postfix did not accept it.
    """
    queue_id = _submit(option)
    way = follow(commands, queue_id, option["timeout"])
    if way.problem:
        for one in {queue_id, *(hop["queue_id"] for hop in way.hops)}:
            commands.run(["postsuper", "-d", one])
    return way


def _submit(option: t.Mapping[str, t.Any]) -> str:
    """Return the queue ID that Postfix gave the message."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = option["from"], option["to"], option["subject"]
    message["Date"], message["Message-ID"] = format_datetime(localtime()), make_msgid()
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 section 5: no out-of-office replies
    message.set_content(option["body"])
    content = message.as_bytes().replace(b"\n", b"\r\n")
    try:
        with SmtpSession(_LOOPBACK) as session:
            result = session.deliver(Envelope(option["from"], (option["to"],), content))
    except (SmtpError, ValueError) as error:
        raise TransactionError(f"Postfix did not accept the message of the proof: {error}") from error
    refused = [one.problem for one in result.recipients if one.status is not DeliveryStatus.SENT]
    if refused or not result.queue_id:
        raise TransactionError(f"Postfix did not accept the message of the proof: {' '.join(refused) or 'no queue ID'}")
    return result.queue_id
