# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The independent witness: looks with testinfra and Python's smtplib, without any code of this collection.

All hosts are looked at side by side, each once. What cannot be seen is a :class:`Blind`, and its test is skipped.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import os
import secrets
import smtplib
import ssl
import typing as t

Variables = t.Mapping[str, t.Any]

#: What the ports declare, unless their listener says otherwise (RFC 6409, RFC 8314).
_LOGIN_PORTS = (465, 587)
_SECONDS = 20.0
_LOOPBACK = ("127.", "[::1]", "::1")
#: Files of Postfix that only root may write, and those that hold secrets.
_WRITTEN_BY_ROOT = ("/etc/postfix/main.cf", "/etc/postfix/master.cf")


class Blind(Exception):
    """Something could not be seen. The text says why."""


@dataclasses.dataclass(frozen=True)
class Account:
    """A login."""

    username: str
    password: str = dataclasses.field(repr=False)
    sender: str
    other_sender: str


@dataclasses.dataclass
class Observed:
    """What was seen of one host: the outcome of each look, or why there is none."""

    name: str
    seen: dict[str, t.Any] = dataclasses.field(default_factory=dict)

    def __getitem__(self, what: str) -> t.Any:
        value = self.seen.get(what, Blind("it was not looked at"))
        if isinstance(value, Blind):
            raise value
        return value


def look(hosts: t.Mapping[str, t.Any], variables: t.Mapping[str, Variables]) -> dict[str, Observed]:
    """Look at all hosts side by side."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=20) as pool:
        jobs = [pool.submit(_look_at, name, host, variables.get(name, {})) for name, host in hosts.items()]
        return {one.name: one for one in (job.result() for job in jobs)}


def _look_at(name: str, host: t.Any, variables: Variables) -> Observed:
    observed = Observed(name)
    address = str(variables.get("compliance_address") or variables.get("relay_hostname") or name)
    dialogue = Dialogue(address, variables.get("compliance_ca_file") or os.environ.get("COMPLIANCE_CA_FILE") or None)
    account, recipient = _account(variables), _recipient(variables)
    declared = _declared(variables)
    submission = [port for port in (declared if declared is not None else _LOGIN_PORTS) if port in _LOGIN_PORTS]
    looks: dict[str, t.Callable[[], t.Any]] = {
        "declared ports": lambda: _needed(declared, "relay_listeners and compliance_listeners are not set"),
        "ports": lambda: _ports(host),
        "is running": lambda: _is_running(host),
        "modes": lambda: _modes(host),
        "submission": lambda: submission,
        "outsider": lambda: dialogue.reply_to(25, None, f"witness@{_stranger(recipient)}", recipient),
    }
    for port in submission:
        looks[f"right {port}"] = functools.partial(dialogue.send, port, account, recipient)
        looks[f"wrong {port}"] = functools.partial(dialogue.wrong_login, port, account)
        looks[f"without {port}"] = functools.partial(dialogue.reply_without_login, port, account, recipient)
        looks[f"other {port}"] = functools.partial(dialogue.reply_as_another, port, account, recipient)
    for what, one in looks.items():
        try:
            observed.seen[what] = one()
        except Blind as blind:
            observed.seen[what] = blind
        except (OSError, smtplib.SMTPException, RuntimeError, AssertionError) as error:
            observed.seen[what] = Blind(f"{name}: {type(error).__name__}: {str(error)[:300]}")
    return observed


def _needed(value: t.Any, reason: str) -> t.Any:
    if value is None:
        raise Blind(reason)
    return value


def _declared(variables: Variables) -> list[int] | None:
    listeners = variables.get("compliance_listeners") or variables.get("relay_listeners")
    return None if listeners is None else [int(one["port"]) for one in listeners]


def _account(variables: Variables) -> Account | None:
    """The login: from the environment, or the first of compliance_accounts."""
    given = {name: os.environ.get(f"COMPLIANCE_{name.upper()}", "") for name in ("username", "password", "sender")}
    first = given if given["username"] else next(iter(variables.get("compliance_accounts") or ()), None)
    if not first:
        return None
    other = os.environ.get("COMPLIANCE_OTHER_SENDER") or first.get("other_sender") or ""
    return Account(first["username"], first["password"], first.get("sender") or first["username"], other)


def _recipient(variables: Variables) -> str:
    return str(os.environ.get("COMPLIANCE_RECIPIENT") or variables.get("compliance_recipient") or "")


def _stranger(recipient: str) -> str:
    return recipient.rpartition("@")[2] or "example.org"


# -- on the host, by testinfra ----------------------------------------------------------------------------------------


def _ports(host: t.Any) -> list[int]:
    """Ports on which others are served. host.socket(...).is_listening does not know 0.0.0.0 (testinfra 10.2)."""
    result = host.run("ss -H -lnt")
    if result.rc != 0:
        raise Blind(f"ss failed: {result.stderr.strip() or result.rc}")
    addresses = [line.split()[3] for line in result.stdout.splitlines() if len(line.split()) > 3]
    return sorted({int(one.rpartition(":")[2]) for one in addresses if not one.startswith(_LOOPBACK)})


def _is_running(host: t.Any) -> bool:
    if host.run("systemctl --version").rc != 0:
        raise Blind("the host has no systemd")
    return bool(host.service("postfix").is_running or host.service("postfix@-").is_running)


def _modes(host: t.Any) -> dict[str, tuple[str, int]]:
    """Owner and mode of the files of the configuration."""
    files = {path: host.file(path) for path in _WRITTEN_BY_ROOT}
    if not all(one.exists for one in files.values()):
        raise Blind("the host has no configuration of Postfix")
    return {path: (one.user, one.mode) for path, one in files.items()}


# -- over SMTP, by smtplib --------------------------------------------------------------------------------------------


class Dialogue:
    """Conversations with one server. TLS is verified always."""

    def __init__(self, address: str, ca_file: str | None) -> None:
        self._address = address
        self._ca_file = ca_file

    def _open(self, port: int) -> smtplib.SMTP:
        context = ssl.create_default_context(cafile=self._ca_file)
        if port == 465:
            return smtplib.SMTP_SSL(self._address, port, timeout=_SECONDS, context=context)
        server = smtplib.SMTP(self._address, port, timeout=_SECONDS)
        if port != 25:
            server.starttls(context=context)
        return server

    def send(self, port: int, account: Account | None, recipient: str) -> bool:
        """Log in, and send a message if there is a recipient. Returns whether one was sent."""
        login = _needed(account, "no account is given")
        with self._open(port) as server:
            server.login(login.username, login.password)
            if not recipient:
                return False
            word = secrets.token_hex(6)
            text = f"From: {login.sender}\r\nTo: {recipient}\r\nSubject: Compliance witness {word}\r\n\r\nA test.\r\n"
            server.sendmail(login.sender, [recipient], text)
            return True

    def wrong_login(self, port: int, account: Account | None) -> int:
        """The code of the reply to a wrong password."""
        login = _needed(account, "no account is given")
        with self._open(port) as server:
            try:
                server.login(login.username, secrets.token_hex(12))
            except smtplib.SMTPAuthenticationError as error:
                return _decided(error.smtp_code)
            return 235

    def reply_without_login(self, port: int, account: Account | None, recipient: str) -> int:
        """The code of the reply to a message without a login."""
        sender = account.sender if account else f"witness@{_stranger(recipient)}"
        return self.reply_to(port, None, sender, recipient)

    def reply_as_another(self, port: int, account: Account | None, recipient: str) -> int:
        """The code of the reply to the address of another user."""
        login = _needed(account, "no account is given")
        if not login.other_sender:
            raise Blind("other_sender of the account is not given")
        return self.reply_to(port, login, login.other_sender, recipient)

    def reply_to(self, port: int, account: Account | None, sender: str, recipient: str) -> int:
        """The code that decides over this sender and recipient. No message is sent."""
        if not recipient:
            raise Blind("compliance_recipient is not given")
        with self._open(port) as server:
            if account:
                server.login(account.username, account.password)
            server.ehlo_or_helo_if_needed()
            code, _text = server.mail(sender)
            if code < 400:
                code, _text = server.rcpt(recipient)
            return _decided(code)


def _decided(code: int) -> int:
    """A reply of class 4yz decides nothing: another time it may be otherwise."""
    if 400 <= code < 500:
        raise Blind(f"the server answered {code}, which is not for good")
    return code
