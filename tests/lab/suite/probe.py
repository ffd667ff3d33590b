# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host sees of another one, in one script for ``python3 -``: standard library only, nothing of the collection.

Called with the name of a function below and its arguments as one JSON object; prints its result as JSON.
"""

from __future__ import annotations

import base64
import concurrent.futures
import contextlib
import imaplib
import json
import os
import re
import smtplib
import socket
import ssl
import sys
import time

PADDING = "x" * 99 + "\n"
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
        replies.append(post(host, "app@sender.test", recipient, f"{subject} number {number}"))
    return replies


def post(host, sender, recipient, subject, padding=0):
    """Send one message, with so many octets more; the last reply as ``[code, text]``, with code 0 where none came."""
    code, text = 0, b""
    try:
        with smtplib.SMTP(host, 25, timeout=TIMEOUT) as client:
            client.ehlo()
            content = f"From: {sender}\nTo: {recipient}\nSubject: {subject}\n\n.\n{PADDING * (padding // len(PADDING))}"
            for command in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", f"BODY {content}"):
                code, text = 0, b""
                code, text = say(client, command)
                if code >= 400:
                    break
    except OSError as error:
        text = text or str(error).encode()
    return [code, text.decode("utf-8", "replace")]


def post_each(host, messages, rate=1000, padding=0):
    """Send each of ``[sender, recipient, subject]``, so many a second, none waiting for another; the replies."""
    began = time.monotonic()

    def post_one(number):
        time.sleep(max(0, began + number / rate - time.monotonic()))
        sender, recipient, subject = messages[number]
        return post(host, sender, recipient, subject, padding)

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        return list(pool.map(post_one, range(len(messages))))


def talk(host, port, tls, segments, early="", behind=""):
    """Say these octets, in latin-1, each after a good reply to the one before; then QUIT.

    :param early: what is said before the greeting came.
    :param behind: what follows STARTTLS in the same segment.
    :return: the reply to the greeting or STARTTLS, then to each up to a refusal, at last all that came behind them.
    """
    context = ssl.create_default_context()
    with contextlib.ExitStack() as opened:
        stream = opened.enter_context(socket.create_connection((host, port), timeout=5))
        if tls == "implicit":
            stream = opened.enter_context(context.wrap_socket(stream, server_hostname=host))
        stream.sendall(early.encode("latin-1"))
        replies = [hear(stream)]
        if tls == "starttls":
            for text in ("EHLO probe.test\r\n", f"STARTTLS\r\n{behind}"):
                stream.sendall(text.encode("latin-1"))
                replies = [hear(stream)]
            if replies[0].startswith("2"):
                stream = opened.enter_context(context.wrap_socket(stream, server_hostname=host))
        with contextlib.suppress(OSError):
            for segment in segments:
                if replies[-1].startswith(("2", "3")):
                    stream.sendall(segment.encode("latin-1"))
                    replies.append(hear(stream))
            stream.sendall(b"QUIT\r\n")
        return [*replies, hear(stream, to_the_end=True)]


def talk_each(conversations):
    """Hold each of these conversations, given as arguments of ``talk``."""
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        return list(pool.map(lambda arguments: talk(**arguments), conversations))


def hear(stream, to_the_end=False):
    """One reply, or all that comes until the server closes the connection or says nothing for a while."""
    heard = b""
    with contextlib.suppress(OSError):
        while to_the_end or not re.search(rb"(^|\n)\d{3} [^\n]*\n$", heard):
            octet = stream.recv(1)
            if not octet:
                break
            heard += octet
    return heard.decode("latin-1")


def ask_peer(control_port, **request):
    """What the faulty peer on this host says to a request; see tests/fault/serve.py."""
    with socket.create_connection(("127.0.0.1", control_port), timeout=TIMEOUT) as stream:
        stream.sendall(json.dumps(request).encode() + b"\n")
        return json.loads(stream.makefile().readline())


def watch_processes(until):
    """Command lines and environments of all processes, each once, until there is a file ``until``."""
    seen = set()
    while not os.path.exists(until):
        for process in os.listdir("/proc"):
            for name in ("cmdline", "environ") if process.isdigit() else ():
                with contextlib.suppress(OSError), open(f"/proc/{process}/{name}", "rb") as file:
                    seen.add(file.read().decode("latin-1"))
        time.sleep(0.05)
    return sorted(seen)


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
