# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates that live on the host: issued by ACME over both challenges, renewed under load, followed, and told of.

The inventory is playbooks/scenarios/lets_encrypt.yml. The tests recreate both relays, and run in the order of the file.
"""

from __future__ import annotations

import base64
import datetime
import subprocess
import threading
import typing as t
import uuid

import pytest
import trustme

from ansible_collections.mailops.smtp.tests.lab.suite import audits
from ansible_collections.mailops.smtp.tests.lab.suite.conftest import until
from ansible_collections.mailops.smtp.tests.lab.suite.oauth import wait_for_queue
from ansible_collections.mailops.smtp.tests.lab.suite.plays import LAB, PROGRAM_LIMIT, RELAY, ROOT, Play, run_play

pytestmark = [pytest.mark.third_lab, pytest.mark.last]

Probe = t.Callable[..., t.Any]
SCENARIO = str(ROOT / "playbooks/scenarios/lets_encrypt.yml")
BOTH = ("relay", "relay12")
NAMES = {"relay": "relay.sender.test", "relay12": "relay12.sender.test"}
PORTS = [25, 465, 587]
OPS = "ops@dest.test"
FILE = "/etc/relay-certificate/relay.pem"
PROGRAM = "/usr/bin/python3 -I -B /usr/local/lib/relay-certificate"
LIVE = "/etc/letsencrypt/live/mailops-relay"
#: As certbot.timer does it, without the pause before it.
RENEW = "certbot -q renew --no-random-sleep-on-renew --cert-name mailops-relay"
#: A renewal whose hook is killed: while it waits for another run, and after the rename, before the reload.
KILLED_WAITING = f"""flock -o /etc/relay-certificate/.lock timeout 300 sh -c '{RENEW} --force-renewal &
until pkill -KILL -f "relay-certificate [i]nstall"; do sleep 0.05; done; wait'"""
KILLED_BEFORE_RELOAD = rf"""mkdir -p /root/kill
printf '#!/bin/sh\nkill -9 $PPID\n' >/root/kill/postconf && chmod +x /root/kill/postconf
PATH=/root/kill:$PATH {RENEW} --force-renewal
rm -r /root/kill"""
#: An IMAP server of the host's own, with the certificate of the relay, and how to take it away.
IMAPS = f"""set -e
apt-get install -y -qq dovecot-imapd >/dev/null
cp -a /etc/dovecot/dovecot.conf /root/dovecot.conf
cat >>/etc/dovecot/dovecot.conf <<'END'
protocols = imap
ssl = yes
ssl_server {{
  cert_file = {FILE}
  key_file = {FILE}
}}
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = 10993
    ssl = yes
  }}
}}
END
printf '[Service]\\nPrivateNetwork=no\\nRestrictAddressFamilies=AF_INET AF_INET6\\n' \\
  >/etc/systemd/system/dovecot.service.d/20-imaps.conf
systemctl daemon-reload
systemctl restart dovecot"""
NO_IMAPS = """set -e
mv /root/dovecot.conf /etc/dovecot/dovecot.conf
rm /etc/systemd/system/dovecot.service.d/20-imaps.conf
systemctl daemon-reload
systemctl restart dovecot"""
#: Connections to the authority are refused; the other authority and the name server are not affected.
DOWN = "echo '127.0.0.1 acme.lab.test' >>/etc/hosts"
UP = "grep -v acme.lab.test /etc/hosts >/tmp/hosts; cat /tmp/hosts >/etc/hosts; rm /tmp/hosts"
#: What the role and certbot may leave nowhere.
TRACES = r"""
find / -xdev \( -path '*relay-certificate*' -o -path '*mailops-relay*' -o -path '/etc/letsencrypt/accounts/*' \
  -o -path '/etc/letsencrypt/keys/*' -o -path '/etc/letsencrypt/csr/*' \) -not -path '/proc/*' 2>/dev/null
systemctl list-units --all --plain --no-legend 'relay-certificate*'
nft list ruleset | grep -w 80
true
"""


@pytest.fixture(scope="module")
def site(hosts: dict[str, t.Any], passwords: dict[str, str]) -> dict[str, t.Any]:
    """Variables that the scenario leaves to the user, and the connection to the hosts."""
    prefix = hosts["ns"].check_output("hostname -I").strip().rpartition(".")[0]
    return {
        "site_networks": [f"{prefix}.40/32"],
        "site_directory": "https://acme.lab.test:14000/dir",
        "vault_upstream_password": passwords["relay@provider.test"],
        "vault_app_password": passwords["app@sender.test"],
        "relay_dns": {"on_finding": "fail", "nameservers": [f"{prefix}.2"]},
        "ansible_ssh_args": f"-F {LAB / 'ssh_config'}",
        "ansible_become": False,
    }


@pytest.fixture(scope="module")
def play(site: dict[str, t.Any]) -> t.Callable[..., Play]:
    """``play(log, *options, on=..., **variables)`` runs the role on the scenario with these variables changed."""

    def run(log: str, *options: str, on: t.Sequence[str] = ("relay",), **variables: t.Any) -> Play:
        names = ",".join(NAMES[one] for one in on)
        return run_play(f"acme-{log}", RELAY, "-i", SCENARIO, "--limit", names, *options, extra={**site, **variables})

    return run


@pytest.fixture(scope="module", autouse=True)
def _bare(hosts: dict[str, t.Any]) -> t.Iterator[None]:
    """Begin and end with bare relays."""
    recreate = [str(ROOT / "tests/lab/lab"), "up", *BOTH]
    subprocess.run(recreate, check=True, stdout=subprocess.DEVNULL, timeout=PROGRAM_LIMIT)
    yield
    subprocess.run(recreate, check=True, stdout=subprocess.DEVNULL, timeout=PROGRAM_LIMIT)


@pytest.fixture(scope="module")
def orders(hosts: dict[str, t.Any]) -> t.Callable[..., int]:
    """``orders(days)`` counts the orders that an authority has received."""

    def count(days: int = 64) -> int:
        log = hosts["ns"].check_output(f"journalctl --no-pager -o cat -u pebble@{days}")
        return int(log.count("POST /order-plz"))

    return count


def digest(host: t.Any, path: str = FILE) -> str:
    """Return the SHA-256 of the first certificate in a file of a host."""
    return str(host.check_output(f"openssl x509 -in {path} -outform DER | sha256sum")).split()[0]


def shown(probe: Probe, relay: str) -> set[str]:
    """Return the SHA-256 of the certificates that the ports of a relay show to a client."""
    return set(probe("client", "shown_certificates", host=NAMES[relay], ports=PORTS).values())


def shown_by_imaps(host: t.Any) -> str:
    """Return the SHA-256 of the certificate that the IMAP server of a host shows; that of nothing if it shows none."""
    ask = "openssl s_client -connect 127.0.0.1:10993 </dev/null 2>/dev/null | openssl x509 -outform DER | sha256sum"
    return str(host.check_output(ask)).split()[0]


def issuer(host: t.Any, path: str = FILE) -> str:
    return str(host.check_output(f"openssl x509 -in {path} -noout -issuer"))


def told(find_mail: t.Callable[..., t.Any], words: str) -> bool:
    """Wait for the mail to root that contains these words."""
    found = find_mail(f'SUBJECT "The certificate of {NAMES["relay"]}" BODY "{words}"', mailbox=OPS)
    assert found, f"root was not told: {words}"
    return True


def leaf(name: str, before: float, after: float, key_of: str = "") -> bytes:
    """Return chain and key of a certificate, valid from and until some days from now, as one file."""
    authority = trustme.CA.from_pem((LAB / "pki/ca.pem").read_bytes(), (LAB / "pki/ca.key").read_bytes())
    now = datetime.datetime.now(datetime.UTC)
    begins, ends = (now + datetime.timedelta(days=days) for days in (before, after))
    made, other = (authority.issue_cert(name, not_before=begins, not_after=ends) for dummy in range(2))
    key = (other if key_of else made).private_key_pem.bytes()
    return key + b"".join(one.bytes() for one in made.cert_chain_pems)


def judged_validity(host: str) -> set[str]:
    """Return the states of MR-TLS-05 for the file of a host, as the audit judges it."""
    audits.install(host)
    [facts] = audits.ask(host, [("postfix_info", {"gather": ["all"]})])
    variables = {
        "inventory_hostname": host,
        "relay_hostname": NAMES[host],
        "relay_listeners": [{"port": port} for port in PORTS],
        "compliance_address": NAMES[host],
    }
    asked = audits.Asked(variables, {"host": {host: facts}})
    return {one.status.value for one in asked.judged.findings if one.control == "MR-TLS-05" and one.subject == FILE}


def test_check_before_the_first_certificate_orders_nothing(play: t.Any, orders: t.Any, hosts: t.Any) -> None:
    before = orders()
    checked = play("1-check", "--check").succeeded()
    assert checked.count(NAMES["relay"], "changed") > 0
    assert checked.says("A certificate would be installed")
    assert orders() == before
    assert not hosts["relay"].file("/etc/letsencrypt").exists


def test_what_keeps_the_authority_away_is_told_before_the_host_is_changed(play: t.Any, hosts: t.Any) -> None:
    """A program on port 80, and a name that leads to another host or to none."""
    relay = hosts["relay"]
    relay.check_output("systemd-run --quiet --unit=web python3 -m http.server 80")
    names = ["relay.sender.test", "smtp.provider.test", "nowhere.sender.test"]
    try:
        until(lambda: relay.run("ss -Hltn sport = :80").stdout != "")
        refused = play(
            "2-refused", relay_tls={"acme": {"directory": "https://acme.lab.test:14000/dir", "names": names}}
        )
    finally:
        relay.check_output("systemctl stop web")
    assert refused.code != 0
    assert refused.says("listens on port 80, which http-01 needs")
    assert refused.says("relay_tls.acme.names: smtp.provider.test leads to")
    assert refused.says("relay_tls.acme.names: nowhere.sender.test has no address in the DNS")
    assert not relay.file("/etc/postfix/main.cf").exists


def test_without_the_authority_a_new_relay_runs_and_the_play_says_why(
    play: t.Any, hosts: t.Any, probe: Probe, read_mail: t.Any
) -> None:
    hosts["relay"].check_output(DOWN)
    try:
        failed = play("3-down")
    finally:
        hosts["relay"].check_output(UP)
    assert failed.code != 0
    assert failed.says("issued no certificate for relay.sender.test")
    assert failed.says("The relay keeps the certificate it has.")
    assert "CN = relay.sender.test" in issuer(hosts["relay"]).replace("CN=", "CN = ")
    assert shown(probe, "relay") == {digest(hosts["relay"])}
    subject = uuid.uuid4().hex
    message = ["x@sender.test", "inbox@dest.test", subject]
    assert probe("client", "post_each", host=NAMES["relay"], messages=[message])[0][0] == 250
    assert read_mail(subject) is not None


@pytest.fixture(scope="module")
def issued(play: t.Any, orders: t.Any) -> int:
    """Both relays with certificates of the authority; how many orders it took."""
    before = orders()
    play("4-first", on=BOTH).succeeded()
    return int(orders() - before)


def test_both_releases_obtain_their_certificate_over_http(issued: int, hosts: t.Any, probe: Probe) -> None:
    assert issued == 2
    for name in BOTH:
        assert "Pebble" in issuer(hosts[name])
        assert shown(probe, name) == {digest(hosts[name])}
        assert hosts[name].file(FILE).mode == 0o600
        assert hosts[name].service("certbot.timer").is_enabled


def test_a_second_run_changes_and_orders_nothing(issued: int, play: t.Any, orders: t.Any) -> None:
    before = orders()
    again = play("5-second", on=BOTH).succeeded()
    assert [again.count(NAMES[name], "changed") for name in BOTH] == [0, 0]
    assert orders() == before


def test_a_certificate_is_not_renewed_before_it_is_due(issued: int, hosts: t.Any, orders: t.Any) -> None:
    """With 64 days of life, neither by the certbot of Debian 13 nor by that of 12."""
    before = orders()
    for name in BOTH:
        hosts[name].check_output(RENEW)
        hosts[name].check_output(f"{PROGRAM} check")
    assert orders() == before


def test_a_renewal_under_load_refuses_no_message(issued: int, hosts: t.Any, probe: Probe) -> None:
    """With 20 messages per second; all sessions after the hook see the new certificate."""
    relay, client, old = hosts["relay"], hosts["client"], digest(hosts["relay"])
    client.check_output("rm -f /root/enough*")
    sent: list[tuple[float, int, str]] = []
    arguments = {"host": NAMES["relay"], "recipient": "inbox@dest.test", "subject": uuid.uuid4().hex, "rate": 20}
    load = threading.Thread(
        target=lambda: sent.extend(probe("client", "post_securely", **arguments, until="/root/enough"))
    )

    def accepted(by: str) -> int:
        return int(client.run(f"grep -c {by} /root/enough.seen").stdout or 0)

    load.start()
    try:
        until(lambda: accepted(old) >= 20)
        relay.check_output(f"{RENEW} --force-renewal")
        ended = float(relay.check_output("date +%s.%N"))
        new = digest(relay)
        enough = accepted(new) + 40  # of which 20 may be on their way already
        until(lambda: accepted(new) >= enough)
    finally:
        client.check_output("touch /root/enough")
        load.join()
    wait_for_queue(relay)  # what later tests send does not wait behind it
    assert new != old
    assert {code for _start, code, _seen in sent} == {250}
    assert {seen for _start, _code, seen in sent} == {old, new}
    later = [seen for start, _code, seen in sent if start > ended]
    assert len(later) >= 20
    assert set(later) == {new}
    assert shown(probe, "relay") == {new}


@pytest.mark.parametrize(
    ("killed", "installed"), [(KILLED_WAITING, False), (KILLED_BEFORE_RELOAD, True)], ids=["waiting", "installed"]
)
def test_a_killed_hook_leaves_one_of_both_and_the_next_run_repairs_it(
    issued: int, hosts: t.Any, probe: Probe, killed: str, installed: bool
) -> None:
    relay, old = hosts["relay"], digest(hosts["relay"])
    relay.run(killed)
    new = digest(relay, f"{LIVE}/cert.pem")
    assert new != old
    assert digest(relay) == (new if installed else old)
    relay.check_output("systemctl start relay-certificate-check.service")
    assert digest(relay) == new
    assert shown(probe, "relay") == {new}
    assert relay.check_output("ls -A /etc/relay-certificate | grep -c new || true") == "0"


def test_a_wrong_key_beside_the_new_chain_is_refused_and_told(
    issued: int, hosts: t.Any, probe: Probe, find_mail: t.Any
) -> None:
    relay, old = hosts["relay"], digest(hosts["relay"])
    relay.check_output(
        f"cp -L {LIVE}/privkey.pem /root/key && openssl ecparam -name prime256v1 -genkey -noout >/root/k2"
    )
    try:
        relay.check_output(f"cat /root/k2 >{LIVE}/privkey.pem")
        assert relay.run("systemctl start relay-certificate-check.service").rc != 0
        assert digest(relay) == old
        assert shown(probe, "relay") == {old}
        assert told(find_mail, f"{LIVE}/fullchain.pem: the key is not that of the certificate")
    finally:
        relay.check_output(f"cat /root/key >{LIVE}/privkey.pem && rm /root/key /root/k2")
    relay.check_output("systemctl start relay-certificate-check.service")


def test_a_renewal_that_fails_is_told_by_mail_and_by_the_control(
    issued: int, hosts: t.Any, put: t.Any, find_mail: t.Any
) -> None:
    """The certificate of 64 days has ten left, and the authority is down."""
    relay = hosts["relay"]
    assert judged_validity("relay") == {"pass"}
    relay.check_output(
        f"cp -a $(readlink -f {LIVE}/fullchain.pem) /root/chain && cp -a $(readlink -f {LIVE}/cert.pem) /root/cert"
    )
    relay.check_output(f"cp -a $(readlink -f {LIVE}/privkey.pem) /root/key")
    put("relay", "/root/late", leaf(NAMES["relay"], -54, 10))
    relay.check_output(DOWN)
    try:
        for name in ("fullchain", "cert", "privkey"):
            relay.check_output(f"cat /root/late >{LIVE}/{name}.pem")
        assert relay.run(RENEW).rc != 0
        assert relay.run("systemctl start relay-certificate-check.service").rc != 0
        assert told(find_mail, "and certbot has not renewed it")
        assert judged_validity("relay") == {"fail"}
    finally:
        relay.check_output(UP)
    relay.check_output(RENEW)  # it is due
    relay.check_output("systemctl start relay-certificate-check.service")
    assert "Pebble" in issuer(relay)
    assert judged_validity("relay") == {"pass"}


@pytest.fixture(scope="module")
def brief(
    issued: int, play: t.Any, hosts: t.Any, passwords: dict[str, str], site: dict[str, t.Any]
) -> dict[str, t.Any]:
    """Both relays with certificates of six days, by TXT records; the variables."""
    dns = {
        "server": site["relay_dns"]["nameservers"][0],
        "key_name": "acme",
        "secret": base64.b64encode(passwords["acme@sender.test"].encode()).decode(),
        "propagation": 0,
    }
    tls = {"acme": {"directory": "https://acme.lab.test:14001/dir", "challenge": "dns-01", "dns": dns}}
    for name in BOTH:
        hosts[name].check_output("systemd-run --quiet --unit=web python3 -m http.server 80")  # DNS-01 needs no port
    first = play("6-dns", on=BOTH, relay_tls=tls).succeeded()
    assert dns["secret"] not in first.output
    for name in BOTH:
        hosts[name].check_output("systemctl stop web")
    return tls


def test_six_days_over_dns_are_renewed_by_their_life(
    brief: dict[str, t.Any], hosts: t.Any, probe: Probe, orders: t.Any
) -> None:
    """Old versions of certbot renew 30 days before the end, which would be at each run of its timer."""
    ordered = orders(6)
    assert ordered >= 2
    for name in BOTH:
        assert shown(probe, name) == {digest(hosts[name])}
        hosts[name].check_output(
            f"openssl x509 -in {FILE} -noout -checkend 500000 && ! openssl x509 -in {FILE} -noout -checkend 520000"
        )
        hosts[name].check_output(RENEW)
        hosts[name].check_output(f"{PROGRAM} check")
        assert judged_validity(name) == {"pass"}
    assert orders(6) == ordered
    hosts["relay12"].check_output(f"{RENEW} --force-renewal")
    assert orders(6) == ordered + 1
    assert shown(probe, "relay12") == {digest(hosts["relay12"], f"{LIVE}/cert.pem")}


def test_removal_leaves_no_account_lineage_hook_unit_or_port(
    brief: dict[str, t.Any], play: t.Any, hosts: t.Any
) -> None:
    relay = hosts["relay12"]
    assert "mailops-relay" in relay.check_output(TRACES)
    relay.check_output("postsuper -d ALL")
    play("7-absent", on=["relay12"], relay_tls=brief, relay_state="absent").succeeded()
    assert relay.check_output(TRACES).strip() == ""
    assert (
        play("8-absent", on=["relay12"], relay_tls=brief, relay_state="absent").count(NAMES["relay12"], "changed") == 0
    )


@pytest.fixture(scope="module")
def followed(brief: dict[str, t.Any], play: t.Any, hosts: t.Any, put: t.Any) -> dict[str, t.Any]:
    """A relay that follows a file of the host, behind two links, in place of its authority."""
    hosts["relay"].check_output("mkdir -p /etc/ssl/tls/1 && ln -sfn 1 /etc/ssl/tls/current")
    hosts["relay"].check_output("ln -sfn tls/current /etc/ssl/own")
    put("relay", "/etc/ssl/own/relay.pem", leaf(NAMES["relay"], -1, 60))
    tls = {"path": "/etc/ssl/own/relay.pem"}
    play("9-path", relay_tls=tls).succeeded()
    return tls


def test_a_new_file_of_the_host_is_followed_by_itself(
    followed: dict[str, t.Any], hosts: t.Any, probe: Probe, put: t.Any
) -> None:
    """By Postfix, and by a Dovecot that was configured with the same file."""
    relay = hosts["relay"]
    assert shown(probe, "relay") == {digest(relay, "/etc/ssl/own/relay.pem")}
    assert not relay.run("ls /etc/letsencrypt/renewal/mailops-relay.conf").succeeded
    assert "80" not in relay.check_output("nft list ruleset | grep -w 80 || true")
    try:
        relay.check_output(IMAPS)
        until(lambda: shown_by_imaps(relay) == digest(relay))
        put("relay", "/etc/ssl/own/relay.pem", leaf(NAMES["relay"], -1, 61))
        new = digest(relay, "/etc/ssl/own/relay.pem")
        until(lambda: {*shown(probe, "relay"), shown_by_imaps(relay)} == {new}, 30)
    finally:
        relay.check_output(NO_IMAPS)


def test_a_file_that_changes_while_the_unit_ends_is_followed(
    followed: dict[str, t.Any], hosts: t.Any, probe: Probe, put: t.Any
) -> None:
    """The program does not look any more then, and systemd does not watch for it yet."""
    relay, unit = hosts["relay"], "relay-certificate.service"
    folder = f"/run/systemd/system/{unit}.d"
    slow = f"mkdir {folder} && printf '[Service]\nExecStopPost=/bin/sleep 5\n' >{folder}/slow.conf"
    relay.check_output(f"{slow} && systemctl daemon-reload")
    try:
        put("relay", "/etc/ssl/own/relay.pem", leaf(NAMES["relay"], -1, 61))
        until(lambda: relay.check_output(f"systemctl show --property=SubState --value {unit}") == "stop-post")
        put("relay", "/etc/ssl/own/relay.pem", leaf(NAMES["relay"], -1, 62))
        until(lambda: shown(probe, "relay") == {digest(relay, "/etc/ssl/own/relay.pem")})
    finally:
        relay.check_output(f"rm -r {folder} && systemctl daemon-reload")


def test_a_link_of_a_directory_that_leads_elsewhere_is_followed_by_itself(
    followed: dict[str, t.Any], hosts: t.Any, probe: Probe, put: t.Any
) -> None:
    """A new certificate in the directory of then is followed as well."""
    relay = hosts["relay"]
    put("relay", "/etc/ssl/tls/2/relay.pem", leaf(NAMES["relay"], -1, 62))
    relay.check_output("ln -s 2 /etc/ssl/tls/new && mv -T /etc/ssl/tls/new /etc/ssl/tls/current")
    until(lambda: shown(probe, "relay") == {digest(relay, "/etc/ssl/tls/2/relay.pem")}, 30)
    put("relay", "/etc/ssl/tls/2/relay.pem", leaf(NAMES["relay"], -1, 63))
    until(lambda: shown(probe, "relay") == {digest(relay, "/etc/ssl/tls/2/relay.pem")}, 30)


@pytest.mark.parametrize(
    ("before", "after", "wrong", "words"),
    [
        (-1, 60, "key", "the key is not that of the certificate"),
        (1 / 24 + 0.01, 60, "", "the certificate is valid from"),
    ],
)
def test_a_file_that_postfix_cannot_use_is_told_and_the_old_one_stays(
    followed: dict[str, t.Any], hosts: t.Any, probe: Probe, put: t.Any, find_mail: t.Any, play: t.Any,
    before: float, after: float, wrong: str, words: str,
) -> None:  # fmt: skip
    """A key of another certificate, and a clock that is an hour late. A run of the role refuses it as well."""
    relay, old = hosts["relay"], digest(hosts["relay"])
    good = relay.check_output("cat /etc/ssl/own/relay.pem")
    put("relay", "/etc/ssl/own/relay.pem", leaf(NAMES["relay"], before, after, wrong))
    assert told(find_mail, f"{followed['path']}: {words}")
    assert digest(relay) == old
    assert shown(probe, "relay") == {old}
    refused = play(f"10-{wrong or 'clock'}", relay_tls=followed)
    assert refused.code != 0
    assert refused.says(words)
    put("relay", "/etc/ssl/own/relay.pem", good.encode())
    relay.check_output(
        "systemctl start relay-certificate.service || { journalctl --no-pager -u relay-certificate -n 30 >&2; false; }"
    )


def test_the_self_signed_way_tells_fingerprint_and_path(
    followed: dict[str, t.Any], play: t.Any, hosts: t.Any, tmp_path: t.Any
) -> None:
    made = play("11-self-signed", relay_tls={"fetch_to": str(tmp_path)}).succeeded()
    path = hosts["relay"].check_output("postconf -h smtpd_tls_chain_files")
    fingerprint = hosts["relay"].check_output(f"openssl x509 -in {path} -noout -fingerprint -sha256")
    assert made.says(path)
    assert made.says(fingerprint.partition("=")[2])
    kept = (tmp_path / "relay.sender.test.pem").read_text()
    assert kept.strip() in hosts["relay"].check_output(f"cat {path}")
    assert "PRIVATE" not in kept
