# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing with DKIM, proved at the destination by dkimpy, which is neither of the two signers.

The tests change the shared relay, so they run after all others, and in the order of this file.
"""

from __future__ import annotations

import concurrent.futures
import datetime
import functools
import json
import re
import typing as t
import uuid

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._relay.dkim_records import make_records
from ansible_collections.mailops.smtp.tests.lab.suite import audits
from ansible_collections.mailops.smtp.tests.lab.suite.plays import LAB, RELAY, ROOT, Play, run_play

pytestmark = [pytest.mark.third_lab, pytest.mark.last]

Probe = t.Callable[..., t.Any]
Publish = t.Callable[..., None]
FindSigned = t.Callable[..., list[list[dict[str, t.Any]]]]

NAME = "relay.sender.test"
INBOX = "inbox@dest.test"
CHECK = "systemctl restart relay-dkim.service"
RSA, ED25519 = "rsa-sha256", "ed25519-sha256"
OURS = [("sender.test", "r1", RSA, True), ("sender.test", "r1-ed", ED25519, True)]
#: Domain of From, with what signs its mail.
DOMAINS: list[dict[str, t.Any]] = [
    {"domain": "sender.test", "selectors": ["r1"], "ed25519": True},
    {"domain": "news.sender.test", "selectors": ["n1"]},
    {"domain": "xn--bcher-kva.test", "selectors": ["b1"]},
]
#: Makes two keys with dkimpy's own tools, and signs the message of the standard input with both, RSA outermost.
SIGN = """
set -eu
cd "$(mktemp -d)"
dknewkey --ktype rsa rsa >/dev/null && dknewkey --ktype ed25519 ed >/dev/null
{ cat rsa.dns; echo; cat ed.dns; } >&2
dkimsign --signalg ed25519-sha256 ed sender.test ed.key | dkimsign rsa sender.test rsa.key
"""


def verdicts(signatures: t.Iterable[t.Mapping[str, t.Any]]) -> list[tuple[str, str, str, bool]]:
    """Return domain, selector and algorithm of each signature, and whether it is valid; in order."""
    return sorted((one["d"], one["s"], one["a"], not one["reason"]) for one in signatures)


def test_verifier_tells_valid_signatures_from_others(hosts: dict[str, t.Any], publish: Publish, probe: Probe) -> None:
    letter = f"From: x@sender.test\nTo: inbox@dest.test\nSubject: {uuid.uuid4().hex}\nDate: now\n\nhello\n"
    made = hosts["mx"].run(f"printf %s '{letter}' | ({SIGN})")
    assert made.rc == 0, made.stderr
    records = dict(zip(("rsa", "ed"), re.findall("v=DKIM1.*", made.stderr), strict=True))

    def judged(message: str) -> dict[str, str]:
        return {one["s"]: one["reason"] for one in probe("mx", "verify", message=message)}

    assert set(judged(made.stdout)) == {"rsa", "ed"}
    assert all(judged(made.stdout).values()), "signatures are valid without a key in the DNS"
    for selector, record in records.items():
        publish(f"{selector}._domainkey.sender.test", record)
    assert judged(made.stdout) == {"rsa": "", "ed": ""}
    for changed in (made.stdout.replace("hello", "hullo"), made.stdout.replace("x@sender", "y@sender")):
        assert all(judged(changed).values()), "a changed message has a valid signature"
    publish("rsa._domainkey.sender.test", records["ed"])
    assert [selector for selector, reason in judged(made.stdout).items() if not reason] == ["ed"]
    publish("ed._domainkey.sender.test")
    assert all(judged(made.stdout).values())
    assert judged(letter) == {}


def dkim(hosts: dict[str, t.Any], *selectors: str) -> dict[str, t.Any]:
    """Return ``relay_dkim`` of the tests, with these selectors of sender.test."""
    first = {**DOMAINS[0], "selectors": list(selectors or ("r1",))}
    server = hosts["ns"].check_output("hostname -I").split()[0]
    return {"relay_dkim": {"domains": [first, *DOMAINS[1:]], "nameservers": [server]}}


def records(host: t.Any) -> dict[str, dict[str, t.Any]]:
    """Return what the host says of each record, by name, as the role has it in relay_dkim_records."""
    found = json.loads(host.check_output("python3 -I -B /usr/local/lib/relay-dkim records"))
    return {one["name"]: one for one in make_records(found)}


def publish_all(host: t.Any, publish: Publish) -> None:
    """Publish each record of a host, and let it look."""
    for name, record in records(host).items():
        publish(name, record["text"])
    host.check_output(CHECK)


def letter(
    author: str = "x@sender.test", envelope: str | None = None, header: str = "", mail: str = "", body: str = "hello"
) -> tuple[str, list[str]]:
    """Return a word of the header, and what a client says to send the message."""
    word = uuid.uuid4().hex
    sender = author if envelope is None else envelope
    text = f"From: {author}\r\nTo: {INBOX}\r\nSubject: {word}\r\n{header}\r\n{body}\r\n.\r\n"
    segments = ["EHLO client.sender.test\r\n", f"MAIL FROM:<{sender}>{mail}\r\n", f"RCPT TO:<{INBOX}>\r\n", "DATA\r\n"]
    return word, [one.encode().decode("latin-1") for one in (*segments, text)]


#: Messages and the signatures that they arrive with.
LETTERS: dict[str, tuple[tuple[str, list[str]], list[tuple[str, str, str, bool]]]] = {
    "ours": (letter(header="Date: Sun, 29 Nov 2026 07:00:00 +0000\r\nMessage-ID: <1@sender.test>\r\n"), OURS),
    "subdomain with a key": (letter("weekly@news.sender.test"), [("news.sender.test", "n1", RSA, True)]),
    "another domain with a key": (letter("x@xn--bcher-kva.test"), [("xn--bcher-kva.test", "b1", RSA, True)]),
    "subdomain without a key": (letter("x@web.sender.test"), []),
    "others": (letter("x@outsider.test"), []),
    "others in From, ours in the envelope": (letter("x@outsider.test", "x@sender.test"), []),
    "ours in From, others in the envelope": (letter("x@sender.test", "x@outsider.test"), OURS),
    "bounce": (letter("mailer-daemon@sender.test", ""), OURS),
    "UTF-8": (
        letter("jörg@sender.test", mail=" SMTPUTF8 BODY=8BITMIME", header="X-Name: größe\r\n", body="größe"),
        OURS,
    ),
    "8bit": (
        letter(
            mail=" BODY=8BITMIME",
            header="MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: 8bit\r\n",
            body="größe\r\n.. dots\r\n\r\ntrailing  \t\r\n\r\n",
        ),
        OURS,
    ),
    "long lines": (letter(header=f"X-Long: {'x' * 980}\r\n", body="y" * 998), OURS),
    "no Date": (letter(), OURS),
    "bare LF": (letter(body="one\ntwo\n\nthree"), OURS),
}


@pytest.fixture(scope="module")
def waiting(relay: t.Any, hosts: dict[str, t.Any]) -> t.Iterator[Play]:
    """The first run with keys, while the DNS has none of them, after a check on a host without the signer."""
    run_play("dkim-check-first", RELAY, "--check", extra=dkim(hosts)).succeeded()
    yield run_play("dkim-first", RELAY, extra=dkim(hosts)).succeeded()
    run_play("dkim-none", RELAY).succeeded()


def test_nothing_is_signed_before_the_dns_has_the_record(
    waiting: Play, relay: t.Any, probe: Probe, find_signed: FindSigned
) -> None:
    assert {one["state"] for one in records(relay).values()} == {"waiting"}
    assert waiting.says("r1._domainkey.sender.test is not published")
    word, segments = letter()
    probe("client", "talk", host=NAME, port=25, tls="none", segments=segments)
    assert find_signed(word) == [[]]


@pytest.fixture(scope="module")
def signing(
    waiting: Play, relay: t.Any, hosts: dict[str, t.Any], publish: Publish, find_signed: FindSigned
) -> t.Iterator[t.Any]:
    """The relay once its records are published, as docs/relay.md does it: it signs by itself, the very next message."""
    server = hosts["ns"].check_output("hostname -I").split()[0]
    code = (ROOT / "docs/relay.md").read_text().split("\n## DKIM\n")[1].split("```yaml\n")[2].split("```")[0]
    for name, replacement in {"example.com": "sender.test", "192.0.2.53": server, ", -k, /etc/dns.key": ""}.items():
        assert name in code
        code = code.replace(name, replacement)
    path = LAB / "dkim-publish.yml"
    path.write_text(code)
    run_play("dkim-publish", str(path), "--limit", "relay", extra=dkim(hosts)).succeeded()
    word = submit(relay)
    assert {one["state"] for one in records(relay).values()} == {"signing"}
    assert verdicts(find_signed(word)[0]) == OURS
    published = list(records(relay))
    yield relay
    for name in published:
        publish(name)


@pytest.fixture(scope="module")
def replies(signing: t.Any, probe: Probe) -> dict[str, list[str]]:
    """The replies to each letter."""
    each = [{"host": NAME, "port": 25, "tls": "none", "segments": one[0][1]} for one in LETTERS.values()]
    return dict(zip(LETTERS, probe("client", "talk_each", conversations=each), strict=True))


@pytest.mark.parametrize("name", LETTERS)
def test_signatures_at_the_destination(replies: dict[str, list[str]], find_signed: FindSigned, name: str) -> None:
    (word, _segments), expected = LETTERS[name]
    assert replies[name][-2].startswith("250"), replies[name]
    (signatures,) = find_signed(word)
    assert verdicts(signatures) == expected, signatures


def test_two_from_fields_are_never_signed(signing: t.Any, probe: Probe, find_signed: FindSigned) -> None:
    word, segments = letter(header="From: y@outsider.test\r\n")
    probe("client", "talk", host=NAME, port=25, tls="none", segments=segments)
    assert find_signed(word, seconds=10) in ([], [[]])


def test_login_gives_no_signature_for_another_domain(
    signing: t.Any, probe: Probe, passwords: dict[str, str], find_signed: FindSigned
) -> None:
    words = {"app@sender.test": OURS, "x@outsider.test": []}
    for author, expected in words.items():
        word = uuid.uuid4().hex
        body = f"BODY From: {author}\r\nTo: {INBOX}\r\nSubject: {word}\r\n\r\nhello\r\n"
        login = f"AUTH app@sender.test {passwords['app@sender.test']}"
        commands = [login, "MAIL FROM:<app@sender.test>", f"RCPT TO:<{INBOX}>", body]
        answers = probe("outsider", "dialogue", host=NAME, port=587, tls="starttls", commands=commands)
        assert answers[-1][0] == 250, answers
        assert verdicts(find_signed(word)[0]) == expected


def submit(host: t.Any, author: str = "x@sender.test") -> str:
    """Send a message as a program of the host does; return a word of its header."""
    word = uuid.uuid4().hex
    host.check_output(
        f"printf 'From: {author}\\nTo: {INBOX}\\nSubject: {word}\\n\\none\\n' | sendmail -f {author} {INBOX}"
    )
    return word


def test_mail_of_local_programs_is_signed(signing: t.Any, find_signed: FindSigned) -> None:
    assert verdicts(find_signed(submit(signing))[0]) == OURS


def test_fields_added_later_break_the_signature(
    signing: t.Any, probe: Probe, find_mail: t.Callable[..., list[bytes]]
) -> None:
    """Also those that the message did not have: they are signed as absent."""
    word = submit(signing)
    raw = find_mail(f"SUBJECT {word}")[-1].decode("latin-1")
    assert verdicts(probe("mx", "verify", message=raw)) == OURS
    for field in (
        "From: y@outsider.test",
        "Subject: y",
        f"To: {INBOX}",
        "Reply-To: y@outsider.test",
        "Cc: y@dest.test",
    ):
        changed = probe("mx", "verify", message=f"{field}\r\n{raw}")
        assert [one[-1] for one in verdicts(changed)] == [False, False], field


def test_25_megabytes_are_signed(signing: t.Any, probe: Probe, find_signed: FindSigned) -> None:
    word = uuid.uuid4().hex
    code, text = probe(
        "client", "post", host=NAME, sender="x@sender.test", recipient=INBOX, subject=word, padding=25_000_000
    )
    assert code == 250, text
    assert verdicts(find_signed(word, seconds=60)[0]) == OURS


def test_mail_waits_while_the_signer_is_down(signing: t.Any, probe: Probe, find_signed: FindSigned) -> None:
    signing.check_output("systemctl stop rspamd.service")
    try:
        _word, segments = letter()
        answers = probe("client", "talk", host=NAME, port=25, tls="none", segments=segments)
        assert any(one.startswith("4") for one in answers), answers
        word = submit(signing)
        assert find_signed(word, seconds=5) == []
    finally:
        signing.check_output("systemctl start rspamd.service")
    signing.check_output("timeout 90 sh -c 'until test -S /run/relay-dkim/milter.sock; do sleep 0.1; done'")
    signing.check_output("postqueue -f; systemctl reload postfix")
    assert verdicts(find_signed(word, seconds=90)[0]) == OURS


def test_session_that_postfix_holds_delays_no_restart(signing: t.Any, find_signed: FindSigned) -> None:
    """rspamd alone waits 16 s for it, and no mail is taken meanwhile."""
    hold = "import socket, time; s = socket.socket(socket.AF_UNIX); s.connect('/run/relay-dkim/milter.sock'); print()"
    command = f'python3 -uc "{hold}; time.sleep(60)"'
    signing.check_output(f"systemd-run --unit=held --property=StandardOutput=file:/run/held {command}")
    signing.check_output("timeout 90 sh -c 'until test -s /run/held; do sleep 0.1; done'")
    signing.check_output("timeout 12 systemctl restart rspamd.service")
    signing.check_output("systemctl stop held.service; rm /run/held")
    signing.check_output("timeout 90 sh -c 'until test -S /run/relay-dkim/milter.sock; do sleep 0.1; done'")
    assert verdicts(find_signed(submit(signing))[0]) == OURS


def test_signer_is_closed_and_small(signing: t.Any) -> None:
    files = signing.check_output("find /etc/relay-dkim/keys -type f -printf '%m %u %g %p\\n' | sort").splitlines()
    assert len(files) >= 4
    assert {tuple(line.split()[:3]) for line in files} == {("640", "root", "_rspamd")}
    assert "rspamd" not in signing.check_output("ss -Hlntup")
    assert signing.check_output("stat -c '%a %G' /run/relay-dkim/milter.sock").split() == ["660", "postfix"]
    pids = signing.check_output("pgrep -x rspamd").split()
    shares = [signing.check_output(f"awk '/^Pss:/ {{ print $2 }}' /proc/{pid}/smaps_rollup") for pid in pids]
    assert sum(map(int, shares)) < 150_000, shares


def test_second_run_makes_no_new_key(signing: t.Any, hosts: dict[str, t.Any]) -> None:
    keys = "find /etc/relay-dkim/keys -type f | sort | xargs sha256sum"
    before = signing.check_output(keys)
    assert run_play("dkim-second", RELAY, extra=dkim(hosts)).succeeded().count("relay", "changed") == 0
    assert run_play("dkim-check", RELAY, "--check", extra=dkim(hosts)).succeeded().count("relay", "changed") == 0
    assert signing.check_output(keys) == before


def compared(hosts: dict[str, t.Any], selector: str) -> set[str]:
    """Return what the control that compares key and record says of a selector, by what the host tells of its keys."""
    audits.install("relay")
    [facts] = audits.ask("relay", [("postfix_info", {"gather": ["dkim"]})])
    [public] = [one["public_key"] for one in facts["evidence"]["facts"]["dkim"] if one["selector"] == selector]
    server = hosts["ns"].check_output("hostname -I").split()[0]
    options = {
        "domain": "sender.test",
        "checks": ["dkim"],
        "dkim": [{"selector": selector, "public_key": public}],
        "nameservers": [server],
        "on_finding": "ignore",
    }
    [answer] = audits.ask(audits.CONTROLLER, [("mail_dns_info", options)])
    return {one["status"] for one in answer["findings"] if one["control"] == "MR-DKIM-02"}


def test_wrong_key_in_the_dns_stops_its_selector(
    signing: t.Any, hosts: dict[str, t.Any], publish: Publish, find_signed: FindSigned
) -> None:
    right, other = (
        records(signing)[f"{name}.test"]["text"] for name in ("r1._domainkey.sender", "b1._domainkey.xn--bcher-kva")
    )
    assert compared(hosts, "r1") == {"pass"}
    publish("r1._domainkey.sender.test", other)
    signing.check_output(CHECK)
    try:
        found = records(signing)["r1._domainkey.sender.test"]
        assert found["state"] == "foreign"
        assert "is taken: the DNS has a record with another key" in found["told"]
        assert compared(hosts, "r1") == {"fail"}
        assert find_signed(submit(signing)) == [[]]
    finally:
        publish("r1._domainkey.sender.test", right)
        signing.check_output(CHECK)
    assert verdicts(find_signed(submit(signing))[0]) == OURS


def test_every_message_during_a_rotation_can_be_verified(
    signing: t.Any, hosts: dict[str, t.Any], publish: Publish, probe: Probe, find_signed: FindSigned
) -> None:
    """A message each second, through two runs and a check; the old record stays, as it must for mail on its way."""
    word = uuid.uuid4().hex
    stop = f"/run/{word}"
    stream = functools.partial(probe, "client", "stream", host=NAME, recipient=INBOX, subject=word, seconds=900, rate=1)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        sent = pool.submit(stream, until=stop)
        try:
            run_play("dkim-rotation", RELAY, extra=dkim(hosts, "r1", "r2")).succeeded()
            assert records(signing)["r1._domainkey.sender.test"]["state"] == "signing"
            publish_all(signing, publish)
            states = {name: one["state"] for name, one in records(signing).items()}
            assert states["r1._domainkey.sender.test"] == "published"
            assert states["r2._domainkey.sender.test"] == "signing"
            keep = records(signing)["r1._domainkey.sender.test"]["keep_until"]
            assert (datetime.date.fromisoformat(keep) - datetime.date.today()).days in (7, 8)
            run_play("dkim-retired", RELAY, extra=dkim(hosts, "r2")).succeeded()
            assert verdicts(find_signed(submit(signing))[0])[0][1] == "r2"
        finally:
            hosts["client"].check_output(f"touch {stop}")
    answers = sent.result()
    assert {code for code, dummy in answers} == {250}, answers
    arrived = find_signed(word, count=len(answers), seconds=60)
    assert len(arrived) == len(answers)
    assert {len(signatures) for signatures in arrived} == {2}
    assert [one for signatures in arrived for one in signatures if one["reason"]] == []
    assert {signatures[0]["s"].partition("-")[0] for signatures in arrived} == {"r1", "r2"}


def test_rspamd_of_debian_12_signs(hosts: dict[str, t.Any], publish: Publish, find_signed: FindSigned) -> None:
    """An older rspamd and an older systemd, whose sets of system calls are others."""
    host, given = hosts["relay12"], dkim(hosts)
    given["relay_dkim"]["domains"] = [{"domain": "sender.test", "selectors": ["d12"], "ed25519": True}]
    run_play("dkim-12", RELAY, extra=given, relay="relay12").succeeded()
    publish_all(host, publish)
    (signatures,) = find_signed(submit(host))
    assert {one[1:] for one in verdicts(signatures)} == {("d12", RSA, True), ("d12-ed", ED25519, True)}
    run_play("dkim-12-absent", RELAY, extra={"relay_state": "absent"}, relay="relay12").succeeded()
    assert host.check_output("systemctl --failed --plain --no-legend") == ""


#: An OpenDKIM that checks signatures for someone else.
OPENDKIM_IN_USE = """
set -e
DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends opendkim >/dev/null
cd /run/opendkim
printf '%s\\n' 'Mode v' 'Syslog yes' 'UserID opendkim' "Socket local:$PWD/own.sock" "PidFile $PWD/opendkim.pid" \
  >/etc/opendkim.conf
systemctl restart opendkim.service
"""


@pytest.fixture(scope="module")
def opendkim(hosts: dict[str, t.Any], put: t.Callable[[str, str, bytes], None]) -> t.Iterator[t.Any]:
    """The relay of Debian 12, as Ubuntu 22.04: there, OpenDKIM signs."""
    host = hosts["relay12"]
    release = 'PRETTY_NAME="Ubuntu 22.04 LTS"\nNAME="Ubuntu"\nVERSION_ID="22.04"\nID=ubuntu\nID_LIKE="debian"\n'
    given = dkim(hosts)
    given["relay_dkim"]["domains"] = [{"domain": "sender.test", "selectors": ["o1"]}]
    host.check_output(OPENDKIM_IN_USE)
    host.check_output("rm -f /etc/os-release")  # a link into /usr
    try:
        put("relay12", "/etc/os-release", release.encode())
        put("relay12", "/etc/lsb-release", b"DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=22.04\n")
        refused = run_play("dkim-opendkim-refused", RELAY, extra=given, relay="relay12")
        assert refused.says("takeover refused: This host does the following with mail now")
        assert refused.says("opendkim with a configuration of its own (/etc/opendkim.conf)")
        assert host.file("/run/opendkim/own.sock").exists
        run_play("dkim-opendkim", RELAY, extra={**given, "relay_takeover": True}, relay="relay12").succeeded()
        yield host
    finally:
        host.check_output("ln -sf ../usr/lib/os-release /etc/os-release && rm -f /etc/lsb-release")


def test_opendkim_signs_where_it_is_the_signer(opendkim: t.Any, publish: Publish, find_signed: FindSigned) -> None:
    assert find_signed(submit(opendkim)) == [[]]
    publish_all(opendkim, publish)
    (signatures,) = find_signed(submit(opendkim))
    assert verdicts(signatures) == [("sender.test", "o1", RSA, True)]
    assert signatures[0]["h"].count("from") == 2
    assert find_signed(submit(opendkim, "x@outsider.test")) == [[]]


def test_removal_leaves_nothing_and_gives_the_signer_back(opendkim: t.Any) -> None:
    opendkim.check_output("timeout 90 sh -c 'until [ -z \"$(postqueue -j)\" ]; do postqueue -f; sleep 1; done'")
    run_play("dkim-absent", RELAY, extra={"relay_state": "absent"}, relay="relay12").succeeded()
    assert opendkim.check_output("ls -d /etc/relay-dkim /var/lib/relay-dkim /usr/local/lib/relay-dkim || true") == ""
    units = opendkim.check_output("systemctl list-unit-files --no-legend 'relay-dkim*' || true")
    assert units == ""
    assert not opendkim.file("/etc/systemd/system/opendkim.service.d").exists
    assert opendkim.service("opendkim").is_running
    assert opendkim.service("opendkim").is_enabled
    assert opendkim.file("/run/opendkim/own.sock").exists


def test_scenario(
    hosts: dict[str, t.Any], passwords: dict[str, str], publish: Publish, find_signed: FindSigned
) -> None:
    """The inventory as it stands, and a second run that changes nothing."""
    prefix = hosts["relay"].check_output("hostname -I").strip().rpartition(".")[0]
    site = {
        "site_networks": [f"{prefix}.40/32"],
        "site_nameservers": [f"{prefix}.2"],
        "vault_upstream_password": passwords["relay@provider.test"],
        "relay_dns": {"on_finding": "fail", "addresses": [f"{prefix}.10"], "nameservers": [f"{prefix}.2"]},
        "ansible_ssh_args": f"-F {LAB / 'ssh_config'}",
        "ansible_become": False,
    }
    run = functools.partial(run_play, "dkim-scenario", RELAY, "-i", "playbooks/scenarios/dkim.yml", extra=site)
    assert run().succeeded().count(NAME, "changed") > 0
    publish_all(hosts["relay"], publish)
    signatures = [("news.sender.test", "r202611", RSA, True), ("news.sender.test", "r202611-ed", ED25519, True)]
    assert verdicts(find_signed(submit(hosts["relay"], "x@news.sender.test"))[0]) == signatures
    assert run().succeeded().count(NAME, "changed") == 0
