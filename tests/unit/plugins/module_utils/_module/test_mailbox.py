# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking in a mailbox, with a mailbox in place of imaplib's connection."""

from __future__ import annotations

import imaplib
import ssl

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._module import mailbox

HEADER = b"From: a@sender.test\r\nSubject: proof-4711\r\nAuthentication-Results: mx.test; spf=pass\r\n\r\n"
OPTIONS = {
    "host": "imap.test",
    "port": None,
    "tls": "implicit",
    "username": "user",
    "password": "pass\u00e9",
    "ca_file": None,
    "folders": ["INBOX", 'Junk "x"'],
    "nonces": ["proof-4711", "proof-4712"],
    "authserv_id": "mx.test",
    "timeout": 0.0,
}


class Box:
    """A mailbox with one message, in one folder."""

    capabilities: tuple[str, ...] = ("IMAP4REV1", "AUTH=PLAIN")

    def __init__(self, refuse=None, folder='"Junk \\"x\\""'):
        self.refuse = refuse or {}
        self.folder = folder
        self.selected = ""
        self.said = []

    def _do(self, name):
        if name in self.refuse:
            raise self.refuse[name]

    def authenticate(self, _mechanism, answer):
        self._do("login")
        self.said.append(answer(b""))

    def login(self, user, password):
        self._do("login")
        self.said.append((user, password.encode("ascii")))

    def select(self, folder, readonly):
        self._do("select")
        assert readonly
        self.selected = folder
        return ("NO", [b"no such folder"]) if folder == '"none"' else ("OK", [b"1"])

    def search(self, _charset, *criteria):
        return "OK", [b"7 9" if criteria[-1] == "proof-4711" and self.selected == self.folder else b""]

    def fetch(self, number, what):
        assert (number, what) == ("7", "(BODY.PEEK[HEADER])")
        return "OK", [(b"7 (BODY[HEADER] {9}", HEADER), b")"]

    def logout(self):
        self._do("logout")


def look(monkeypatch, box, **changed):
    monkeypatch.setattr(mailbox, "_connect", lambda _options: box)
    return mailbox._look({**OPTIONS, **changed}, 0.0)


def test_message_is_found_in_a_further_folder_and_its_headers_are_read(monkeypatch):
    box = Box(refuse={"logout": imaplib.IMAP4.abort("gone")})
    found = look(monkeypatch, box)
    assert list(found) == ["proof-4711"]
    assert found["proof-4711"]["arrival"]["copies"] == 2
    assert found["proof-4711"]["arrival"]["verdicts"][0]["result"] == "pass"
    assert box.said == ["\0user\0pass\u00e9".encode()]


@pytest.mark.parametrize(
    ("box", "changed", "told"),
    [
        (
            Box({"login": imaplib.IMAP4.error(b"[AUTHENTICATIONFAILED] no")}),
            {},
            "refused the login: .AUTHENTICATIONFAILED. no",
        ),
        (Box({"login": imaplib.IMAP4.abort("closed")}), {}, "could not be read: closed"),
        (Box({"select": OSError(104, "Connection reset")}), {}, "could not be read: Connection reset"),
        (Box(), {"folders": ["none"]}, "folders: none cannot be opened: no such folder"),
    ],
)
def test_mailbox_that_cannot_be_read(monkeypatch, box, changed, told):
    with pytest.raises(mailbox.MailboxError, match=told) as error:
        look(monkeypatch, box, **changed)
    assert "pass\u00e9" not in str(error.value)


def test_server_without_plain_takes_ascii_alone(monkeypatch):
    box = Box()
    box.capabilities = ("IMAP4REV1",)
    with pytest.raises(mailbox.MailboxError, match="other characters than ASCII"):
        look(monkeypatch, box)
    look(monkeypatch, box, password="plain")
    assert box.said == [("user", b"plain")]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "imap.test:993 could not be asked: Connection refused"),
        (ssl.SSLCertVerificationError("x"), "imap.test:993"),
    ],
)
def test_server_that_cannot_be_asked(monkeypatch, error, told):
    if isinstance(error, ssl.SSLCertVerificationError):
        error.verify_message = "self-signed certificate"
        told = "certificate of imap.test:993 was refused: self-signed certificate. Set ca_file"

    def connect(*_arguments, **_options):
        raise error

    monkeypatch.setattr(imaplib, "IMAP4_SSL", connect)
    with pytest.raises(mailbox.MailboxError, match=told):
        mailbox._connect(OPTIONS)


@pytest.mark.parametrize("nonce", ["short", "with space", 'quo"te-1', "x" * 101])
def test_nonce_must_need_no_quoting(nonce):
    assert not mailbox._NONCE.match(nonce)
