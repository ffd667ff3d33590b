# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay with OAuth2 keeps its secrets, asks no token in check mode, refuses bad input, and goes without a trace."""

from __future__ import annotations

import concurrent.futures
import json
import re
import typing as t
import uuid
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.oauth import (
    STATE,
    converge,
    fetch,
    name_of,
    order,
    pem,
    submit,
    upstream,
    wait_for_queue,
    ways,
)
from ansible_collections.mailops.smtp.tests.lab.suite.plays import LOGS, RELAY, run_play
from ansible_collections.mailops.smtp.tests.lab.suite.test_role import forms_of, key_body

pytestmark = [pytest.mark.third_lab, pytest.mark.last, pytest.mark.usefixtures("restored")]

FindMail = t.Callable[..., list[bytes]]
#: Files of the role's OAuth2 and its units. Nothing of them is there after a removal; the user stays, like a package's.
TRACES = r"""
find / -xdev \( -name '*relay-oauth*' -o -name 'postfix-oauth*' \) -not -path '/proc/*' -not -path '/srv/*' 2>/dev/null
systemctl list-units --all --plain --no-legend 'relay-oauth*'
true
"""


def test_check_mode_asks_for_no_token(hosts: t.Any, provider: t.Any, passwords: t.Any) -> None:
    """Neither on a relay without OAuth2, nor on one that has it."""
    run_play("oauth-without", RELAY).succeeded()
    server = upstream(ways(passwords)["client_secret"])
    order(provider, reset=True)
    play = converge("check-first", server, "--check").succeeded()
    assert play.count("relay", "changed") > 0
    assert order(provider)["counts"] == {}
    assert hosts["relay"].check_output(TRACES) == ""
    converge("check-between", server).succeeded()
    order(provider, reset=True)
    assert converge("check-second", server, "--check").succeeded().count("relay", "changed") == 0
    assert order(provider)["counts"] == {}


@pytest.mark.parametrize("way", ["client_secret", "refresh_token", "certificate", "service_account"])
def test_no_secret_is_shown_or_readable_by_others(
    hosts: t.Any, relay: t.Any, passwords: t.Any, probe: t.Any, way: str
) -> None:
    """Neither in the output of the play, the processes and the log, nor in a file of another user or the manifest."""
    stop = f"/root/watched-{uuid.uuid4().hex}"
    with concurrent.futures.ThreadPoolExecutor() as pool:
        watched = pool.submit(probe, "relay", "watch_processes", until=stop)
        try:
            # a change of another value shows the diff of each file
            converge(f"secret-{way}", upstream(ways(passwords)[way], connections=2)).succeeded()
            assert fetch(relay) == 0
            submit(relay)
            wait_for_queue(relay)
        finally:
            relay.check_output(f"touch {stop}")
        seen = "\n".join(watched.result())
        relay.check_output(f"rm {stop}")
    token = json.loads(relay.check_output(f"cat {STATE}/{name_of()}.token"))["access_token"]
    keys = [key_body(Path(LOGS).parent / f"pki/{name}.key") for name in ("app.provider.test", "service.provider.test")]
    secrets = forms_of([passwords["app.secret"], passwords["app.refresh_token"], token, *keys])
    assert "relay-oauth" in seen, "no process of the relay was seen, so the test proves nothing"
    assert not [form for form in secrets if form in seen]
    for log in LOGS.glob("oauth-*.log"):
        assert not [form for form in secrets if form in log.read_text()], log.name
    patterns = "\n".join(secrets)
    assert relay.run("journalctl --no-pager -o cat | grep -F -e %s", patterns).stdout == ""
    exclude = "--exclude-dir=proc --exclude-dir=sys --exclude-dir=packages --exclude-dir=next"
    files = relay.run(f"grep -rlFs {exclude} -e %s /", patterns).stdout.split()
    assert files, "the secrets are nowhere, so the test proves nothing"
    assert not [file for file in files if file.startswith("/var/lib/mailops")]
    for user in ("nobody", "postfix"):
        readable = [file for file in files if relay.run("runuser -u %s -- cat %s", user, file).rc == 0]
        assert readable == [], user


@pytest.mark.parametrize("user", ["nobody", "www-data"])
def test_another_user_of_the_host_cannot_use_the_login(relay: t.Any, user: str) -> None:
    connect = "import socket; socket.socket(socket.AF_UNIX).connect('/var/spool/postfix/private/{}-socket')"
    program = "/usr/bin/python3 -I /usr/local/lib/relay-oauth"
    for command in (
        f'python3 -c "{connect.format(name_of())}"',
        f"ls {STATE}",
        f"cat /etc/relay-oauth/{name_of()}.json",
        f"{program} bridge {name_of()} </dev/null",
        f"{program} probe {name_of()}",
    ):
        assert relay.run(f"cd /; runuser -u {user} -- {command}").rc != 0, command


BAD: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], str]] = {
    "a provider without OAuth2": ({"provider": "qq", "host": None, "port": None}, {"token_url": None}, "oauth"),
    "a grant without its secret": ({}, {"client_secret": None}, "client_secret"),
    "a password beside it": ({"password": "x"}, {}, "password"),
    "no user name": ({"username": None}, {}, "username"),
    "a URL without TLS": ({}, {"token_url": "http://login.provider.test/"}, "token_url"),
    "a date that is none": ({}, {"expires": "soon"}, "expires"),
    "another key": (
        {},
        {"client_secret": None, "certificate": "app.provider.test", "private_key": "service.provider.test"},
        "private_key",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_before_the_host_is_touched(
    relay: t.Any, provider: t.Any, passwords: t.Any, find_mail: FindMail, case: str
) -> None:
    changed, oauth, words = BAD[case]
    given = {**ways(passwords)["client_secret"], **oauth}
    if "private_key" in oauth:
        given |= {"certificate": pem(oauth["certificate"]), "private_key": pem(oauth["private_key"], "key")}
    server = upstream({name: value for name, value in given.items() if value is not None}, **changed)
    state = "find /etc/postfix /etc/relay-oauth /usr/local/lib/relay-oauth -type f -exec sha256sum {} + | sort"
    before = relay.check_output(state)
    order(provider, reset=True)
    play = converge("bad", {name: value for name, value in server.items() if value is not None})
    assert play.code != 0
    assert re.search(rf"relay_upstream[.\w]*[^\n]*{words}", play.output), play.tail
    assert play.count("relay", "changed") == 0
    assert relay.check_output(state) == before
    assert "client_credentials" not in order(provider)["counts"]
    assert len(find_mail(f"SUBJECT {submit(relay)}")) == 1


@pytest.mark.parametrize(
    ("switches", "changed", "words"),
    [
        ({"clock": 3600}, {}, "AADSTS700024"),  # the host's clock is an hour late
        ({"revoked": ["app"]}, {}, "AADSTS700027"),
        ({}, {"username": "deploy@provider.test"}, "535"),
    ],
)
def test_a_login_that_fails_leaves_the_running_relay_as_it_was(
    relay: t.Any, provider: t.Any, passwords: t.Any, find_mail: FindMail, switches: t.Any, changed: t.Any, words: str
) -> None:
    converge("before", upstream(ways(passwords)["client_secret"])).succeeded()
    order(provider, **switches)
    play = converge("refused", upstream(ways(passwords)["certificate"], **changed))
    order(provider, reset=True)
    assert play.code != 0, play.tail
    assert words in play.output, play.tail
    assert len(find_mail(f"SUBJECT {submit(relay)}")) == 1


def test_removal_leaves_no_trace(relay: t.Any, passwords: t.Any, hosts: t.Any) -> None:
    """Neither of an upstream that is replaced, nor of the last one with a token, nor when the relay is removed."""
    assert relay.check_output(TRACES) != ""
    other = upstream(ways(passwords)["client_secret"], port=2594)
    converge("other-port", other).succeeded()
    kept = relay.check_output(f"ls {STATE}")
    assert name_of(2594) in kept
    assert name_of() not in kept
    assert converge("other-port-again", other).succeeded().count("relay", "changed") == 0
    run_play("oauth-password", RELAY).succeeded()
    assert relay.check_output(TRACES) == ""
    converge("again", upstream(ways(passwords)["client_secret"])).succeeded()
    relay.run("postsuper -d ALL")
    run_play("oauth-absent", RELAY, extra={"relay_state": "absent"}).succeeded()
    assert relay.check_output(TRACES) == ""
