# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One mail transaction of another client, passed on in a session as it is said: commands, content and replies."""

from __future__ import annotations

import typing as t

from .errors import SmtpError, Stage
from .reply import Reply

if t.TYPE_CHECKING:
    from .session import SmtpSession

#: A command of the other client, with its end, and its stage: MAIL, RCPT or DATA.
Command = tuple[Stage, bytes]

_NO_RECIPIENT = Reply(503, ("5.5.1 No valid recipients",))


class PassedTransaction:
    """A transaction, from MAIL to the reply to the content.

    :ivar accepted: how many recipients the server has accepted; without the sender, none counts.
    """

    def __init__(self, session: SmtpSession) -> None:
        self._session = session
        self._pipelining = "PIPELINING" in session.capabilities
        self._refused = False
        self.accepted = 0

    def ask(self, group: t.Sequence[Command]) -> t.Iterator[Reply]:
        """Pass on commands, together if the server takes them so (RFC 2920), and yield the reply to each.

        DATA without a recipient is refused here (RFC 2033 section 4.2).

        :raises SmtpError: the session failed, so that the commands without a reply have none.
        """
        session = self._session
        session.expect_silence(group[0][0])
        if self._pipelining:
            session.send(b"".join(command for _stage, command in group), group[0][0])
        for stage, command in group:
            if not self._pipelining:
                if stage is Stage.DATA and not self.accepted:
                    yield _NO_RECIPIENT
                    continue
                session.send(command, stage)
            reply = session.read(stage)
            self._refused = self._refused or (stage is Stage.MAIL and not reply.positive)
            self.accepted += stage is Stage.RCPT and reply.positive and not self._refused
            yield self._without_content() if reply.intermediate and not self.accepted else reply

    def _without_content(self) -> Reply:
        """End the content that the server waits for although there is no recipient (RFC 2920 section 3.1)."""
        self._session.send(b".\r\n", Stage.BODY)
        self._session.read(Stage.END_OF_DATA)
        return _NO_RECIPIENT

    def pass_content(self, pieces: t.Iterable[bytes]) -> Reply:
        """Pass on the content, dot-stuffed and with its end, piece by piece as it arrives.

        :returns: the reply, which is for all recipients.
        :raises SmtpError: the session failed; only the server knows whether it has the message.
        """
        self._session.expect_silence(Stage.DATA)  # a reply that waits would be taken for that to the content
        try:
            for piece in pieces:
                self._session.send(piece, Stage.BODY)
        except SmtpError as error:
            raise self._session.last_words(error) from None
        except BaseException:
            self._session.abandon()
            raise
        return self._session.read(Stage.END_OF_DATA)
