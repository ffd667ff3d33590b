# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of ``mail_arrival_info``: look in a mailbox over IMAP (RFC 9051) for messages by a word in their subject.

The only file that speaks IMAP. It fetches headers alone, marks nothing as read, and deletes nothing.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import time
import typing as t

from .._evidence.arrived import arrival_of
from .._evidence.document import moment, plain
from .._smtp.tls import TlsPolicy
from .secrets import DiscreetModule

ARGUMENTS: dict[str, t.Any] = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int"},
    "tls": {"type": "str", "choices": ["implicit", "starttls"], "default": "implicit"},
    "username": {"type": "str", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
    "ca_file": {"type": "path"},
    "folders": {"type": "list", "elements": "str", "default": ["INBOX"]},
    "nonces": {"type": "list", "elements": "str", "required": True, "no_log": False},
    "authserv_id": {"type": "str", "default": ""},
    "timeout": {"type": "float", "default": 60.0},
}
_PORTS = {"implicit": 993, "starttls": 143}
#: Seconds between two looks, and for one reply.
_PAUSE, _REPLY = 2.0, 30.0
#: What a nonce may consist of, so that it needs no quoting in a search.
_NONCE = re.compile(r"[A-Za-z0-9._-]{6,100}\Z")


class MailboxError(Exception):
    """The mailbox cannot be read. The text is a sentence, with what to do."""


def run(module: DiscreetModule) -> None:
    """Look until all messages are found or the time is over."""
    options = module.params
    wrong = [one for one in options["nonces"] if not _NONCE.match(one)]
    if wrong:
        module.fail_json(msg=f"nonces: {wrong[0]!r} is not a valid nonce; expected 6 to 100 of A-Z a-z 0-9 . _ -")
    began = time.monotonic()
    try:
        found = _look(options, began + options["timeout"])
    except MailboxError as error:
        module.fail_json(msg=str(error))
    messages = [found.get(nonce, {"nonce": nonce, "arrived": False}) for nonce in options["nonces"]]
    arrived = sum(one["arrived"] for one in messages)
    module.exit_json(
        msg=f"{arrived} of {len(messages)} messages are in the mailbox.",
        passed=arrived == len(messages),
        server=f"{options['host']}:{_port(options)}",
        authserv_id=options["authserv_id"],
        seconds=round(time.monotonic() - began, 1),
        messages=messages,
    )


def _port(options: t.Mapping[str, t.Any]) -> int:
    return int(options["port"] or _PORTS[options["tls"]])


def _look(options: t.Mapping[str, t.Any], until: float) -> dict[str, dict[str, t.Any]]:
    """The messages that were found, by their nonces. Raises :class:`MailboxError`."""
    mailbox = _connect(options)
    found: dict[str, dict[str, t.Any]] = {}
    try:
        _log_in(mailbox, options)
        while True:
            for folder in options["folders"]:
                found.update(_search(mailbox, folder, [one for one in options["nonces"] if one not in found]))
            left = until - time.monotonic()
            if left <= 0 or len(found) == len(set(options["nonces"])):
                return found
            time.sleep(min(_PAUSE, left))
    except (OSError, imaplib.IMAP4.error) as error:
        raise MailboxError(f"The mailbox of {options['username']} could not be read: {_text(error)}.") from None
    finally:
        _leave(mailbox)


def _connect(options: t.Mapping[str, t.Any]) -> imaplib.IMAP4:
    server = f"{options['host']}:{_port(options)}"
    try:
        context = TlsPolicy(ca_file=options["ca_file"]).context()
        if options["tls"] == "implicit":
            return imaplib.IMAP4_SSL(options["host"], _port(options), ssl_context=context, timeout=_REPLY)
        mailbox = imaplib.IMAP4(options["host"], _port(options), timeout=_REPLY)
        mailbox.starttls(context)
    except (OSError, imaplib.IMAP4.error) as error:
        refused = getattr(error, "verify_message", "")
        if refused:
            advice = "Set ca_file to the authority that issued it."
            raise MailboxError(f"The certificate of {server} was refused: {refused}. {advice}") from None
        raise MailboxError(f"{server} could not be asked: {_text(error)}. Check host, port and tls.") from None
    return mailbox


def _log_in(mailbox: imaplib.IMAP4, options: t.Mapping[str, t.Any]) -> None:
    """Log in, inside TLS. AUTHENTICATE takes any text; LOGIN takes ASCII alone."""
    login = "\0{username}\0{password}".format_map(options).encode()
    try:
        if "AUTH=PLAIN" in mailbox.capabilities:
            mailbox.authenticate("PLAIN", lambda _challenge: login)
        else:
            mailbox.login(options["username"], options["password"])
    except UnicodeEncodeError:
        raise MailboxError(
            f"{options['host']} does not take a user name or password with other characters than ASCII."
        ) from None
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        advice = "Check username and password, and whether IMAP is enabled for the account."
        raise MailboxError(f"{options['host']} refused the login: {_text(error)}. {advice}") from None


def _search(mailbox: imaplib.IMAP4, folder: str, nonces: t.Sequence[str]) -> dict[str, dict[str, t.Any]]:
    """Look for these messages in one folder, without marking anything as read."""
    if not nonces:
        return {}
    quoted = folder.replace("\\", "\\\\").replace('"', '\\"')
    state, answer = mailbox.select(f'"{quoted}"', readonly=True)
    if state != "OK":
        raise MailboxError(f"folders: {folder} cannot be opened: {_decoded(answer)}. Check its name.")
    found = {}
    for nonce in nonces:
        numbers = _decoded(mailbox.search(None, "HEADER", "SUBJECT", nonce)[1]).split()
        if numbers:
            arrival = arrival_of(_header(mailbox, numbers[0]), copies=len(numbers))
            found[nonce] = {
                "nonce": nonce,
                "arrived": True,
                "folder": folder,
                "found_at": moment(time.time()),
                "arrival": plain(arrival),
            }
    return found


def _header(mailbox: imaplib.IMAP4, number: str) -> str:
    _state, parts = mailbox.fetch(number, "(BODY.PEEK[HEADER])")
    return "".join(part[1].decode("utf-8", "replace") for part in parts if isinstance(part, tuple))


def _decoded(answer: t.Iterable[t.Any]) -> str:
    return b" ".join(one for one in answer if isinstance(one, bytes)).decode("utf-8", "replace")


def _text(error: Exception) -> str:
    """What the server or the system said, in a clause."""
    first = error.args[0] if error.args and isinstance(error.args[0], bytes) else None
    text = first.decode("utf-8", "replace") if first else getattr(error, "strerror", None) or str(error)
    return " ".join(str(text).split()).rstrip(".") or type(error).__name__


def _leave(mailbox: imaplib.IMAP4) -> None:
    with contextlib.suppress(OSError, imaplib.IMAP4.error):  # what was found is known
        mailbox.logout()
