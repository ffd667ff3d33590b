# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host sees of another one, in one script for ``python3 -``: standard library only, nothing of the collection.

Called with the name of a function below and its arguments as one JSON object; prints its result as JSON.
"""

from __future__ import annotations

import base64
import concurrent.futures
import imaplib
import json
import os
import smtplib
import socket
import ssl
import sys
import time

TIMEOUT = 60  # Dovecot answers each wrong login later than the one before


def open_ports(host, ports):
    """Which of these TCP ports take a connection."""

    def is_open(port):
        with socket.socket() as probe:
            probe.settimeout(2)
            return probe.connect_ex((host, port)) == 0

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        return [port for port, answer in zip(ports, pool.map(is_open, ports), strict=True) if answer]


def resolve(host):
    """The first IPv4 address of a name."""
    return socket.gethostbyname(host)


def dialogue(host, port, tls, commands):
    """Say these commands and give each reply as ``[code, text]``; ``AUTH user password`` logs in with PLAIN.

    The reply to EHLO comes first; with ``starttls`` there are two, before TLS and inside it.
    """
    context = ssl.create_default_context()
    replies = []
    if tls == "implicit":
        client: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=context)
    else:
        client = smtplib.SMTP(host, port, timeout=TIMEOUT)
    with client:
        replies.append(client.ehlo())
        if tls == "starttls":
            client.starttls(context=context)
            replies.append(client.ehlo())
        replies.extend(say(client, command) for command in commands)
    return [[code, text.decode("utf-8", "replace")] for code, text in replies]


def say(client, command):
    verb, _space, rest = command.partition(" ")
    if verb == "AUTH":
        client.user, client.password = rest.split(" ")
        return client.docmd("AUTH", f"PLAIN {base64.b64encode(client.auth_plain().encode()).decode()}")
    if verb == "BODY":
        try:
            return client.data(rest.encode())
        except smtplib.SMTPDataError as error:  # DATA itself was refused
            return error.smtp_code, error.smtp_error
    return client.docmd(command)


def pregreet(host, port):
    """Talk before the greeting is over, and give all that is said until the server hangs up."""
    with socket.create_connection((host, port), timeout=TIMEOUT) as client:
        client.sendall(b"EHLO early.test\r\nMAIL FROM:<x@early.test>\r\nRCPT TO:<inbox@dest.test>\r\nQUIT\r\n")
        heard = b""
        while chunk := client.recv(4096):
            heard += chunk
    return heard.decode("utf-8", "replace")


def stream(host, recipient, subject, seconds, rate, until=""):
    """Send at this rate, each message over a connection of its own; the replies as ``[code, text]``.

    Ends early when there is a file ``until``.
    """
    began = time.monotonic()
    replies = []
    for number in range(seconds * rate):
        time.sleep(max(0, began + number / rate - time.monotonic()))
        if until and os.path.exists(until):
            break
        code, text = 0, b""
        try:
            with smtplib.SMTP(host, 25, timeout=TIMEOUT) as client:
                client.ehlo()
                content = f"From: app@sender.test\nTo: {recipient}\nSubject: {subject} number {number}\n\n.\n"
                for command in ("MAIL FROM:<app@sender.test>", f"RCPT TO:<{recipient}>", f"BODY {content}"):
                    code, text = say(client, command)
                    if code >= 400:
                        break
        except OSError as error:
            code, text = 0, str(error).encode()
        replies.append([code, text.decode("utf-8", "replace")])
    return replies


def find_mail(host, user, password, search, count, seconds):
    """Messages that an IMAP search finds, in base64 and oldest first, once there are ``count`` or the time is over."""
    deadline = time.monotonic() + seconds
    with imaplib.IMAP4_SSL(host, ssl_context=ssl.create_default_context(), timeout=TIMEOUT) as mailbox:
        mailbox.login(user, password)
        while True:
            mailbox.select("INBOX", readonly=True)
            found = mailbox.search(None, search)[1][0].split()
            if len(found) >= count or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        parts = mailbox.fetch(b",".join(found).decode(), "(BODY.PEEK[])")[1] if found else []
        return [base64.b64encode(part[1]).decode() for part in parts if isinstance(part, tuple)]


if __name__ == "__main__":
    result = globals()[sys.argv[1]](**json.loads(sys.argv[2]))
    print(json.dumps(result))
