# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a stranger can send mail to other strangers through the server, in 22 ways.

A positive reply to RCPT proves nothing: the address may mean a mailbox of the server, or the message be refused or
dropped later. Only a message that arrives at the sink does.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from .._evidence.smtp_answer import AnswerFacts
from .._evidence.smtp_probes import RelayFacts, RelayOutcome, RelayVariantFacts
from .._smtp.errors import Stage
from .._smtp.settings import address_literal
from .line import NotKnown, SessionEnded
from .message import message

if t.TYPE_CHECKING:
    from .line import Line
    from .lines import Lines, ProbeOptions

#: Sender and recipient of a stranger, from which variants differ.
_STRANGER, _SINK = "antispam@{domain}", "{user}@{domain}"


class Variant(t.NamedTuple):
    """One way to relay.

    :param name: what is special about it.
    :param recipient: forward path; ``{user}@{domain}`` is the sink, ``{server}`` and ``{ip}`` the server, ``{local}`` a
        domain of it.
    :param sender: reverse path.
    :param before: commands before MAIL, whatever the replies; EHLO follows again after such a variant.
    :param pipelined: whether MAIL and RCPT are sent together.
    """

    name: str
    recipient: str = _SINK
    sender: str = _STRANGER
    before: tuple[str, ...] = ()
    pipelined: bool = False


#: By number. 1 to 16 are those of nmap's smtp-open-relay; they vary either the sender or the recipient.
VARIANTS: t.Mapping[int, Variant] = {
    1: Variant("null sender", sender=""),
    2: Variant("stranger to stranger"),
    3: Variant("sender at the server's name", sender="antispam@{server}"),
    4: Variant("sender at the server's address", sender="antispam@{ip}"),
    5: Variant("percent hack at the server's address", "{user}%{domain}@{ip}"),
    6: Variant("percent hack at the server's name", "{user}%{domain}@{server}"),
    7: Variant("quoted address", '"{user}@{domain}"'),
    8: Variant("quoted percent hack", '"{user}%{domain}"'),
    9: Variant("two domains, the last one the server's address", "{user}@{domain}@{ip}"),
    10: Variant("quoted address at the server's address", '"{user}@{domain}"@{ip}'),
    11: Variant("two domains, the last one the server's name", "{user}@{domain}@{server}"),
    12: Variant("source route over the server's address", "@{ip}:{user}@{domain}"),
    13: Variant("source route over the server's name", "@{server}:{user}@{domain}"),
    14: Variant("UUCP path", "{domain}!{user}"),
    15: Variant("UUCP path at the server's address", "{domain}!{user}@{ip}"),
    16: Variant("UUCP path at the server's name", "{domain}!{user}@{server}"),
    17: Variant("forged sender of a domain of the server", sender="postmaster@{local}"),
    18: Variant("no name in HELO, and EHLO localhost", before=("HELO", "EHLO localhost")),
    19: Variant("two domains, the last one empty", "{user}@{domain}@"),
    20: Variant("local parts in UTF-8", "{user}+\u00fc@{domain}", "antisp\u00e4m@{domain}"),
    21: Variant("after RSET", before=("MAIL FROM:<>", "RCPT TO:<{recipient}>", "RSET")),
    22: Variant("pipelined", pipelined=True),
}

#: Words of a refusal for want of a login, for servers that do not say it by a 530 (RFC 4954 section 6).
_WANTS_LOGIN = re.compile(r"\bauthenticat|\bauth first\b|\blog ?in (?:is )?(?:required|first)", re.IGNORECASE)
#: A refusal to relay, such as the temporary one of Postfix' defer_unauth_destination; not a name such as relay.a.test.
NO_RELAY = re.compile(r"(?<![\w.@%!<+-])relay(?:ing|ed)?\b(?![-\w@%+\[]|\.\w)", re.IGNORECASE)
#: The last label of a name is not a number.
_HOST_NAME = re.compile(r"[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*\Z", re.IGNORECASE)
_ADDRESS = re.compile(r"[0-9a-f.:]+(?:%|\Z)")


def probe_relay(lines: Lines, options: ProbeOptions) -> RelayFacts:
    """Try all variants.

    :raises NotKnown: there is no sink, or the server does not serve this client.
    """
    if "@" not in options.sink:
        raise NotKnown("it needs probe_sink: an address of another mail server, to which the messages may go")
    attempts = _Attempts(lines, options)
    mail, local = attempts.prove_service()
    return RelayFacts(mail, local, tuple(attempts.of(number, variant) for number, variant in VARIANTS.items()))


class _Attempts:
    def __init__(self, lines: Lines, options: ProbeOptions) -> None:
        self._lines = lines
        self._options = options
        self._names: dict[str, str] = {}
        self._transaction: tuple[Line, str] | None = None  # the session and the sender of a MAIL that was accepted

    def prove_service(self) -> tuple[AnswerFacts, AnswerFacts | None]:
        """Return the replies to a null sender and to a local recipient, as each server must take them."""
        line = self._lines.ready()
        self._names = _names(line, self._lines.settings.host, self._options)
        mail = line.ask("MAIL FROM:<>", Stage.MAIL)
        if 300 <= mail.code < 500:
            raise NotKnown(f'the server does not serve this client now: "{line.last}"')
        recipient = self._options.local_recipient
        local = line.ask(f"RCPT TO:<{recipient}>", Stage.RCPT) if mail.code < 300 and recipient else None
        line.ask("RSET", Stage.MAIL)
        return mail, local

    def of(self, number: int, variant: Variant) -> RelayVariantFacts:
        """Try one variant; once more if the server ends the session, as many do after some errors."""
        sender, recipient = variant.sender.format(**self._names), variant.recipient.format(**self._names)
        tried = RelayVariantFacts(number, variant.name, sender, recipient, None)
        for last in (False, True):
            try:
                return self._try(tried, variant)
            except NotKnown as error:
                if last or not isinstance(error, SessionEnded):
                    self._note(number, "", error)
                    break
        return tried

    def _note(self, number: int, fact: str, reason: NotKnown) -> None:
        self._lines.note(f"relay.variants[{number - 1}]{fact}", reason)

    def _try(self, tried: RelayVariantFacts, variant: Variant) -> RelayVariantFacts:
        line = self._lines.ready()
        for command in variant.before:
            line.ask(command.format(recipient=self._options.local_recipient))
        answer = self._envelope(line, variant, tried)
        tried = dataclasses.replace(tried, answer=answer)
        try:
            tried = dataclasses.replace(tried, outcome=_outcome(answer, line))
        except NotKnown as error:
            self._note(tried.number, ".outcome", error)
        if tried.outcome is RelayOutcome.ACCEPTED and self._options.send_messages:
            tried = self._send(line, tried)
        if variant.before and line.usable:
            line.say_hello()
        return tried

    def _envelope(self, line: Line, variant: Variant, tried: RelayVariantFacts) -> AnswerFacts:
        """Send MAIL and RCPT, and return the reply that decides; variants of one sender share a transaction."""
        utf8 = " SMTPUTF8" if not tried.sender.isascii() and "SMTPUTF8" in line.capabilities else ""
        mail, rcpt = f"MAIL FROM:<{tried.sender}>{utf8}", f"RCPT TO:<{tried.recipient}>"
        alone = bool(variant.before) or variant.pipelined
        if alone or self._transaction != (line, tried.sender):
            if not variant.before:
                line.ask("RSET", Stage.MAIL)
            self._transaction = None
            if variant.pipelined:
                line.send(f"{mail}\r\n{rcpt}\r\n".encode())
                answer = line.read(Stage.MAIL)
                after = line.read(Stage.RCPT)
                return after if answer.code < 300 else answer
            answer = line.ask(mail, Stage.MAIL)
            if answer.code >= 300:
                return answer
        answer = line.ask(rcpt, Stage.RCPT)
        self._transaction = None if alone or answer.code < 400 else (line, tried.sender)
        return answer

    def _send(self, line: Line, tried: RelayVariantFacts) -> RelayVariantFacts:
        nonce = f"{self._options.nonce}-r{tried.number}"
        end = line.ask("DATA", Stage.DATA)
        if not line.last.intermediate:
            return dataclasses.replace(tried, end_of_data=end)
        tried = dataclasses.replace(tried, nonce=nonce)
        try:
            line.send(message(nonce, tried.sender, self._options.sink) + b".\r\n")
            return dataclasses.replace(tried, end_of_data=line.read(Stage.END_OF_DATA))
        except SessionEnded as error:  # the message may arrive nevertheless
            self._note(tried.number, ".end_of_data", error)
            return tried


def _outcome(answer: AnswerFacts, line: Line) -> RelayOutcome:
    """Tell what a reply to MAIL or RCPT means.

    :raises NotKnown: it tells nothing.
    """
    said = f'"{answer.code} {answer.text}"'
    if answer.code == 530 and line.tls_version is None and "starttls" in answer.text.lower():
        raise NotKnown(f"the server wants TLS first: {said}")
    if answer.code < 300:
        return RelayOutcome.ACCEPTED
    if answer.code == 530 or (answer.code >= 500 and _WANTS_LOGIN.search(answer.text)):
        return RelayOutcome.AUTHENTICATION_REQUIRED
    if answer.code >= 500 or NO_RELAY.search(answer.text):
        return RelayOutcome.REFUSED
    raise NotKnown(f"the server cannot tell now: {said}")


def _names(line: Line, host: str, options: ProbeOptions) -> dict[str, str]:
    """Return what stands for the placeholders of a variant."""
    user, _at, domain = options.sink.rpartition("@")
    first = line.greeting.text.split(" ")[0]
    server = next((one for one in (first, host) if _HOST_NAME.match(one)), address_literal(host))
    local = options.local_domain or options.local_recipient.rpartition("@")[2]
    if "." not in local:
        _first, _dot, rest = server.partition(".")
        local = rest if _HOST_NAME.match(rest) else server
    ip = address_literal(line.address) if _ADDRESS.match(line.address) else "[127.0.0.1]"
    return {"user": user, "domain": domain, "server": server, "ip": ip, "local": local}
