# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether anything but CR LF . CR LF ends a message (CVE-2023-51764, RFC 5321 section 4.1.1.4).

Each message hides a second one behind a false end. A server that answers more than once ended the message there. One
that gives a single reply took all as text; the next server may still end it there, which only an arrival tells.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._evidence.smtp_answer import AnswerFacts
from .._evidence.smtp_probes import SmugglingFacts, SmugglingOutcome
from .._smtp.delivery import find_queue_id
from .._smtp.errors import Stage
from .line import NotKnown, SessionEnded
from .message import message

if t.TYPE_CHECKING:
    from .line import Line
    from .lines import Lines, ProbeOptions

#: False ends of data: those that servers took from clients, then those that servers passed on to others.
SEQUENCES: tuple[bytes, ...] = (
    *(b"\n.\n", b"\n.\r", b"\r.\n", b"\r.\r", b"\n.\r\n", b"\r.\r\n", b"\r\n\0.\r\n"),
    *(b"\r\n.\r\r\n", b"\r\r\n.\r\r\n"),
)
_SHOWN = str.maketrans({"\r": "\\r", "\n": "\\n", "\0": "\\0"})
#: Replies to read at most: a server that ends the data answers each line of what follows.
_MOST_REPLIES = 40


def probe_smuggling(lines: Lines, options: ProbeOptions) -> tuple[SmugglingFacts, ...]:
    """Send a right message, then one with each sequence, logged in if the settings have a login.

    :raises NotKnown: the server does not take the right message.
    """
    attempts = _Attempts(lines, options)
    attempts.prove_service()
    return tuple(attempts.of(number, sequence) for number, sequence in enumerate(SEQUENCES))


class _Attempts:
    def __init__(self, lines: Lines, options: ProbeOptions) -> None:
        self._lines = lines
        self._options = options
        self._own: Line | None = None  # the session with a login
        self._usual = 1
        self._sent = False
        self._login = lines.login is not None and bool(options.sink)
        self._recipient = options.sink if self._login else options.local_recipient
        self._sender = options.login_sender or lines.login or "" if self._login else options.sink

    def prove_service(self) -> None:
        """Send a right message, and count the replies."""
        right = message(f"{self._options.nonce}-s0", self._sender, self._recipient) + b".\r\n"
        answers, _queue_ids = self._send(right)
        if answers[0].code >= 300:
            raise NotKnown(f'the server takes no message from here: "{answers[0].code} {answers[0].text}"')
        self._usual = len(answers)

    def of(self, number: int, sequence: bytes) -> SmugglingFacts:
        """Try one sequence."""
        seen = SmugglingFacts(sequence.decode().translate(_SHOWN), None)
        nonce = f"{self._options.nonce}-s{number + 1}"
        self._sent = False
        try:
            answers, queue_ids = self._send(self._content(sequence, nonce))
            seen = dataclasses.replace(seen, answer=answers[0], replies=len(answers), queue_ids=queue_ids)
            seen = dataclasses.replace(seen, outcome=self._outcome(answers))
        except NotKnown as error:
            self._lines.note(f"smuggling[{number}]", error)
        # whatever the server said, the message may arrive
        return dataclasses.replace(seen, nonce=nonce if self._sent else None)

    def _outcome(self, answers: t.Sequence[AnswerFacts]) -> SmugglingOutcome:
        first = answers[0]
        if len(answers) > self._usual:
            return SmugglingOutcome.ENDED
        if first.code < 300:
            return SmugglingOutcome.SWALLOWED
        if first.code >= 500:
            return SmugglingOutcome.REFUSED
        raise NotKnown(f'the server cannot tell now: "{first.code} {first.text}"')

    def _send(self, content: bytes) -> tuple[list[AnswerFacts], tuple[str, ...]]:
        """Send content, once more if the server ends the session, and return the replies and queue IDs."""
        for last in (False, True):
            line = self._open_data()
            line.send(content)
            self._sent = True
            try:
                return self._replies(line)
            except SessionEnded as error:
                if last:
                    raise NotKnown(f"after the content, {error}") from error
        raise AssertionError

    def _line(self) -> Line:
        if not self._login:
            return self._lines.ready()
        if self._own is None or not self._own.usable:
            self._own = self._lines.logged_in()
        return self._own

    def _open_data(self) -> Line:
        """Return a session that waits for content; begun anew if the server has ended the one before."""
        try:
            return self._envelope(self._line())
        except SessionEnded:
            return self._envelope(self._line())

    def _envelope(self, line: Line) -> Line:
        line.ask("RSET", Stage.MAIL)
        for command, stage in (*self._commands(), ("DATA", Stage.DATA)):
            line.ask(command, stage)
            if not (line.last.intermediate if stage is Stage.DATA else line.last.positive):
                raise NotKnown(f'the server takes no message from here: "{line.last}"')
        return line

    def _commands(self) -> tuple[tuple[str, Stage], ...]:
        return (f"MAIL FROM:<{self._sender}>", Stage.MAIL), (f"RCPT TO:<{self._recipient}>", Stage.RCPT)

    def _content(self, sequence: bytes, nonce: str) -> bytes:
        """Return a message, the false end, the commands and content of the second message, and the true end."""
        outer = message(f"{nonce}-outer", self._sender, self._recipient, ended=False)
        commands = "".join(f"{command}\r\n" for command, _stage in self._commands()).encode() + b"DATA\r\n"
        return outer + sequence + commands + message(nonce, self._sender, self._recipient) + b".\r\n"

    @staticmethod
    def _replies(line: Line) -> tuple[list[AnswerFacts], tuple[str, ...]]:
        """Return all replies to the content, up to the known reply to an EHLO behind it, and the queue IDs in them."""
        hello = line.hello
        answers = [line.read(Stage.END_OF_DATA)]
        queue_ids = [find_queue_id(line.last)]
        try:
            line.send(f"EHLO {line.name}\r\n".encode())
            while len(answers) < _MOST_REPLIES:
                answer = line.read(Stage.END_OF_DATA)
                if line.last == hello:
                    break
                answers.append(answer)
                queue_ids.append(find_queue_id(line.last))
        except SessionEnded:
            if answers[0].code < 400 and len(answers) == 1:
                raise
        line.hello = hello
        return answers, tuple(one for one in queue_ids if one)
