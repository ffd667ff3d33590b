# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The canary on a real Postfix: it finds each mistake and nothing else, and the relay keeps working during a trial.

Each case is a change to the role's configuration, with the words that one problem must contain: the file with the line
or the parameter, and the message of Postfix.
"""

from __future__ import annotations

import concurrent.futures
import datetime
import json
import shlex
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.mailops.smtp.tests.lab.suite.plays import LAB, PROGRAM_LIMIT, ROOT

pytestmark = pytest.mark.second_lab

MAIN, MASTER, SENDERS = "/etc/postfix/main.cf", "/etc/postfix/master.cf", "/etc/postfix/relay_senders"
FOLDER = "/root/canary"
SCRIPT = Path(__file__).with_name("try_canary.py")
#: The goal, in seconds, on an idle host.
LONGEST = 5.0

Edit = tuple[str, str, str]
TryOut = t.Callable[..., dict[str, t.Any]]


def key_and_certificate(days: int) -> tuple[str, str]:
    """Return a new key and a certificate for it that expires in this many days, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay.sender.test")])
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, end - datetime.timedelta(days=30), end)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return key.private_bytes(*form).decode(), certificate.decode()


def added(line: str) -> Edit:
    """Return an edit that adds a line to main.cf."""
    return MAIN, "", f"{line}\n"


CHAIN = "smtpd_tls_chain_files = /etc/postfix/relay.pem"
RELAY = "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination"
KEY, CERTIFICATE = key_and_certificate(days=10)
OTHER_KEY, EXPIRED = key_and_certificate(days=-2)

FOUND: dict[str, tuple[list[Edit], list[str]]] = {
    "a TLS level": (
        [(MAIN, "smtpd_tls_security_level = may", "smtpd_tls_security_level = maybe")],
        [MAIN, "(smtpd_tls_security_level)", 'Invalid TLS level "maybe"'],
    ),
    "a TLS level of one port": (
        [(MASTER, "smtpd_tls_security_level = encrypt", "smtpd_tls_security_level = encrpt")],
        [MASTER, "(smtpd_tls_security_level)", 'Invalid TLS level "encrpt"'],
    ),
    "a TLS level of the client": (
        [(MAIN, "smtp_tls_security_level = dane", "smtp_tls_security_level = maby")],
        [MAIN, "(smtp_tls_security_level)", 'Invalid TLS level "maby"'],
    ),
    "a misspelled restriction": (
        [(MAIN, RELAY, "smtpd_relay_restrictions = reject_unauth_destinaton, reject_unauth_destination")],
        [MAIN, "(smtpd_relay_restrictions)", 'unknown smtpd restriction: "reject_unauth_destinaton"'],
    ),
    "a misspelled restriction that is never reached": (
        [added("smtpd_data_restrictions = permit, reject_unauth_pipelinig")],
        [MAIN, "(smtpd_data_restrictions)", 'unknown smtpd restriction: "reject_unauth_pipelinig"'],
    ),
    "a misspelled restriction of one port": (
        [(MASTER, "smtpd_client_restrictions = permit_sasl", "smtpd_client_restrictions = prmit_sasl")],
        [MASTER, "(smtpd_client_restrictions)", 'unknown smtpd restriction: "prmit_sasl_authenticated"'],
    ),
    "a misspelled parameter": (
        [added("smtpd_tls_loglvl = 1")],
        [MAIN, "(smtpd_tls_loglvl)", "unused parameter: smtpd_tls_loglvl=1"],
    ),
    "a misspelled parameter of one port": (
        [(MASTER, "smtpd_tls_wrappermode", "smtpd_tls_wrapermode")],
        [MASTER, "(smtpd_tls_wrapermode)", "unused parameter: smtpd_tls_wrapermode=yes"],
    ),
    "a missing key": (
        [(MAIN, CHAIN, "smtpd_tls_cert_file = /etc/postfix/relay.pem\nsmtpd_tls_key_file = /etc/postfix/gone.key")],
        [MAIN, "(smtpd_tls_key_file)", '"/etc/postfix/gone.key"', "No such file or directory"],
    ),
    "a missing chain": (
        [(MAIN, CHAIN, "smtpd_tls_chain_files = /etc/postfix/gone.pem")],
        [MAIN, "(smtpd_tls_chain_files)", "/etc/postfix/gone.pem: No such file or directory"],
    ),
    "a certificate with the key of another": (
        [
            (MAIN, CHAIN, "smtpd_tls_cert_file = /etc/postfix/new.pem\nsmtpd_tls_key_file = /etc/postfix/new.key"),
            ("/etc/postfix/new.pem", "", CERTIFICATE),
            ("/etc/postfix/new.key", "", OTHER_KEY),
        ],
        [MAIN, "(smtpd_tls_key_file)", '"/etc/postfix/new.key"', "key values mismatch"],
    ),
    "a chain file with the key of another certificate": (
        [
            (MAIN, CHAIN, "smtpd_tls_chain_files = /etc/postfix/new.pem"),
            ("/etc/postfix/new.pem", "", OTHER_KEY + CERTIFICATE),
        ],
        [MAIN, "(smtpd_tls_chain_files)", "/etc/postfix/new.pem does not match"],
    ),
    "an expired certificate": (
        [
            (MAIN, CHAIN, "smtpd_tls_chain_files = /etc/postfix/new.pem"),
            ("/etc/postfix/new.pem", "", OTHER_KEY + EXPIRED),
        ],
        [MAIN, "(smtpd_tls_chain_files)", "/etc/postfix/new.pem expired on"],
    ),
    "missing authorities of the client": (
        [(MAIN, "smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt", "smtp_tls_CAfile = /etc/gone.pem")],
        [MAIN, "(smtp_tls_CAfile)", 'cannot load Certification Authority data, CAfile="/etc/gone.pem"'],
    ),
    "a missing table": (
        [added("transport_maps = texthash:$config_directory/gone")],
        [MAIN, "(transport_maps)", "open database /etc/postfix/gone: No such file or directory"],
    ),
    "a table that was not built": (
        [added("transport_maps = hash:/etc/postfix/routes"), ("/etc/postfix/routes", "", "a.test smtp:b.test\n")],
        [MAIN, "(transport_maps)", "open database /etc/postfix/routes.db: No such file or directory"],
    ),
    "a malformed line of a table": (
        [(SENDERS, "", "nonsense\n")],
        [SENDERS, ", line ", "expected format: key whitespace value"],
    ),
    "a duplicate key": (
        [(SENDERS, "", "twice@sender.test app\ntwice@sender.test other\n")],
        [SENDERS, ", line ", 'duplicate entry: "twice@sender.test"'],
    ),
    "a malformed line of the source of a built table": (
        [added("transport_maps = hash:/etc/postfix/routes"), ("/etc/postfix/routes", "", "a.test smtp:\nnonsense\n")],
        ["/etc/postfix/routes, line 2", "expected format: key whitespace value"],
    ),
    "an invalid regular expression": (
        [added("header_checks = regexp:/etc/postfix/checks"), ("/etc/postfix/checks", "", "/(/ REJECT\n")],
        ["/etc/postfix/checks, line 1", "Unmatched ("],
    ),
    "a line of master.cf with too few fields": (
        [(MASTER, "smtp unix - - n - - smtp", "smtp unix - - n - -")],
        [f"{MASTER}, line ", "bad field count"],
    ),
    "a missing program in master.cf": (
        [(MASTER, "1 anvil", "1 anvl")],
        [f"{MASTER}, line ", "/anvl: No such file or directory"],
    ),
    "an unknown port": (
        [(MASTER, "\n465 inet", "\nsmptd inet")],
        [f"{MASTER}, line ", "has no port smptd/tcp"],
    ),
    "a private port": (
        [(MASTER, "\n465 inet n", "\n465 inet -")],
        [f"{MASTER}, line ", "inet service cannot be private"],
    ),
    "a postscreen action": (
        [
            (MASTER, "\n25 inet n - n - - smtpd", "\n25 inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd"),
            added("postscreen_greet_action = enfrce"),
        ],
        [MAIN, "(postscreen_greet_action)", "bad postscreen_greet_action value: enfrce"],
    ),
    "an open relay by mynetworks": (
        [(MAIN, "mynetworks = 127.0.0.0/8", "mynetworks = 0.0.0.0/0")],
        [MAIN, "(mynetworks)", "25 inet is an open relay", "RCPT TO:<recipient@mailops-canary.invalid>: 250"],
    ),
    "an open relay over IPv6": (
        [(MAIN, "[::1]/128", "[::]/0")],
        [MAIN, "(mynetworks)", "25 inet is an open relay"],
    ),
    "an open relay by its own domain as sender": (
        [(MAIN, RELAY, f"{RELAY.replace('permit_mynetworks', 'check_sender_access inline:{sender.test=OK}')}")],
        [MAIN, "(smtpd_relay_restrictions)", "25 inet is an open relay: MAIL FROM:<postmaster@sender.test>"],
    ),
    "no rule against relaying": (
        [(MAIN, RELAY, "smtpd_relay_restrictions = permit_mynetworks")],
        [MAIN, "(smtpd_relay_restrictions)", "specify at least one working instance of: reject_unauth_destination"],
    ),
    "a login before TLS": (
        [
            (MAIN, "smtpd_tls_auth_only = yes", "smtpd_tls_auth_only = no"),
            (MASTER, "smtpd_tls_security_level = encrypt", "smtpd_tls_security_level = may"),
            (
                MAIN,
                "smtpd_sasl_security_options = noanonymous, noplaintext",
                "smtpd_sasl_security_options = noanonymous",
            ),
        ],
        [MAIN, "(smtpd_tls_auth_only)", '587 inet offers "AUTH PLAIN LOGIN'],
    ),
    "an unknown protocol": ([added("inet_protocols = ipx")], [MAIN, "(inet_protocols)", "ipx"]),
    "an unknown owner": (
        [added("mail_owner = posfix")],
        [MAIN, "(mail_owner)", "unknown user"],
    ),
    "an invalid number": (
        [added("default_destination_rate_delay = 5x")],
        [MAIN, "(default_destination_rate_delay)", "bad time value or unit: 5x"],
    ),
}

GOOD: dict[str, list[Edit]] = {
    "unchanged": [],
    "chrooted": [(MASTER, " n - - smtpd", " y - - smtpd")],
    "behind postscreen": [
        (MASTER, "\n25 inet n - n - - smtpd", "\n25 inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd")
    ],
    "a new chain file": [
        (MAIN, CHAIN, "smtpd_tls_chain_files = ${config_directory}/new.pem"),
        ("/etc/postfix/new.pem", "", KEY + CERTIFICATE),
    ],
    "IPv4 only": [added("inet_protocols = ipv4")],
    "servers that do not run yet": [
        added("smtpd_milters = inet:127.0.0.1:11332"),
        added("smtpd_data_restrictions = check_policy_service unix:private/nobody"),
    ],
}


@pytest.fixture(scope="module")
def try_out(relay: t.Any) -> t.Iterator[TryOut]:
    """``try_out(edits)`` tries a changed configuration on the relay and returns the problems found."""
    ssh = ["ssh", "-F", str(LAB / "ssh_config"), "relay"]
    relay.check_output(f"mkdir -p {FOLDER}")
    code = subprocess.run(["tar", "c", "module_utils"], cwd=ROOT / "plugins", check=True, stdout=subprocess.PIPE).stdout
    subprocess.run([*ssh, f"tar x -C {FOLDER}"], input=code, check=True)

    def run(edits: t.Sequence[Edit]) -> dict[str, t.Any]:
        command = f"python3 - {FOLDER} {shlex.quote(json.dumps(edits))}"
        done = subprocess.run(
            [*ssh, command], input=SCRIPT.read_bytes(), capture_output=True, timeout=PROGRAM_LIMIT, check=False
        )
        assert done.returncode == 0, done.stderr.decode()[-3000:]
        return dict(json.loads(done.stdout))

    yield run
    relay.check_output(f"rm -rf {FOLDER}")
    assert leftovers(relay) == []


def leftovers(relay: t.Any) -> list[str]:
    """Return the directory and the processes that a canary left behind."""
    found = relay.run("ls -d /run/mailops-canary/ 2>/dev/null; grep -l MAIL_CONFIG=/run/mailops /proc/[0-9]*/environ")
    return str(found.stdout).split()


@pytest.mark.parametrize("case", FOUND)
def test_each_mistake_is_found(try_out: TryOut, case: str) -> None:
    edits, words = FOUND[case]
    problems = try_out(edits)["problems"]
    assert any(all(word in problem for word in words) for problem in problems), "\n".join([case, *problems])
    assert len(problems) <= 3, "one mistake causes more than three problems:\n" + "\n".join(problems)
    assert not any("/run/mailops" in problem for problem in problems), "\n".join(problems)


@pytest.mark.parametrize("case", GOOD)
def test_a_valid_configuration_has_no_problem(try_out: TryOut, relay: t.Any, case: str) -> None:
    result = try_out(GOOD[case])
    assert (result["problems"], result["in_vain"]) == ([], [])
    assert leftovers(relay) == []
    print(f"{case}: {result['seconds']:.2f} s")
    assert min(result["seconds"], try_out(GOOD[case])["seconds"]) < LONGEST


def test_the_canary_passes_without_dovecot(try_out: TryOut, relay: t.Any) -> None:
    relay.check_output("systemctl stop dovecot.service && rm -f /var/spool/postfix/private/auth")
    try:
        assert try_out([])["problems"] == []
    finally:
        relay.check_output("systemctl start dovecot.service")


def test_the_next_canary_removes_a_killed_one(try_out: TryOut, relay: t.Any) -> None:
    live = relay.check_output("cat /var/spool/postfix/pid/master.pid")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        trial = pool.submit(try_out, [(MASTER, "1 anvil", "1 anvl")])  # takes longer than a valid configuration
        runs = "until test -e /run/mailops-canary/queue/pid/master.pid; do sleep 0.01; done"
        relay.check_output(f"timeout 90 sh -c '{runs}' && kill -9 $(pgrep -f '^python3 - {FOLDER}')")
        with pytest.raises(AssertionError):
            trial.result()
    assert leftovers(relay) != []
    assert try_out([])["problems"] == []
    assert leftovers(relay) == []
    assert relay.check_output("cat /var/spool/postfix/pid/master.pid") == live


def test_the_relay_accepts_mail_during_trials(
    try_out: TryOut, relay: t.Any, probe: t.Callable[..., t.Any], passwords: dict[str, str]
) -> None:
    """Send ten messages per second during trials: each message is accepted and arrives exactly once."""
    relay_address = relay.check_output("hostname -I").split()[0]
    subject = f"during trials {time.time_ns()}"
    with concurrent.futures.ThreadPoolExecutor() as pool:
        stream = pool.submit(
            probe,
            "client",
            "stream",
            host=relay_address,
            recipient="inbox@dest.test",
            subject=subject,
            seconds=15,
            rate=10,
        )
        tried = 0
        while not stream.done():
            try_out(list(FOUND.values())[tried % len(FOUND)][0])
            tried += 1
    replies = stream.result()
    print(f"{len(replies)} messages, {tried} configurations tried")
    assert tried >= 3
    assert len(replies) == 150
    assert {code for code, _text in replies} == {250}, replies
    arrived = probe(
        "client",
        "find_mail",
        host="mx.dest.test",
        user="inbox@dest.test",
        password=passwords["inbox@dest.test"],
        search=f'SUBJECT "{subject}"',
        count=len(replies),
        seconds=60,
    )
    assert len(arrived) == len(replies)
