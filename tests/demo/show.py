# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the demo's message as it arrived: its header fields, and the TLS and login of each hop."""

from __future__ import annotations

import base64
import json
import re
import shlex
import subprocess
import sys
from email import message_from_string, policy
from email.message import EmailMessage
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / ".build/lab"
MAILBOX = "inbox@dest.test"
SUBJECT = "from the demo"


def main() -> int:
    """Fetch the message from the lab and print it."""
    text = fetch()
    if text is None:
        print(
            "No message arrived. See the relay's log: tests/lab/lab ssh relay journalctl -t postfix/smtp",
            file=sys.stderr,
        )
        return 1
    message = message_from_string(text, policy=policy.default)
    assert isinstance(message, EmailMessage)
    show(message)
    return 0


def fetch() -> str | None:
    """Read the mailbox from the host ``client``: this machine connects to no mail server itself."""
    password = yaml.safe_load((LAB / "secrets.yml").read_text())["lab_passwords"][MAILBOX]
    arguments = {"host": "mx.dest.test", "user": MAILBOX, "password": password, "count": 1, "seconds": 20}
    arguments["search"] = f'SUBJECT "{SUBJECT}"'
    done = subprocess.run(
        ["ssh", "-F", str(LAB / "ssh_config"), "client", f"python3 - find_mail {shlex.quote(json.dumps(arguments))}"],
        input=(ROOT / "tests/lab/suite/probe.py").read_bytes(),
        stdout=subprocess.PIPE,
        timeout=60,
        check=True,
    )
    found = json.loads(done.stdout)
    return base64.b64decode(found[-1]).decode() if found else None


def show(message: EmailMessage) -> None:
    """Print the header fields, then a line for each hop, the first hop at the top."""
    for name, value in message.items():
        if name != "Received":
            print(f"  {name}: {value}")
    parts = [f"{part.get_content_type()} {part.get_filename() or ''}".strip() for part in message.walk()]
    print(f"  ({', '.join(parts)})")
    print("\n  Hops:")
    for number, received in enumerate(reversed(message.get_all("Received", [])), 1):
        print(f"  {number}. {describe_hop(' '.join(str(received).split()))}")


def describe_hop(received: str) -> str:
    """Describe a hop: ``client.sender.test -> relay.sender.test  ESMTPSA  TLSv1.3 AES256  login app@sender.test``."""

    def find(pattern: str, default: str) -> str:
        match = re.search(pattern, received)
        return " ".join(match.groups()) if match else default

    if not received.startswith("from"):  # the relay does not reveal where its users are
        return "a user -> " + find(r"by (\S+)", "?") + "  with a login over TLS; the relay does not reveal the client"
    return "  ".join(
        [
            find(r"^from (\S+)", "localhost") + " -> " + find(r" by (\S+)", "?"),
            find(r" with ((?:UTF8)?E?SMTP\S*)", "?"),
            find(r"using (TLS\S+) with cipher (\S+)", "no TLS"),
            "login " + find(r"Authenticated sender: ([^)]+)\)", "none"),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
