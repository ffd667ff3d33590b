# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All uses of a relay: the inventories of playbooks/scenarios, run unchanged and each tested with real mail.

The same host runs all scenarios in turn, so each one must close what an earlier one has opened.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import ssl
import typing as t
import uuid
from pathlib import Path

import pytest
import yaml

from ansible_collections.mailops.smtp.tests.lab.suite.plays import LAB, ROOT, Play, run_play

pytestmark = pytest.mark.second_lab

RELAY = "relay.sender.test"
INBOX, OPS = "inbox@dest.test", "ops@dest.test"
SUBMISSION = {"port": 587, "tls": "starttls"}
END = "-----END CERTIFICATE-----\n"
Probe = t.Callable[..., t.Any]
ReadMail = t.Callable[..., t.Any]


@pytest.fixture(scope="session")
def site(hosts: dict[str, t.Any], passwords: dict[str, str]) -> dict[str, t.Any]:
    """Variables that a scenario leaves to the user: networks, certificate, passwords and the connection to hosts."""
    prefix = hosts["relay"].check_output("hostname -I").strip().rpartition(".")[0]
    return {
        "site_networks": [f"{prefix}.40/32"],
        "site_fingerprint": fingerprint(LAB / "pki/mx.dest.test.pem"),
        "site_certificate": str(LAB / "pki/relay.sender.test.pem"),
        "site_key": str(LAB / "pki/relay.sender.test.key"),
        "vault_upstream_password": passwords["relay@provider.test"],
        "vault_deploy_password": passwords["deploy@provider.test"],
        "vault_app_password": passwords["app@sender.test"],
        "vault_client_secret": passwords["app.secret"],
        "relay_dns": {"on_finding": "fail", "addresses": [f"{prefix}.10"], "nameservers": [f"{prefix}.2"]},
        "ansible_ssh_args": f"-F {LAB / 'ssh_config'}",
        "ansible_become": False,
    }


def site_of(scenario: type, site: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the variables of a scenario: those of all, unless its class has others."""
    return {**site, **getattr(scenario, "own_site", dict)(site)}


def run_scenario(log: str, name: str, site: dict[str, t.Any], *options: str) -> Play:
    """Run the role on a scenario's inventory."""
    inventory = ROOT / "playbooks/scenarios" / f"{name}.yml"
    return run_play(f"scenario-{log}", "playbooks/relay.yml", "-i", str(inventory), *options, extra=site).succeeded()


def fingerprint(certificate: Path) -> str:
    """Return the SHA-256 fingerprint of the first certificate in a file."""
    first = certificate.read_text().partition(END)[0] + END
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest()


@pytest.fixture(scope="class")
def converged(request: pytest.FixtureRequest, site: dict[str, t.Any], hosts: dict[str, t.Any]) -> t.Iterator[t.Any]:
    """The relay after a run of this class's scenario and a second run that changes nothing."""
    name, names, own = request.cls.scenario, getattr(request.cls, "names", (RELAY,)), site_of(request.cls, site)
    first, second = (run_scenario(f"{name}-{number}", name, own) for number in (1, 2))
    for host in names:
        assert first.count(host, "changed") > 0
        assert second.count(host, "changed") == 0
    before = request.session.testsfailed
    yield hosts["relay"]
    if request.session.testsfailed > before:
        print(hosts["relay"].run("journalctl --no-pager -n 80 -u 'postfix*' -u dovecot").stdout)
    if names[1:]:  # hosts that are not relays for other tests
        run_scenario(f"{name}-absent", name, {**own, "relay_state": "absent"}, "--limit", ",".join(names[1:]))


@pytest.fixture(scope="module", autouse=True)
def _as_it_was() -> t.Iterator[None]:
    """Restore the relay of the lab's inventory for other tests."""
    yield
    run_play("scenario-none", "playbooks/relay.yml").succeeded()


@pytest.fixture(scope="session")
def letter(probe: Probe) -> t.Callable[..., tuple[str, list[list[t.Any]]]]:
    """``letter(on, ...)`` sends a message from a host and returns its subject and the replies."""

    def write(
        on: str,
        sender: str = "x@sender.test",
        recipient: str = INBOX,
        header: str = "",
        host: str = RELAY,
        login: str = "",
        **how: t.Any,
    ) -> tuple[str, list[list[t.Any]]]:
        subject = uuid.uuid4().hex
        body = f"BODY From: {sender}\r\nTo: {recipient}\r\n{header}Subject: {subject}\r\n\r\nhello\r\n"
        commands = [*filter(None, [login]), f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", body]
        return subject, probe(on, "dialogue", **{"host": host, "port": 25, "tls": "none", "commands": commands, **how})

    return write


def wait_for_reason(relay: t.Any, words: str) -> str:
    """Wait until the relay's queue lists this reason, and return the listing."""
    wait = f"for i in $(seq 100); do postqueue -p | grep -q '{words}' && break; sleep 0.2; done; postqueue -p"
    queue = str(relay.check_output(wait))
    assert words in queue, queue
    return queue


def hops(message: t.Any) -> str:
    """Return the Received header fields of a message, last hop first."""
    return " | ".join(" ".join(str(field).split()) for field in message.get_all("Received"))


def is_accepted(replies: list[list[t.Any]]) -> bool:
    assert replies[-1][0] == 250, replies
    return True


def is_refused(replies: list[list[t.Any]], words: str) -> bool:
    """Assert that RCPT was refused with a 5xx reply that contains these words."""
    assert 500 <= replies[-2][0] <= 599, replies
    assert words in replies[-2][1], replies
    return True


class Audited:
    """The relay of a scenario is judged by the playbook, over the inventory of the scenario, and meets its profile."""

    scenario: str
    profile: str
    #: What the lab cannot have, and why.
    waived: t.Mapping[str, str] = {}

    def test_the_audit_finds_nothing_to_mend(
        self, converged: t.Any, site: dict[str, t.Any], tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        reports, vantages = tmp_path_factory.mktemp("audit"), ["client", "outsider"]
        outside = reports / "vantages.yml"
        outside.write_text(json.dumps({"vantages": {"hosts": {one: {} for one in vantages}}}))
        asked = {
            "compliance_vantages": vantages,
            "compliance_recipient": "info@xn--bcher-kva.test",
            "compliance_waivers": [
                {"control": one, "host": RELAY, "owner": "lab", "reason": why, "expires": "2999-12-31"}
                for one, why in self.waived.items()
            ],
            "compliance_dns": {"nameservers": site["relay_dns"]["nameservers"]},
            "compliance_directory": str(reports),
            "compliance_formats": ["json"],
            "compliance_fail_on": "low",
        }
        inventory = ROOT / "playbooks/scenarios" / f"{self.scenario}.yml"
        options = ("-i", str(inventory), "-i", str(outside))
        run_play(f"audit-{self.scenario}", "playbooks/compliance.yml", *options, extra=site | asked).succeeded()
        (host,) = json.loads((reports / "report.json").read_text())["hosts"]
        assert (host["profile"], host["problem"]) == (self.profile, "")
        passed = [one for one in host["results"] if one["finding"]["status"] == "pass"]
        assert len(passed) >= 20, host


class TestNullClient(Audited):
    scenario = "null_client"
    profile = "null_client"

    def test_no_other_host_can_connect(self, converged: t.Any, probe: Probe) -> None:
        assert probe("client", "open_ports", host=RELAY, ports=[25, 465, 587]) == []
        listening = converged.check_output("ss -H -ltn 'sport = :25'").split()
        assert {word for word in listening if word.endswith(":25")} == {"127.0.0.1:25", "[::1]:25"}

    def test_local_programs_can_send(self, converged: t.Any, read_mail: ReadMail, letter: t.Any) -> None:
        subject, replies = letter("relay", host="127.0.0.1")
        assert is_accepted(replies)
        assert "Authenticated sender: relay@provider.test" in hops(read_mail(subject))

    def test_mail_to_root_is_forwarded(self, converged: t.Any, read_mail: ReadMail) -> None:
        subject = uuid.uuid4().hex
        converged.check_output(f"printf 'Subject: {subject}\\n\\nhello\\n' | sendmail root")
        assert read_mail(subject, mailbox=OPS) is not None


class TestNetworkRelay(Audited):
    scenario = "network_relay"
    profile = "outbound_relay"

    def test_only_the_allowed_network_can_connect(self, converged: t.Any, probe: Probe) -> None:
        assert probe("client", "open_ports", host=RELAY, ports=[25, 465, 587]) == [25]
        assert probe("outsider", "open_ports", host=RELAY, ports=[25, 465, 587]) == []

    def test_mail_reaches_the_upstream_over_implicit_tls(
        self, converged: t.Any, hosts: t.Any, read_mail: ReadMail, letter: t.Any
    ) -> None:
        subject, replies = letter("client")
        assert is_accepted(replies)
        trace = hops(read_mail(subject))
        assert re.search(r"by smtp\.provider\.test .*with ESMTPSA", trace), trace
        assert "Authenticated sender: relay@provider.test" in trace
        queue_id = re.search(r"queued as (\w+)", replies[-1][1])
        assert queue_id
        line = converged.check_output(
            f"journalctl --no-pager -t postfix/to-smtp-provider-test-465/smtp -g {queue_id[1]}"
        )
        assert "relay=smtp.provider.test[" in line
        assert "]:465," in line


class TestSubmission(Audited):
    scenario = "submission"
    profile = "submission_relay"

    def test_only_ports_with_a_login_are_open(self, converged: t.Any, probe: Probe) -> None:
        assert probe("outsider", "open_ports", host=RELAY, ports=[25, 465, 587]) == [465, 587]

    @pytest.mark.parametrize(
        ("user", "sender", "allowed"),
        [
            ("app@sender.test", "app@sender.test", True),
            ("app@sender.test", "reports@sender.test", False),
            ("reports", "weekly@reports.sender.test", True),
            ("reports", "reports@sender.test", True),
            ("reports", "app@sender.test", False),
        ],
    )
    def test_a_login_can_use_only_its_own_senders(
        self,
        converged: t.Any,
        passwords: t.Any,
        read_mail: ReadMail,
        letter: t.Any,
        user: str,
        sender: str,
        allowed: bool,
    ) -> None:
        login = f"AUTH {user} {passwords['app@sender.test']}"
        subject, replies = letter("outsider", sender=sender, login=login, **SUBMISSION)
        if not allowed:
            assert is_refused(replies, "not owned by user")
            return
        assert is_accepted(replies)
        trace = hops(read_mail(subject))
        assert "outsider" not in trace, "the Received header reveals the client"

    def test_the_login_at_the_upstream_uses_the_configured_mechanism(self, converged: t.Any, hosts: t.Any) -> None:
        """Checks the login for the mail of the previous test."""
        relay = converged.check_output("hostname -I").strip()
        log = hosts["upstream"].check_output("journalctl --no-pager -t postfix/587/smtpd -g sasl_method -n 5")
        last = [line for line in log.splitlines() if relay in line][-1]
        assert "sasl_method=SCRAM-SHA-256" in last

    def test_a_message_above_the_size_limit_is_refused_at_mail(
        self, converged: t.Any, passwords: t.Any, probe: Probe
    ) -> None:
        commands = [f"AUTH app@sender.test {passwords['app@sender.test']}", "MAIL FROM:<app@sender.test> SIZE=10000001"]
        replies = probe("client", "dialogue", host=RELAY, commands=commands, **SUBMISSION)
        assert replies[-1][0] == 552


class TestSeveralUpstreams:
    scenario = "several_upstreams"

    @pytest.mark.parametrize(
        ("sender", "recipient", "account"),
        [
            ("x@sender.test", INBOX, "relay@provider.test"),  # over the fallback
            ("weekly@news.sender.test", INBOX, "deploy@provider.test"),
            ("weekly@news.sender.test", OPS, None),  # routes by recipient take precedence
            ("x@sender.test", OPS, None),
            ("x@sender.test", "info@xn--bcher-kva.test", None),
        ],
    )
    def test_mail_takes_the_route_of_its_sender_or_recipient(
        self, converged: t.Any, read_mail: ReadMail, letter: t.Any, sender: str, recipient: str, account: str | None
    ) -> None:
        subject, replies = letter("client", sender=sender, recipient=recipient)
        assert is_accepted(replies)
        trace = hops(read_mail(subject, mailbox=OPS if recipient == OPS else INBOX))
        assert re.findall(r"Authenticated sender: (\S+)\)", trace) == [account] * (account is not None), trace

    def test_the_pace_of_an_upstream_is_respected(self, converged: t.Any, probe: Probe, find_mail: t.Any) -> None:
        """One second between two messages, and a new connection after every second message."""
        subject = uuid.uuid4().hex
        messages = [["weekly@news.sender.test", INBOX, subject]] * 5
        assert [reply[0] for reply in probe("client", "post_each", host=RELAY, messages=messages)] == [250] * 5
        assert len(find_mail(f"SUBJECT {subject}", count=5)) == 5
        log = converged.check_output("journalctl --no-pager -o short-unix | grep to-smtp-provider-test-465/")
        sent = [float(line.split()[0]) for line in log.splitlines() if "status=sent" in line][-5:]
        assert all(later - earlier > 0.9 for earlier, later in itertools.pairwise(sent)), log
        assert log.count("TLS connection established") >= 3, log

    def test_a_server_without_the_pinned_certificate_gets_no_mail(self, converged: t.Any, letter: t.Any) -> None:
        pin = "to-mx-dest-test-25/unix/smtp_tls_fingerprint_cert_match"
        right = converged.check_output(f"postconf -hP {pin}")
        converged.check_output(f"postconf -P {pin}={'00:' * 31}00 && systemctl reload postfix")
        try:
            assert is_accepted(letter("client", recipient=OPS)[1])
            wait_for_reason(converged, "Server certificate not verified")
        finally:
            converged.check_output(f"postconf -P {pin}={right} && systemctl reload postfix && postsuper -d ALL")

    def test_an_upstream_without_credentials_gets_no_login(self, converged: t.Any) -> None:
        main = converged.check_output("postconf -n")
        assert "smtp_sasl_password_maps" not in main
        assert "smtp_sasl_auth_enable" not in main


class TestMicrosoft365:
    scenario = "microsoft365"

    def test_mail_reaches_the_upstream_with_a_token_and_its_sender(
        self, converged: t.Any, read_mail: ReadMail, letter: t.Any
    ) -> None:
        subject, replies = letter("client", sender="printer@sender.test")
        assert is_accepted(replies)
        message = read_mail(subject)
        assert "Authenticated sender: relay@provider.test" in hops(message)
        assert message["From"] == '"printer@sender.test" <relay@provider.test>'
        assert message["Return-Path"] == "<relay@provider.test>"


class TestDirect(Audited):
    scenario = "direct"
    profile = "outbound_relay"

    def test_mail_goes_directly_to_the_mx(self, converged: t.Any, read_mail: ReadMail, letter: t.Any) -> None:
        subject, replies = letter("client")
        assert is_accepted(replies)
        trace = hops(read_mail(subject))
        assert "from relay.sender.test" in trace.partition(" | ")[0]
        assert "provider" not in trace

    @pytest.mark.parametrize(
        ("sender", "seen"),
        [
            ("job@web1.sender.test", "job@sender.test"),
            ("batch@sender.test", "reports@sender.test"),
            ("cron@host.internal.test", "ops@sender.test"),
        ],
    )
    def test_sender_addresses_are_rewritten(
        self, converged: t.Any, read_mail: ReadMail, letter: t.Any, sender: str, seen: str
    ) -> None:
        subject, replies = letter("client", sender=sender)
        assert is_accepted(replies)
        message = read_mail(subject)
        assert (message["From"], message["Return-Path"]) == (seen, f"<{seen}>")

    def test_an_alias_delivers_to_each_of_its_recipients(
        self, converged: t.Any, read_mail: ReadMail, letter: t.Any
    ) -> None:
        subject, replies = letter("client", recipient="team@sender.test")
        assert is_accepted(replies)
        assert [read_mail(subject, mailbox=mailbox) is not None for mailbox in (INBOX, OPS)] == [True, True]

    def test_a_header_field_is_removed(self, converged: t.Any, read_mail: ReadMail, letter: t.Any) -> None:
        subject, replies = letter("client", header="X-Internal: a/b\r\nX-Other: c/d\r\n")
        assert is_accepted(replies)
        message = read_mail(subject)
        assert (message["X-Internal"], message["X-Other"]) == (None, "c/d")

    def test_recipients_and_size_are_limited(self, converged: t.Any, probe: Probe) -> None:
        recipients = [f"RCPT TO:<r{number}@dest.test>" for number in range(51)]
        replies = probe(
            "client", "dialogue", host=RELAY, port=25, tls="none", commands=["MAIL FROM:<x@a.test>", *recipients]
        )
        assert [code for code, _text in replies[-2:]] == [250, 452]
        replies = probe(
            "client", "dialogue", host=RELAY, port=25, tls="none", commands=["MAIL FROM:<x@a.test> SIZE=100001"]
        )
        assert replies[-1][0] == 552


class TestMx(Audited):
    scenario = "mx"
    profile = "mx"
    waived = dict.fromkeys(("MR-STS-01", "MR-STS-02"), "The lab has no web server for a policy.")

    @pytest.mark.parametrize("recipient", [INBOX, "inbox@listed.test"])
    def test_any_host_can_send_to_its_domains(
        self, converged: t.Any, read_mail: ReadMail, letter: t.Any, recipient: str
    ) -> None:
        subject, replies = letter("outsider", sender="y@outsider.test", recipient=recipient)
        assert is_accepted(replies)
        assert "by relay.sender.test" in hops(read_mail(subject))

    @pytest.mark.parametrize(
        ("recipient", "words"),
        [
            ("nobody@dest.test", "undeliverable address"),  # by a query to the next server
            ("nobody@listed.test", "User unknown in relay recipient table"),
            ("x@sub.dest.test", "Relay access denied"),
            ("x@elsewhere.test", "Relay access denied"),
        ],
    )
    def test_other_recipients_are_refused(self, converged: t.Any, letter: t.Any, recipient: str, words: str) -> None:
        _subject, replies = letter("outsider", sender="y@outsider.test", recipient=recipient)
        assert is_refused(replies, words)

    @pytest.mark.parametrize("sender", ["boss@sender.test", "x@relay.sender.test", "x@listed.test", "boss"])
    def test_a_stranger_cannot_send_as_one_of_ours(self, converged: t.Any, letter: t.Any, sender: str) -> None:
        _subject, replies = letter("outsider", sender=sender)
        assert replies[-2][0] in (504, 550), replies

    @pytest.mark.parametrize("name", ["postmaster", "postmaster@relay.sender.test"])
    def test_mail_to_postmaster_is_delivered(
        self, converged: t.Any, read_mail: ReadMail, letter: t.Any, name: str
    ) -> None:
        """Required by RFC 5321 section 4.5.1."""
        subject, replies = letter("outsider", sender="y@outsider.test", recipient=name)
        assert is_accepted(replies)
        assert read_mail(subject, mailbox=OPS) is not None

    def test_a_client_that_sends_before_the_greeting_is_refused(self, converged: t.Any, probe: Probe) -> None:
        """Empties the cache of postscreen(8) first, because it exempts clients that have passed before."""
        converged.check_output(
            "postfix stop && rm /var/lib/postfix/relay/postscreen_cache* && systemctl restart postfix"
        )
        replies = probe("outsider", "pregreet", host=RELAY, port=25)
        assert re.search(r"^5\d\d ", replies, re.MULTILINE), replies
        assert "PREGREET" in converged.check_output("journalctl --no-pager -t postfix/postscreen -g PREGREET -n 1")

    def test_other_users_cannot_read_the_caches(self, converged: t.Any, letter: t.Any) -> None:
        letter("outsider", sender="y@outsider.test", recipient="nobody@dest.test")
        assert converged.file("/var/lib/postfix/relay/verify_cache.lmdb").exists
        assert converged.run("runuser -u nobody -- head -c 1 /var/lib/postfix/relay/verify_cache.lmdb").rc != 0
        assert converged.check_output("find /var/lib/postfix -maxdepth 1 -name '*.lmdb'") == ""

    def test_an_mx_offers_no_login(self, converged: t.Any, probe: Probe) -> None:
        for replies in probe("client", "dialogue", host=RELAY, port=25, tls="starttls", commands=[]):
            assert "AUTH" not in replies[1]


class TestBackupMx:
    scenario = "backup_mx"

    def test_mail_is_queued_until_the_primary_mx_returns(
        self, converged: t.Any, hosts: t.Any, read_mail: ReadMail, letter: t.Any
    ) -> None:
        hosts["mx"].check_output("systemctl stop postfix")
        try:
            subject, replies = letter("outsider", sender="y@outsider.test", recipient="user@backup.test")
            assert is_accepted(replies)
            assert "user@backup.test" in wait_for_reason(converged, "Connection refused")
        finally:
            hosts["mx"].check_output("systemctl start postfix")
        converged.check_output("postqueue -f")
        assert "by relay.sender.test" in hops(read_mail(subject))

    def test_mail_to_other_domains_is_refused(self, converged: t.Any, letter: t.Any) -> None:
        assert is_refused(letter("outsider", sender="y@outsider.test")[1], "Relay access denied")
        assert is_refused(letter("outsider", recipient="nobody@backup.test")[1], "User unknown")


class TestCombined:
    scenario = "combined"

    def test_each_port_is_open_to_its_networks_only(self, converged: t.Any, probe: Probe) -> None:
        assert probe("outsider", "open_ports", host=RELAY, ports=[25, 465, 587, 10025]) == [25, 587]
        assert probe("client", "open_ports", host=RELAY, ports=[25, 465, 587, 10025]) == [25, 465, 587]
        assert probe("relay", "open_ports", host="127.0.0.1", ports=[10025]) == [10025]

    def test_incoming_network_and_login_mail_take_their_own_routes(
        self, converged: t.Any, passwords: t.Any, read_mail: ReadMail, letter: t.Any
    ) -> None:
        """From outside to its domain, from the allowed network to any domain, and with a login over its upstream."""
        login = f"AUTH app@sender.test {passwords['app@sender.test']}"
        stranger, replies = letter("outsider", sender="y@outsider.test")
        assert is_accepted(replies)
        network, replies = letter("client", recipient="info@xn--bcher-kva.test")
        assert is_accepted(replies)
        own = {"sender": "app@sender.test", "recipient": "info@xn--bcher-kva.test", "login": login}
        app, replies = letter("outsider", **own, **SUBMISSION)
        assert is_accepted(replies)
        accounts = [
            re.findall(r"Authenticated sender: (\S+)\)", hops(read_mail(subject)))
            for subject in (stranger, network, app)
        ]
        assert accounts == [[], ["relay@provider.test"], ["deploy@provider.test"]]

    def test_mail_from_outside_to_other_domains_is_refused(self, converged: t.Any, letter: t.Any) -> None:
        assert is_refused(letter("outsider", recipient="info@xn--bcher-kva.test")[1], "Relay access denied")

    @pytest.mark.parametrize("name", ["postmaster", "postmaster@dest.test", "root@relay.sender.test"])
    def test_mail_of_a_stranger_to_a_reader_does_not_use_the_login(
        self, converged: t.Any, read_mail: ReadMail, letter: t.Any, name: str
    ) -> None:
        """Though all other mail leaves by an upstream that has one; RFC 5321 section 4.5.1."""
        subject, replies = letter("outsider", sender="y@outsider.test", recipient=name)
        assert is_accepted(replies)
        assert "provider" not in hops(read_mail(subject, mailbox=OPS))

    def test_mail_to_abuse_is_delivered(self, converged: t.Any, read_mail: ReadMail, letter: t.Any) -> None:
        subject, replies = letter("outsider", sender="y@outsider.test", recipient="abuse@relay.sender.test")
        assert is_accepted(replies)
        assert [read_mail(subject, mailbox=mailbox) is not None for mailbox in (INBOX, OPS)] == [True, True]


class TestRelayAndClients:
    """A fleet: the relay makes its own certificate, and three null clients trust that one."""

    scenario = "relay_and_clients"
    clients = ("client", "relay12", "outsider")
    names = (RELAY, "client.sender.test", "relay12.sender.test", "host.outsider.test")

    @staticmethod
    def own_site(site: dict[str, t.Any]) -> dict[str, t.Any]:
        prefix = site["relay_dns"]["addresses"][0].rpartition(".")[0]
        return {
            "site_networks": [f"{prefix}.{number}/32" for number in (40, 12, 66)],
            "relay_dns": {"nameservers": site["relay_dns"]["nameservers"]},
        }

    @pytest.mark.parametrize("client", clients)
    def test_a_client_sends_through_the_relay(
        self, converged: t.Any, hosts: t.Any, read_mail: ReadMail, client: str
    ) -> None:
        subject = uuid.uuid4().hex
        hosts[client].check_output(f"printf 'Subject: {subject}\\n\\nhello\\n' | sendmail inbox@dest.test")
        trace = hops(read_mail(subject))
        assert "by relay.sender.test" in trace
        assert "Authenticated sender: relay@provider.test" in trace
        log = hosts[client].check_output("journalctl --no-pager | grep 'to-relay-sender-test-25.*TLS connection'")
        assert set(re.findall(r"(\w+) TLS connection", log)) == {"Verified"}

    def test_the_proof_of_a_client_is_followed_through_the_relay(
        self, converged: t.Any, site: dict[str, t.Any]
    ) -> None:
        """And its run needs only itself: the relay is asked, and not configured."""
        own = site_of(type(self), site)
        play = run_scenario("one-client", self.scenario, own, "--limit", "client.sender.test")
        assert play.says("relay.sender.test -> smtp.provider.test")
        assert RELAY not in play.output.rpartition("PLAY RECAP")[2]

    def test_a_new_certificate_of_the_relay_reaches_its_clients_in_one_run(
        self, converged: t.Any, hosts: t.Any, site: dict[str, t.Any], read_mail: ReadMail
    ) -> None:
        client, subject = hosts["client"], uuid.uuid4().hex
        other = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=relay.sender.test"
        converged.check_output(
            f"{other} -keyout /root/k.pem -out /root/c.pem 2>/dev/null && cd /etc/postfix && "
            "cat /root/k.pem /root/c.pem >self-signed.pem && systemctl restart postfix"
        )
        client.check_output("systemctl restart postfix")  # forgets the connection that is open
        client.check_output(f"printf 'Subject: {subject}\\n\\nhello\\n' | sendmail inbox@dest.test")
        wait_for_reason(client, "Server certificate not verified")
        run_scenario("new-certificate", self.scenario, site_of(type(self), site))
        client.check_output("postqueue -f")
        assert read_mail(subject) is not None


def test_no_login_is_sent_if_starttls_is_stripped(site: dict[str, t.Any], hosts: t.Any) -> None:
    """The server would accept a login in clear. It receives no AUTH, and the queue lists the reason."""
    inventory = LAB / "stripped.yml"
    upstream = {"host": "smtp.provider.test", "port": 2589, "username": "relay@provider.test"}
    password = {"password": "{{ vault_upstream_password }}"}
    relays = {"hosts": {RELAY: None}, "vars": {"relay_upstream": {**upstream, **password}}}
    inventory.write_text(yaml.safe_dump({"relays": relays}))
    untried = {**site, "relay_verify": {"upstreams": False}}  # the role would refuse this upstream
    run_play("stripped", "playbooks/relay.yml", "-i", str(inventory), extra=untried).succeeded()
    relay, provider = hosts["relay"], hosts["upstream"]
    relay.check_output("printf 'Subject: x\\n\\n' | sendmail inbox@dest.test")
    wait_for_reason(relay, "TLS is required, but was not offered by host smtp.provider.test")
    log = provider.check_output("journalctl --no-pager -t postfix/2589/smtpd")
    assert "> relay.sender.test" in log
    assert "AUTH PLAIN" in log, "the server does not offer AUTH, so the test proves nothing"
    assert not [line for line in log.splitlines() if re.search(r"< relay\.sender\.test\S*: AUTH", line)]
    relay.check_output("postsuper -d ALL")
