# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""smtp_info and the playbook diagnose against real servers: facts that others confirm, and ten real mistakes."""

from __future__ import annotations

import contextlib
import hashlib
import re
import ssl
import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.plays import run_play

PLAYBOOK = "playbooks/diagnose.yml"
UPSTREAM, DESTINATION = "smtp.provider.test", "mx.dest.test"
LOGIN = "deploy@provider.test"
OTHER_CA = "/root/other-ca.pem"
#: Server, port, how TLS begins, words of openssl for that.
SERVERS = [
    (UPSTREAM, 587, "starttls", "-starttls smtp"),
    (UPSTREAM, 465, "implicit", ""),
    (DESTINATION, 25, "starttls", "-starttls smtp"),
]
Info = t.Callable[..., dict[str, t.Any]]


# Two witnesses


@pytest.mark.parametrize(("host", "port", "tls", "option"), SERVERS)
def test_openssl_and_the_resolver_say_the_same(
    info: Info, hosts: dict[str, t.Any], host: str, port: int, tls: str, option: str
) -> None:
    facts = info("client", host=host, port=port, tls=tls)["evidence"]["facts"]
    client = hosts["client"]
    resolved = client.check_output(f"getent ahosts {host} | awk '{{print $1}}' | sort -u").split()
    assert sorted(facts["addresses"]) == resolved
    said = client.check_output(
        f"openssl s_client {option} -connect {host}:{port} -servername {host} -showcerts </dev/null 2>/dev/null"
    )
    blocks = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", said, re.DOTALL)
    digests = [hashlib.sha256(ssl.PEM_cert_to_DER_cert(block)).hexdigest() for block in blocks]
    assert [one["sha256"] for one in facts["tls"]["chain"]] == digests
    version, cipher = re.search(r"New, (\S+), Cipher is (\S+)", said).groups()  # type: ignore[union-attr]
    assert (facts["tls"]["version"], facts["tls"]["cipher"]) == (version, cipher)
    own = facts["tls"]["chain"][0]
    dates = client.check_output(
        f"openssl s_client {option} -connect {host}:{port} -servername {host} </dev/null 2>/dev/null"
        " | openssl x509 -noout -enddate -dateopt iso_8601 -ext subjectAltName"
    )
    assert own["not_after"].replace("T", " ") in dates
    assert all(f"DNS:{name}" in dates or f"IP Address:{name}" in dates for name in own["names"])


def test_the_server_saw_the_vantage_address(info: Info, hosts: dict[str, t.Any]) -> None:
    evidence = info("client", host=UPSTREAM, port=587, tls="starttls")["evidence"]
    (address,) = evidence["seen_from"]["addresses"]
    assert address in hosts["client"].check_output("hostname -I")
    log = hosts["upstream"].check_output("journalctl --no-pager -o cat -t postfix/587/smtpd --since -2min")
    assert f"[{address}]" in log
    assert evidence["facts"]["connections_made"] <= 6


# Ten real mistakes


class Mistake(t.NamedTuple):
    """What is given, the step at which it stops, and words of the line and of what to do."""

    options: dict[str, t.Any]
    step: str
    line: str
    advice: str
    on: str = "client"


MISTAKES: dict[str, Mistake] = {
    "wrong port": Mistake(
        {"port": 2525, "tls": "starttls"},
        *("connect", "Port 2525 of smtp.provider.test", "set port: 587 and tls: starttls, or port: 465"),
    ),
    "implicit TLS on 587": Mistake(
        {"port": 587, "tls": "implicit"}, "tls", "The server answered without TLS.", "use tls: starttls"
    ),
    "STARTTLS on 465": Mistake(
        {"port": 465, "tls": "starttls"}, "greeting", "The server says nothing in clear", "Set tls: implicit."
    ),
    "password of the account": Mistake(
        {"provider": "gmail", "host": UPSTREAM, "port": 587, "password": "wrong"},
        *("login", "The login of deploy@provider.test with", "app password"),
    ),
    "sender that is not the login": Mistake(
        {"port": 2592, "tls": "starttls", "sender": "other@provider.test"},
        *("sender", "The server refused the sender.", "to an address of the login"),
    ),
    "IPv6 without a route": Mistake(
        {"host": "2001:db8::25", "port": 587},
        "connect",
        "This host has no route to 2001:db8::25",
        "only IPv6 addresses",
    ),
    "private authority": Mistake(
        {"ca_file": OTHER_CA}, "tls", "certificate was refused", "Here ca_file needs the certificate of its authority"
    ),
    "wrong region": Mistake(
        {"provider": "ses", "region": "eu-west-1", "host": UPSTREAM, "port": 587, "password": "wrong"},
        *("login", "was refused. It said: '535", "SMTP credentials"),
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_in_a_line(info: Info, hosts: dict[str, t.Any], passwords: dict[str, str], name: str) -> None:
    mistake = MISTAKES[name]
    if OTHER_CA in mistake.options.values():
        hosts[mistake.on].check_output(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x"
            f" -keyout /dev/null -out {OTHER_CA} 2>/dev/null"
        )
    usual = {} if "provider" in mistake.options else {"port": 587, "tls": "starttls"}
    given = {"host": UPSTREAM, **usual, "username": LOGIN, "password": passwords[LOGIN], **mistake.options}
    found = info(mistake.on, **given)
    _assert_told(found, mistake.step, mistake.line, mistake.advice)
    assert passwords[LOGIN] not in found["output"]


def test_greylisting_is_not_known_yet(info: Info) -> None:
    found = info(
        "outsider", host=DESTINATION, port=25, tls="opportunistic", sender="x@outsider.test", recipient="grey@dest.test"
    )
    _assert_told(found, "recipient", "[??] Recipient: not known yet.", "(greylisting)")


def test_an_expired_certificate(info: Info, hosts: dict[str, t.Any]) -> None:
    """A certificate that the client trusts by its copy, on a port of the provider."""
    upstream, client = hosts["upstream"], hosts["client"]
    upstream.check_output(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=smtp.provider.test"
        " -addext subjectAltName=DNS:smtp.provider.test -not_before 20200101000000Z -not_after 20200102000000Z"
        " -keyout /root/expired.key -out /root/expired.crt 2>/dev/null && cat /root/expired.key /root/expired.crt"
        " >/root/expired.pem && postconf -P 2588/inet/smtpd_tls_chain_files=/root/expired.pem && postfix reload"
    )
    try:
        pem = upstream.check_output("cat /root/expired.crt")
        client.check_output(f"cat >/root/expired.pem <<'END'\n{pem}\nEND")
        found = info("client", host=UPSTREAM, port=2588, tls="starttls", ca_file="/root/expired.pem")
    finally:
        upstream.check_output("postconf -PX 2588/inet/smtpd_tls_chain_files && postfix reload")
    _assert_told(found, "tls", "certificate has expired", "renewed")
    assert "to 2020-01-02" in "\n".join(found["checklist"])


@contextlib.contextmanager
def chain(host: t.Any, hook: str) -> t.Iterator[None]:
    """A chain that drops port 25, on a host that has no nft otherwise."""
    apt = "DEBIAN_FRONTEND=noninteractive apt-get -qq -y"
    host.check_output(f"{apt} install --no-install-recommends nftables")
    rules = f"add table inet diagnose; add chain inet diagnose x {{ type filter hook {hook} priority 0; }};"
    host.check_output(f"nft '{rules} add rule inet diagnose x tcp dport 25 drop'")
    try:
        yield
    finally:
        host.check_output(f"nft delete table inet diagnose && {apt} purge nftables")


def test_port_25_that_is_blocked_on_the_way(info: Info, hosts: dict[str, t.Any]) -> None:
    with chain(hosts["upstream"], "input"):
        found = info("client", host=UPSTREAM, port=25, tls="opportunistic", connect_timeout=3)
    _assert_told(found, "connect", "did not answer within 3 s", "let no connection to port 25 out")
    assert "set port: 587 and tls: starttls" in found["msg"]
    assert "[ok] Firewall of this host: no rule of it is known" in "\n".join(found["checklist"])


def test_port_25_that_is_blocked_by_this_host(info: Info, hosts: dict[str, t.Any]) -> None:
    with chain(hosts["client"], "output"):
        found = info("client", host=UPSTREAM, port=25, tls="opportunistic", connect_timeout=3)
    _assert_told(found, "connect", "in chain 'inet diagnose x'", "Let connections to port 25 out")
    assert found["evidence"]["facts"]["firewall_refuses"] == ["inet diagnose x"]


def test_a_test_message_arrives(info: Info, passwords: dict[str, str], read_mail: t.Callable[..., t.Any]) -> None:
    found = info(
        "client",
        host=UPSTREAM,
        tls="starttls",
        username=LOGIN,
        password=passwords[LOGIN],
        recipient="ops@dest.test",
        test_message=True,
    )
    assert found["passed"], found["msg"]
    assert found["checklist"][-1].startswith("[ok] Test message: the server took it as ")
    assert read_mail("Test message from", mailbox="ops@dest.test") is not None


def _assert_told(found: dict[str, t.Any], step: str, line: str, advice: str) -> None:
    lines = "\n".join(found["checklist"])
    assert found["stopped_at"] == step, lines
    assert line in lines
    assert advice in lines, lines
    assert "     What to do: " in lines
    assert advice in found["msg"]


def test_the_playbook_prints_the_lines(passwords: dict[str, str]) -> None:
    """From a host of the inventory, as a user would call it."""
    given = {
        "diagnose_hosts": "client",
        "diagnose_host": UPSTREAM,
        "diagnose_username": LOGIN,
        "diagnose_password": passwords[LOGIN],
    }
    right = run_play("diagnose", PLAYBOOK, extra=given).succeeded()
    assert right.says("[ok] Account: the server accepts the login of deploy@provider.test")
    wrong = run_play("diagnose-wrong", PLAYBOOK, extra={**given, "diagnose_password": "wrong"})
    assert wrong.code != 0
    assert wrong.says("[!!] Account: The login of deploy@provider.test")
    assert wrong.says("the checklist above says what to do about the step login")
    assert passwords[LOGIN] not in right.output
