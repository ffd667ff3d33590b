# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider's OAuth2 server as tests see it, the options that log in with it, and a relay that has them."""

from __future__ import annotations

import json
import shlex
import time
import typing as t
import uuid

from ansible_collections.mailops.smtp.tests.lab.suite.plays import EVENT_LIMIT, LAB, RELAY, Play, run_play

TOKEN_URL = "https://login.provider.test/lab/oauth2/v2.0/token"
SERVICE = "service@project.provider.test"
HOST, PORT = "smtp.provider.test", 2593
STATE = "/var/lib/postfix-oauth"
INBOX, OPS = "inbox@dest.test", "ops@dest.test"
#: Mail that waits is tried again soon, so that tests see that it leaves by itself.
SOON = dict.fromkeys(("minimal_backoff_time", "maximal_backoff_time", "queue_run_delay"), "3s")


def order(provider: t.Any, **switches: t.Any) -> dict[str, t.Any]:
    """Change switches of the token server; return all of them, with the counts of requests."""
    command = f"python3 /srv/lab/token_server.py {shlex.quote(json.dumps(switches))}"
    return dict(json.loads(provider.check_output(command)))


def pem(name: str, suffix: str = "pem") -> str:
    """Return the certificate or, with the suffix ``key``, the key of a signer; the certificate without its chain."""
    text = (LAB / f"pki/{name}.{suffix}").read_text()
    end = "-----END CERTIFICATE-----\n"
    return text if suffix == "key" else text.partition(end)[0] + end


def service_account() -> str:
    """Return the JSON key file of the service account, in the form of Google."""
    fields = {
        "type": "service_account",
        "project_id": "project",
        "private_key_id": "1",
        "private_key": pem("service.provider.test", "key"),
        "client_email": SERVICE,
        "client_id": "1",
        "token_uri": TOKEN_URL,
    }
    return json.dumps(fields)


def ways(passwords: t.Mapping[str, str]) -> dict[str, dict[str, t.Any]]:
    """Return the option ``oauth`` of each way to get a token."""
    app = {"token_url": TOKEN_URL, "client_id": "app"}
    return {
        "client_secret": {**app, "client_secret": passwords["app.secret"]},
        "refresh_token": {**app, "refresh_token": passwords["app.refresh_token"]},
        "certificate": {
            **app,
            "certificate": pem("app.provider.test"),
            "private_key": pem("app.provider.test", "key"),
        },
        "service_account": {
            "token_url": TOKEN_URL,
            "scope": "https://mail.google.com/",
            "service_account": service_account(),
        },
    }


def upstream(oauth: dict[str, t.Any], **options: t.Any) -> dict[str, t.Any]:
    """Return ``relay_upstream`` with a login by token."""
    return {"host": HOST, "port": PORT, "username": "relay@provider.test", "oauth": oauth, **options}


def converge(name: str, server: dict[str, t.Any], *options: str, **variables: t.Any) -> Play:
    """Run the role with this upstream; its settings let mail of 25 MB through and try again soon."""
    settings = {**SOON, "message_size_limit": 40_000_000}
    extra = {"relay_upstream": server, "relay_settings": settings, "relay_limits": {}, **variables}
    return run_play(f"oauth-{name}", RELAY, *options, extra=extra)


def name_of(port: int = PORT) -> str:
    """Return the name of the upstream in units and files on the relay."""
    return f"{HOST.replace('.', '-')}-{port}"


def fetch(relay: t.Any, port: int = PORT) -> int:
    """Make the refresher fetch a new token now; return its exit status.

    A session that is open already needs no token, so the next message gets a new one: Postfix closes what is idle.
    """
    relay.check_output("timeout 90 sh -c 'while pgrep -u relay-oauth -f bridge >/dev/null; do sleep 0.1; done'")
    unit = f"relay-oauth@{name_of(port)}.service"
    # one that runs already may have decided that the token is fresh
    relay.check_output(f"timeout 90 sh -c 'while systemctl is-active {unit} | grep -qx activating; do sleep 0.1; done'")
    relay.check_output(f"rm -f {STATE}/{name_of(port)}.token")
    return int(relay.run(f"systemctl start {unit}").rc)


def submit(relay: t.Any, *recipients: str, sender: str = INBOX, body: str = "hello") -> str:
    """Send a message by sendmail(1) on the relay, and return its subject."""
    subject = uuid.uuid4().hex
    text = shlex.quote(f"Subject: {subject}\n\n{body}\n")
    relay.check_output(f"printf %s {text} | sendmail -f {sender} {' '.join(recipients or [INBOX])}")
    return subject


def wait_for_queue(relay: t.Any, words: str = "", seconds: float = EVENT_LIMIT) -> str:
    """Wait until the queue has a message with this reason or, without words, until it is empty; return the listing."""
    end = time.monotonic() + seconds
    while True:
        # again if it is empty, since a message that moves from one queue to another meanwhile is in neither
        listing = str(relay.check_output("postqueue -j | grep . || postqueue -j"))
        if (words in listing and listing) if words else not listing:
            return listing
        assert time.monotonic() < end, f"{words!r} is not what the queue has: {listing}"
        time.sleep(0.5)


def journal(relay: t.Any, port: int = PORT) -> str:
    """Return what the refresher and the bridge have logged."""
    units = f"-u relay-oauth@{name_of(port)}.service"
    bridge = relay.check_output("journalctl --no-pager -o cat -t relay-oauth")
    return f"{relay.check_output(f'journalctl --no-pager -o cat {units}')}\n{bridge}"
