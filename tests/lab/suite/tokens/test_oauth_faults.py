# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay with OAuth2 when something fails: mail waits and leaves by itself, nothing is lost, nothing arrives twice."""

from __future__ import annotations

import datetime
import json
import re
import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.journals import journal_from_now
from ansible_collections.mailops.smtp.tests.lab.suite.oauth import (
    OPS,
    STATE,
    converge,
    fetch,
    journal,
    name_of,
    order,
    submit,
    upstream,
    wait_for_queue,
    ways,
)

pytestmark = [pytest.mark.third_lab, pytest.mark.last]

FindMail = t.Callable[..., list[bytes]]
#: Holds one connection to the bridge, as Postfix does, and sends two messages: the second one until it is accepted.
#: Between them the token expires. Prints the replies to the second one.
TWO_MESSAGES = """
import json, smtplib, sys, time
path, subjects, ends = sys.argv[1], sys.argv[2:4], float(sys.argv[4])
with smtplib.LMTP(path, timeout=60) as client:
    def send(subject):
        client.rset()
        for command in ("MAIL FROM:<inbox@dest.test>", "RCPT TO:<inbox@dest.test>"):
            code, text = client.docmd(command)
            if code >= 400:
                return code, text
        client.docmd("DATA")
        client.send(f"Subject: {subject}\\r\\n\\r\\nhello\\r\\n.\\r\\n")
        return client.getreply()
    client.ehlo()
    assert send(subjects[0])[0] == 250
    time.sleep(max(0, ends - time.time()) + 1)
    replies = []
    while not replies or (replies[-1][0] != 250 and len(replies) < 60):
        code, text = send(subjects[1])
        replies.append([code, text.decode()])
        time.sleep(0.5)
print(json.dumps(replies))
"""


@pytest.fixture(scope="module")
def relay(hosts: t.Any, passwords: t.Any, restored: None) -> t.Any:
    """The relay with a client secret that expires in three days."""
    order(hosts["upstream"], reset=True)
    soon = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=3)
    oauth = {**ways(passwords)["client_secret"], "expires": soon.isoformat()}
    converge("faults", upstream(oauth), relay_aliases={"root": OPS}).succeeded()
    return hosts["relay"]


def arrived_once(find_mail: FindMail, *subjects: str) -> bool:
    counts = {subject: len(find_mail(f"SUBJECT {subject}")) for subject in subjects}
    assert set(counts.values()) == {1}, counts
    return True


def test_a_token_that_expires_between_two_messages_of_one_connection_is_replaced(
    relay: t.Any, provider: t.Any, find_mail: FindMail, put: t.Any
) -> None:
    order(provider, life=20)
    assert fetch(relay) == 0
    token = json.loads(relay.check_output(f"cat {STATE}/{name_of()}.token"))
    put("relay", "/root/two_messages.py", TWO_MESSAGES.encode())
    subjects = ["first-of-two", "second-of-two"]
    socket = f"/var/spool/postfix/private/{name_of()}-socket"
    relay.check_output(f"python3 /root/two_messages.py {socket} {' '.join(subjects)} {token['expires_at']}")
    assert arrived_once(find_mail, *subjects)
    assert order(provider)["counts"]["granted"] >= 2


@pytest.mark.parametrize(
    ("switches", "words"),
    [
        ({"down": True}, "no token from login.provider.test"),
        ({"answer": [200, "<html>busy</html>"]}, "without an access token"),
        ({"answer": [503, "busy"]}, "refused the request (503)"),
        ({"revoked": ["app"]}, "AADSTS7000222"),
    ],
)
def test_mail_waits_for_a_token_and_leaves_by_itself(
    relay: t.Any, provider: t.Any, find_mail: FindMail, switches: t.Any, words: str
) -> None:
    order(provider, **switches)
    assert fetch(relay) != 0
    subject = submit(relay)
    wait_for_queue(relay, "no token")
    assert words in journal(relay)
    order(provider, reset=True)
    wait_for_queue(relay)
    assert arrived_once(find_mail, subject)


def test_a_token_that_is_still_valid_is_used_while_the_token_server_is_down(
    relay: t.Any, provider: t.Any, find_mail: FindMail
) -> None:
    order(provider, life=600)
    assert fetch(relay) == 0
    order(provider, down=True)
    assert relay.run(f"systemctl start relay-oauth@{name_of()}.service").rc != 0
    assert arrived_once(find_mail, submit(relay))


def test_a_slow_token_server_is_waited_for(relay: t.Any, provider: t.Any, find_mail: FindMail) -> None:
    order(provider, delay=5)
    relay.check_output(f"rm -f {STATE}/{name_of()}.token")
    subject = submit(relay)
    wait_for_queue(relay)
    assert arrived_once(find_mail, subject)


def test_mail_waits_while_the_provider_refuses_the_token(relay: t.Any, provider: t.Any, find_mail: FindMail) -> None:
    """A token that the provider has withdrawn is replaced: the bridge asks for another one after 535."""
    order(provider, life=600)
    assert fetch(relay) == 0
    order(provider, forget=True, down=True)
    subject = submit(relay)
    wait_for_queue(relay, "535")
    assert "535" in journal(relay)
    order(provider, down=False)
    wait_for_queue(relay)
    assert arrived_once(find_mail, subject)


def test_a_bridge_that_is_killed_loses_nothing(relay: t.Any, provider: t.Any, find_mail: FindMail) -> None:
    """Between two messages, and while a message of 20 MB is on its way."""
    assert fetch(relay) == 0
    subjects: list[str] = []
    while len(subjects) < 5:
        subjects.append(submit(relay))
        wait_for_queue(relay)
        relay.run("pkill -KILL -u relay-oauth -f bridge")
    content = "printf 'Subject: killed-halfway\\n\\n'; yes 12345678901234567890 | head -c 20000000"
    kill = (
        "for i in $(seq 4000); do ss -Htnpi 'dport = :2593' | grep -qE 'bytes_sent:[0-9]{6,7} ' && "
        "exec pkill -KILL -u relay-oauth -f bridge; sleep 0.01; done; exit 9"
    )
    killed = relay.run(f"({kill}) & ({content}) | sendmail -f inbox@dest.test inbox@dest.test; wait $!")
    assert killed.rc == 0, "no message was on its way, so the test proves nothing"
    wait_for_queue(relay)
    assert arrived_once(find_mail, *subjects, "killed-halfway")


def test_a_refresher_that_is_killed_keeps_the_token(relay: t.Any, provider: t.Any, find_mail: FindMail) -> None:
    order(provider, life=600)
    assert fetch(relay) == 0
    order(provider, delay=10)
    unit, before = f"relay-oauth@{name_of()}.service", relay.check_output(f"cat {STATE}/{name_of()}.token")
    asking = "timeout 90 sh -c \"until ss -Htn state established 'dport = :443' | grep -q .; do sleep 0.1; done\""
    relay.check_output(f"systemctl start --no-block {unit}; {asking} && systemctl kill --signal=KILL {unit}")
    assert relay.check_output(f"cat {STATE}/{name_of()}.token") == before
    assert arrived_once(find_mail, submit(relay))
    order(provider, delay=0)
    relay.check_output(f"systemctl reset-failed {unit}; systemctl start {unit}")
    assert relay.check_output(f"cat {STATE}/{name_of()}.token") != before


def test_a_refresher_without_its_request_is_not_started_again_and_again(relay: t.Any) -> None:
    """systemd starts it while the bridge's wish is there, and it cannot take the wish if it does not start."""
    unit, request = f"relay-oauth@{name_of()}", f"/etc/relay-oauth/{name_of()}.request"
    wish, starts = f"{STATE}/{name_of()}.wanted", journal_from_now(relay)
    relay.check_output(f"mv {request} /root/request && runuser -u relay-oauth -- touch {wish}")
    try:
        relay.check_output(f"timeout 90 sh -c 'while test -e {wish}; do sleep 0.1; done'")
        seen = relay.check_output(f"{starts} -o cat -u {unit}.service -g Starting")
        assert 1 <= len(seen.splitlines()) <= 2, seen  # 2 if it was time for the timer
    finally:
        relay.check_output(f"mv /root/request {request}; systemctl reset-failed {unit}.service")
    assert relay.check_output(f"systemctl is-active {unit}.path") == "active"


def test_mail_that_comes_during_a_restart_waits_and_the_token_stays(
    relay: t.Any, provider: t.Any, find_mail: FindMail
) -> None:
    assert fetch(relay) == 0
    token = relay.check_output(f"cat {STATE}/{name_of()}.token")
    relay.check_output("systemctl stop postfix")  # SMTP may deliver twice what is on its way at this moment
    subject = submit(relay)
    relay.check_output("systemctl start postfix")
    wait_for_queue(relay)
    assert arrived_once(find_mail, subject)
    assert relay.check_output(f"cat {STATE}/{name_of()}.token") == token


def test_a_secret_that_nears_its_end_is_told(relay: t.Any, find_mail: FindMail) -> None:
    """In the log, and by mail to root."""
    fetch(relay)
    assert "warning: the secret expires on" in journal(relay)
    relay.check_output(f"systemctl start relay-oauth-expiry@{name_of()}.service")
    *_others, mail = find_mail(f'SUBJECT "The secret of the upstream {name_of()} expires on"', mailbox=OPS)
    assert re.search(rb"in [23] days", mail), mail  # 2 if midnight has passed
    assert relay.check_output("systemctl is-active relay-oauth-expiry@*.timer") == "active"
