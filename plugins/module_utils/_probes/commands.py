# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server says to single commands: those that tell or change too much, and those at the wrong time."""

from __future__ import annotations

import base64
import dataclasses
import re
import secrets
import typing as t

from .._evidence.smtp_answer import AnswerFacts
from .._evidence.smtp_probes import (
    BannerFacts,
    ClearAuthFacts,
    CommandFacts,
    EarlyTalkFacts,
    InjectionFacts,
    LoginReplyFacts,
    SizeFacts,
)
from .._smtp.answer import answer
from .._smtp.errors import Stage
from .line import CLOSING, NotKnown, SessionEnded

if t.TYPE_CHECKING:
    from .line import Line
    from .lines import Lines, ProbeOptions


class Command(t.NamedTuple):
    """One command.

    :param keyword: with which EHLO offers it.
    :param line: ``{local}`` is a recipient of the server, ``{nonce}`` a name that does not exist.
    :param undo: the command that undoes it, if it succeeds.
    :param refusals: temporary replies that are refusals nevertheless.
    """

    keyword: str
    line: str
    undo: str = ""
    refusals: tuple[int, ...] = ()


COMMANDS: tuple[Command, ...] = (
    Command("VRFY", "VRFY {local}"),
    Command("VRFY", "VRFY {nonce}"),
    Command("EXPN", "EXPN {local}"),
    Command("ETRN", "ETRN {nonce}.invalid", refusals=(458, 459)),  # RFC 1985 section 5.3
    Command("HELP", "HELP"),
    Command("DSN", "MAIL FROM:<> RET=HDRS ENVID={nonce}", "RSET"),
    Command("XFORWARD", "XFORWARD NAME=[UNAVAILABLE]"),
    # the last: a server that obeys begins a new session
    Command("XCLIENT", "XCLIENT NAME=[UNAVAILABLE]", "EHLO {name}"),
)
#: A reply that neither confirms nor denies (RFC 5321 section 3.5.3).
_LEFT_OPEN = 252
#: Names of servers and appliances in greetings.
_PRODUCTS = re.compile(
    r"\b(Postfix|Exim|Sendmail|n?qmail|netqmail|Microsoft ESMTP MAIL Service|Exchange|OpenSMTPD|Haraka|Stalwart|Maddy"
    r"|Dovecot|Courier|Zimbra|hMailServer|MailEnable|MDaemon|Kerio(?: Connect)?|IceWarp|CommuniGate(?: Pro)?"
    r"|(?:Lotus )?Domino|GroupWise|SmarterMail|Axigen|Cyrus|James|mailcow|PowerMTA|Momentum|KumoMTA|ZoneMTA|Halon"
    r"|Proxmox|Barracuda|IronPort|FortiMail|Symantec|MailMarshal|Mimecast|Sophos|Trend ?Micro"
    r"|Debian|Ubuntu|CentOS|Rocky|Fedora|FreeBSD|OpenBSD|Raspbian|Windows)\b",
    re.IGNORECASE,
)
_VERSION = re.compile(r"(?<![\w.\[-])v?\d{1,4}(?:\.\d{1,5}){1,3}[\w+-]*(?![\w.\]-])")
#: How long a server may take to answer a command that was injected ahead of TLS, in seconds.
_INJECTED = 1.5
_IN_CLEAR = 0.2


def probe_banner(lines: Lines, options: ProbeOptions) -> BannerFacts:
    """Read product names and versions in the greeting."""
    del options
    return banner_of(lines.clear().greeting)


def banner_of(greeting: AnswerFacts) -> BannerFacts:
    """What a greeting tells of the software."""
    name, _blank, rest = greeting.text.partition(" ")
    products, versions = _PRODUCTS.findall(rest), _VERSION.findall(rest)
    return BannerFacts(greeting, name, tuple(dict.fromkeys(products)), tuple(dict.fromkeys(versions)))


def probe_commands(lines: Lines, options: ProbeOptions) -> tuple[CommandFacts, ...]:
    """Try each command before a login."""
    found = []
    for number, command in enumerate(COMMANDS):
        try:
            found.append(_try(lines.clear(), command, options))
        except SessionEnded as error:
            lines.note(f"commands[{number}]", f"{command.keyword}: {error}")
    return tuple(_tell_apart(found))


def _tell_apart(found: t.Sequence[CommandFacts]) -> t.Iterator[CommandFacts]:
    """Take VRFY for usable if it answers 252 for a user, and refuses an unknown one."""
    refused = {one.answer.code for one in found if one.command.startswith("VRFY") and one.usable is False}
    for one in found:
        tells = one.command.startswith("VRFY") and one.answer.code == _LEFT_OPEN and refused
        yield dataclasses.replace(one, usable=True) if tells else one


def _try(line: Line, command: Command, options: ProbeOptions) -> CommandFacts:
    names = {"local": options.local_recipient, "nonce": options.nonce, "name": line.name}
    text = command.line.format(**names)
    said = line.ask(text)
    done = said.code < 300 and said.code != _LEFT_OPEN
    open_ = said.code == _LEFT_OPEN or (300 <= said.code < 500 and said.code not in command.refusals)
    if command.undo and done:
        line.ask(command.undo.format(**names))
    return CommandFacts(text, command.keyword in line.capabilities, None if open_ else done, said)


def probe_size(lines: Lines, options: ProbeOptions) -> SizeFacts:
    """Announce a message of one octet more than the server takes."""
    del options
    line = lines.clear()
    offered = line.capabilities.max_size
    if offered is None:
        return SizeFacts(None)
    said = line.ask(f"MAIL FROM:<> SIZE={offered + 1}", Stage.MAIL)
    line.ask("RSET", Stage.MAIL)  # Postfix would refuse every further MAIL, since it keeps the size that it refused
    return SizeFacts(offered, said)


def probe_clear_auth(lines: Lines, options: ProbeOptions) -> ClearAuthFacts:
    """Begin a login before TLS, without sending one."""
    del options
    line = lines.clear()
    if line.tls_version:
        raise NotKnown("the port has TLS from the first octet")
    said = line.ask("AUTH PLAIN", Stage.AUTH)
    if 300 <= said.code < 400:
        line.ask("*", Stage.AUTH)
    return ClearAuthFacts(line.capabilities.auth_mechanisms, said)


def probe_injection(lines: Lines, options: ProbeOptions) -> InjectionFacts:
    """Send a command in clear behind STARTTLS, and look whether it is answered inside TLS."""
    del options
    line = lines.clear()
    if line.tls_version or "STARTTLS" not in line.capabilities:
        raise NotKnown("the server does not offer STARTTLS")
    line = lines.clear(keep=False)
    line.send(b"STARTTLS\r\nNOOP\r\n")
    starttls = line.read(Stage.STARTTLS)
    if starttls.code >= 300:
        line.drop()
        return InjectionFacts(starttls)
    try:
        in_clear = line.another_reply(_IN_CLEAR)
        if in_clear:
            line.drop()
            return InjectionFacts(starttls, in_clear)
        line.start_tls()
        injected = line.another_reply(_INJECTED)
        mail = line.ask("MAIL FROM:<>", Stage.MAIL)
        if mail.code < 300:
            line.ask("RSET", Stage.MAIL)
        line.say_hello()
    except NotKnown as error:
        line.drop()
        return InjectionFacts(starttls, refusal=str(error))
    lines.keep(line)
    return InjectionFacts(starttls, answered_in_tls=injected is not None, mail_without_ehlo=mail)


def probe_early_talk(lines: Lines, options: ProbeOptions) -> EarlyTalkFacts:
    """Send EHLO before the greeting (RFC 5321 section 4.3.1)."""
    del options
    line = lines.bare()
    if lines.implicit:
        line.start_tls()
    line.send(f"EHLO {line.name}\r\n".encode())
    try:
        greeting = line.read(Stage.GREETING)
        try:
            said: AnswerFacts | None = line.read()
        except SessionEnded:
            said = answer(line.last, line.milliseconds) if line.last.code == CLOSING else None
    finally:
        line.quit()
    return EarlyTalkFacts(greeting, said)


def probe_login_replies(lines: Lines, options: ProbeOptions) -> LoginReplyFacts:
    """Log in once with a wrong password, and once as a user that does not exist."""
    line = lines.ready()
    if line.tls_version is None:
        raise NotKnown("the server has no TLS, so no user name is sent")
    domain = options.username.rpartition("@")[2] if "@" in options.username else ""
    unknown_user = options.nonce + (f"@{domain}" if domain else "")
    wrong = _log_in(lines.ready(), options.username) if options.username else None
    unknown = _log_in(lines.ready(), unknown_user)
    same = (
        (wrong.code, _without(wrong.text, options.username)) == (unknown.code, _without(unknown.text, unknown_user))
        if wrong
        else None
    )
    return LoginReplyFacts(wrong, unknown, same)


def _without(text: str, name: str) -> str:
    return text.replace(name, "")


def _log_in(line: Line, user: str) -> AnswerFacts:
    """Log in with a random password."""
    password = secrets.token_urlsafe(12)
    offered = line.capabilities.auth_mechanisms
    if "PLAIN" in offered:
        said = line.ask(f"AUTH PLAIN {_encode(f'{chr(0)}{user}{chr(0)}{password}')}", Stage.AUTH)
    elif "LOGIN" in offered:
        said = line.ask("AUTH LOGIN", Stage.AUTH)
        for one in (user, password):
            said = line.ask(_encode(one), Stage.AUTH) if said.code < 400 else said
    else:
        raise NotKnown("the server offers neither PLAIN nor LOGIN in TLS")
    if 400 <= said.code < 500:
        raise NotKnown(f'the server cannot tell now: "{line.last}"')
    return said


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
