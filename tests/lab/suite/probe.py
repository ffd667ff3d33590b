# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probe one host from another: a script for ``python3 -`` that uses the standard library only, except for DKIM.

Takes the name of a function below and its arguments as one JSON object; prints the result as JSON.
"""

from __future__ import annotations

import base64
import concurrent.futures
import contextlib
import hashlib
import imaplib
import importlib
import io
import itertools
import json
import logging
import os
import pathlib
import re
import smtplib
import socket
import ssl
import sys
import threading
import time

PADDING = "x" * 99 + "\n"
#: Connections of a crowd.
KINDS = ("idle", "drip", "tls")
TIMEOUT = 60  # Dovecot delays its reply to each further wrong login


def open_ports(host, ports):
    """Return those of these TCP ports that accept a connection."""

    def is_open(port):
        with socket.socket() as probe:
            probe.settimeout(2)
            return probe.connect_ex((host, port)) == 0

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        return [port for port, answer in zip(ports, pool.map(is_open, ports), strict=True) if answer]


def resolve(host):
    """Return the first IPv4 address of a name."""
    return socket.gethostbyname(host)


def dialogue(host, port, tls, commands):
    """Send these commands and return each reply as ``[code, text]``; ``AUTH user password`` logs in with PLAIN.

    The reply to EHLO comes first; with ``starttls`` there are two, one before TLS and one inside.
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
        replies.extend(command_reply(client, command) for command in commands)
    return [[code, text.decode("utf-8", "replace")] for code, text in replies]


def raw_dialogue(host, port, commands):
    """Send these commands, which may contain any UTF-8, without TLS; return each reply as ``code text``."""
    with smtplib.SMTP(host, port, timeout=TIMEOUT) as client:
        client.ehlo()
        client.command_encoding = "utf-8"
        replies = []
        for command in commands:
            verb, _space, rest = command.partition(" ")
            if verb == "BODY":
                client.docmd("DATA")
            client.send(f"{rest}.\r\n" if verb == "BODY" else f"{command}\r\n")
            code, text = client.getreply()
            replies.append(f"{code} {text.decode('utf-8', 'replace')}")
        return replies


def command_reply(client, command):
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


def wrong_logins(host, mechanism, users, rounds=1, together=8):
    """Log in with a wrong password, and return ``[replies, seconds]`` of each attempt by user.

    Attempts of all users alternate, so that the load of the hosts affects them alike. What differs by nature, such as
    the salt of SCRAM, is replaced by its length. A connection that fails is the reply ``refused``.

    :param rounds: attempts for each user.
    :param together: attempts at the same time.
    """

    def attempt(user):
        try:
            with smtplib.SMTP(host, 587, timeout=TIMEOUT) as client:
                client.ehlo()
                client.starttls(context=ssl.create_default_context())
                client.ehlo()
                began = time.monotonic()
                return [list(wrong_login(client, mechanism, user)), time.monotonic() - began]
        except (OSError, smtplib.SMTPException):
            return [["refused"], 0.0]

    with concurrent.futures.ThreadPoolExecutor(together) as pool:
        found = list(pool.map(attempt, users * rounds))
    return {user: found[number :: len(users)] for number, user in enumerate(users)}


def wrong_login(client, mechanism, user):
    """Yield each reply."""
    if mechanism == "PLAIN":
        commands = ["AUTH PLAIN " + encoded(chr(0) + user + chr(0) + "wrong")]
    elif mechanism == "LOGIN":
        commands = ["AUTH LOGIN", encoded(user), encoded("wrong")]
    else:
        code, text = client.docmd("AUTH", f"{mechanism} " + encoded(f"n,,n={user},r=nonce"))
        fields = (
            dict(field.split("=", 1) for field in base64.b64decode(text).decode().split(",")) if code == 334 else {}
        )
        if not fields:
            yield f"{code} {text.decode()}"
            return
        yield f"{code} a salt of {len(fields['s'])}, {fields['i']} iterations"
        proof = base64.b64encode(os.urandom(32)).decode()
        commands = [encoded(f"c=biws,r={fields['r']},p={proof}")]
    for command in commands:
        code, text = client.docmd(command)
        yield f"{code} {text.decode()}"


def encoded(text):
    """Return text in Base64."""
    return base64.b64encode(text.encode()).decode()


def pregreet(host, port):
    """Send commands before the greeting is complete; return all replies until the server closes the connection."""
    with socket.create_connection((host, port), timeout=TIMEOUT) as client:
        client.sendall(b"EHLO early.test\r\nMAIL FROM:<x@early.test>\r\nRCPT TO:<inbox@dest.test>\r\nQUIT\r\n")
        received = b""
        while chunk := client.recv(4096):
            received += chunk
    return received.decode("utf-8", "replace")


def stream(host, recipient, subject, seconds, rate, until=""):
    """Send messages at this rate, each over its own connection; return the replies as ``[code, text]``.

    Stops early when a file ``until`` exists.
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
    """Send one message with this many octets of padding; return the last reply as ``[code, text]``, or code 0."""
    code, text = 0, b""
    try:
        with smtplib.SMTP(host, 25, timeout=TIMEOUT) as client:
            client.ehlo()
            content = f"From: {sender}\nTo: {recipient}\nSubject: {subject}\n\n.\n{PADDING * (padding // len(PADDING))}"
            for command in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", f"BODY {content}"):
                code, text = 0, b""
                code, text = command_reply(client, command)
                if code >= 400:
                    break
    except OSError as error:
        text = text or str(error).encode()
    return [code, text.decode("utf-8", "replace")]


def post_each(host, messages, rate=1000, padding=0):
    """Send each ``[sender, recipient, subject]``, ``rate`` per second and in parallel; return the replies."""
    began = time.monotonic()

    def post_one(number):
        time.sleep(max(0, began + number / rate - time.monotonic()))
        sender, recipient, subject = messages[number]
        return post(host, sender, recipient, subject, padding)

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        return list(pool.map(post_one, range(len(messages))))


def shown_certificates(host, ports):
    """Return the SHA-256 of the certificate that each port shows, of any authority; 465 uses TLS from its start."""
    return {port: secured(host, port, [])[0] for port in ports}


def post_securely(host, recipient, subject, rate, until):
    """Send messages over TLS, each over its own connection and ``rate`` per second, until a file ``until`` exists.

    Return ``[start, code, SHA-256 of the certificate]`` of each; the start in seconds since 1970. The certificate of
    each accepted message is a line of the file ``until`` with the suffix .seen.
    """
    began = time.time()
    found, tasks = [], []

    def post_one(number):
        if os.path.exists(until):
            return  # on a busy machine, many are due by then
        start = time.time()
        body = f"BODY From: app@sender.test\r\nTo: {recipient}\r\nSubject: {subject} {number}\r\n\r\nhello\r\n"
        digest, code = secured(host, 25, ["MAIL FROM:<app@sender.test>", f"RCPT TO:<{recipient}>", body])
        found.append([start, code, digest])
        if code == 250:
            with open(f"{until}.seen", "a", encoding="ascii") as seen:
                seen.write(f"{digest}\n")

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        for number in itertools.count():
            time.sleep(max(0, began + number / rate - time.time()))
            if os.path.exists(until):
                break
            tasks.append(pool.submit(post_one, number))
    for task in tasks:
        task.result()
    return sorted(found)


def secured(host, port, commands):
    """Send commands inside TLS; return the SHA-256 of the certificate and the last code, 0 if a connection fails."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    digest, code = "", 0
    with contextlib.suppress(OSError, smtplib.SMTPException):
        client: smtplib.SMTP
        if port == 465:
            client = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=context)
        else:
            client = smtplib.SMTP(host, port, timeout=TIMEOUT)
        with client:
            if port != 465:
                client.starttls(context=context)
            assert isinstance(client.sock, ssl.SSLSocket)
            digest = hashlib.sha256(client.sock.getpeercert(binary_form=True) or b"").hexdigest()
            client.ehlo()
            for command in commands:
                code = 0
                code = command_reply(client, command)[0]
                if code >= 400:
                    break
    return digest, code


def talk(host, port, tls, segments, early="", behind=""):
    """Send these segments in latin-1, each after a positive reply to the previous one; then QUIT.

    :param early: data to send before the greeting arrives.
    :param behind: data that follows STARTTLS in the same segment.
    :return: the greeting or the reply to STARTTLS, the reply to each segment up to a refusal, and all data after those.
    """
    context = ssl.create_default_context()
    with contextlib.ExitStack() as opened:
        stream = opened.enter_context(socket.create_connection((host, port), timeout=TIMEOUT))
        if tls == "implicit":
            stream = opened.enter_context(context.wrap_socket(stream, server_hostname=host))
        stream.sendall(early.encode("latin-1"))
        replies = [read_reply(stream)]
        if tls == "starttls":
            for text in ("EHLO probe.test\r\n", f"STARTTLS\r\n{behind}"):
                stream.sendall(text.encode("latin-1"))
                replies = [read_reply(stream)]
            if replies[0].startswith("2"):
                stream = opened.enter_context(context.wrap_socket(stream, server_hostname=host))
        with contextlib.suppress(OSError):
            for segment in segments:
                if replies[-1].startswith(("2", "3")):
                    stream.sendall(segment.encode("latin-1"))
                    replies.append(read_reply(stream))
            stream.sendall(b"QUIT\r\n")
        stream.settimeout(5)
        return [*replies, read_reply(stream, to_the_end=True)]


def talk_each(conversations):
    """Hold each of these conversations, given as arguments of ``talk``, in parallel."""
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        return list(pool.map(lambda arguments: talk(**arguments), conversations))


def crowd(host, sources, ports, each, seconds):
    """Hold this many connections from each source to each port: idle, dripping, and dripping inside TLS.

    What the server closes is opened again. Return how many connections were opened.
    """
    context = ssl.create_default_context()
    threading.stack_size(256 * 1024)
    end, opened = time.monotonic() + seconds, []

    def hold(source, port, kind):
        while time.monotonic() < end:
            with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
                stream = stack.enter_context(socket.create_connection((host, port), 10, source_address=(source, 0)))
                opened.append(port)
                if kind == "tls":
                    for text in () if port == 465 else (b"EHLO x\r\n", b"STARTTLS\r\n"):
                        read_reply(stream)
                        stream.sendall(text)
                    if port != 465:
                        read_reply(stream)
                    stream = stack.enter_context(context.wrap_socket(stream, server_hostname=host))
                stream.settimeout(1)
                while time.monotonic() < end:
                    if kind != "idle":
                        stream.sendall(b"E")
                    with contextlib.suppress(TimeoutError):
                        if not stream.recv(500):
                            break
            time.sleep(0.5)

    work = itertools.product(ports, range(each), sources)
    threads = [threading.Thread(target=hold, args=(source, port, KINDS[n % 3])) for port, n, source in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(opened)


def time_logins(host, ports, user, password, seconds):
    """Log in again and again for this long; return ``[port, seconds, code]`` of each, code 0 without a reply."""
    end, results = time.monotonic() + seconds, []
    while time.monotonic() < end:
        for port in ports:
            began, code = time.monotonic(), 0
            with contextlib.suppress(OSError, smtplib.SMTPException):
                tls = "implicit" if port == 465 else "starttls"
                code = dialogue(host, port, tls, [f"AUTH {user} {password}"])[-1][0]
            results.append([port, time.monotonic() - began, code])
        time.sleep(0.5)
    return results


def read_reply(stream, to_the_end=False):
    """Read one reply, or all data until the server closes the connection; what has come if nothing more does."""
    received = b""
    with contextlib.suppress(OSError):
        while to_the_end or not re.search(rb"(^|\n)\d{3} [^\n]*\n$", received):
            octet = stream.recv(1)
            if not octet:
                break
            received += octet
    return received.decode("latin-1")


def ask_peer(control_port, **request):
    """Return the answer of the faulty peer on this host to a request; see tests/fault/serve.py."""
    with socket.create_connection(("127.0.0.1", control_port), timeout=TIMEOUT) as stream:
        stream.sendall(json.dumps(request).encode() + b"\n")
        return json.loads(stream.makefile().readline())


def watch_processes(until):
    """Collect command lines and environments of all processes, each once, until a file ``until`` exists."""
    seen = set()
    while not os.path.exists(until):
        for process in os.listdir("/proc"):
            for name in ("cmdline", "environ") if process.isdigit() else ():
                with contextlib.suppress(OSError), open(f"/proc/{process}/{name}", "rb") as file:
                    seen.add(file.read().decode("latin-1"))
        time.sleep(0.05)
    return sorted(seen)


def find_mail(host, user, password, search, count, seconds):
    """Wait until an IMAP search finds ``count`` messages or time is up; return them in base64, oldest first."""
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


def find_signed(folder, word, count, seconds):
    """Wait for messages of a Maildir with a word in their header; return what ``verify`` says of each, oldest first."""
    deadline = time.monotonic() + seconds
    while True:
        found = [path for path in pathlib.Path(folder).glob("*/*") if mentions(path, word)]
        if len(found) >= count or time.monotonic() > deadline:
            return [verify(path.read_bytes()) for path in sorted(found, key=os.path.getmtime)]
        time.sleep(0.2)


def mentions(path, word):
    """Tell whether a file has a word in its first octets."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:  # delivered, and moved by Dovecot
        return path.parent.name in ("new", "cur") and word.encode() in file.read(65536)
    return False


def verify(message):
    """Verify each DKIM signature of a message with dkimpy; return its tags d, s, a and h, and the reason if it fails.

    :param message: as octets, or as text in latin-1.
    """
    dkim = importlib.import_module("dkim")  # Debian's python3-dkim, which only mx has

    raw = message.encode("latin-1") if isinstance(message, str) else message
    signatures = []
    for number in range(len(re.findall(rb"(?im)^dkim-signature:", raw.partition(b"\n\n")[0].replace(b"\r", b"")))):
        log = io.StringIO()
        logger = logging.getLogger(f"dkim.{number}")
        logger.propagate = False
        logger.handlers = [logging.StreamHandler(log)]
        verifier = dkim.DKIM(raw, logger=logger)
        try:
            passed = verifier.verify(number)
        except (dkim.DKIMException, ValueError) as error:  # the latter of python3-nacl
            passed, log = False, io.StringIO(str(error))
        tags = {name: verifier.signature_fields.get(name.encode(), b"").decode() for name in "dsah"}
        tags["h"] = re.sub(r"\s", "", tags["h"]).lower().split(":")
        signatures.append({**tags, "reason": "" if passed else log.getvalue().strip() or "the signature is wrong"})
    return signatures


if __name__ == "__main__":
    result = globals()[sys.argv[1]](**json.loads(sys.argv[2]))
    print(json.dumps(result))
