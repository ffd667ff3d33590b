# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""postfix_info as Ansible runs it, on a host whose postconf and journalctl are replaced by scripts."""

from __future__ import annotations

import json
import os
import re
import time
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mailops.smtp.plugins.module_utils._module import environment, postfix
from ansible_collections.mailops.smtp.plugins.module_utils._postfix import log_source
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.log import Hop
from ansible_collections.mailops.smtp.plugins.modules import postfix_info
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._postfix.test_log import named, read_log

LOG = Path(__file__).parents[1] / "_postfix/postfix-3.10.log"
Run = t.Callable[..., dict[str, t.Any]]

#: Fails without a main.cf, unless -c names another directory, like the real postconf.
POSTCONF = r"""#!/bin/sh
home=${0%/*}
case "$*" in *-c*) ;; *) [ -e "$home/main.cf" ] || { echo "postconf: fatal: open main.cf" >&2; exit 1; } ;; esac
case "$*" in
  -n) cat "$home/main.cf" ;;
  *-m) printf 'cidr\nlmdb\n' ;;
  *) printf 'mail_version = 3.10.13\nmyhostname = relay.sender.test\nmaillog_file =\n'
     grep backoff "$home/main.cf"; true ;;
esac
"""
#: Adds the lines of later.log from the third call on.
JOURNALCTL = r"""#!/bin/sh
home=${0%/*} pids=
for word; do case $word in --grep=*) pattern=${word#--grep=} ;; _PID=*) pids="$pids|${word#_PID=}" ;; esac; done
echo call >> "$home/calls"
[ "$(wc -l < "$home/calls")" -ge 3 ] && [ -e "$home/later.log" ] && mv "$home/later.log" "$home/more.log"
cat "$home"/log "$home"/more.log 2>/dev/null | grep -E "\[(${pids#|}${pids:-[0-9]+})\]: " | grep -P -- "$pattern"
"""


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host with Postfix: the directory with its programs, main.cf and logs."""
    for name, program in (("postconf", POSTCONF), ("journalctl", JOURNALCTL)):
        path = tmp_path / name
        path.write_text(program)
        path.chmod(0o755)
    (tmp_path / "main.cf").write_text("relayhost = [smtp.p.test]:587\nminimal_backoff_time = 300s\n")
    (tmp_path / "log").write_text(LOG.read_text())
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(log_source, "FILES", (str(tmp_path / "mail.log"),))
    monkeypatch.setattr(log_source, "JOURNALS", (str(tmp_path / "log"),))
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """``run(**options)`` runs the module and returns its result."""

    def run_module(**options: t.Any) -> dict[str, t.Any]:
        with patch_module_args(options), pytest.raises(SystemExit):
            postfix_info.main()
        result = json.loads(capsys.readouterr().out)
        result.pop("_ansible_new_secrets", None)  # ansible-core 2.22: for the controller, which never shows it
        return dict(result)

    return run_module


def queue_id(name: str) -> str:
    return named(read_log("3.10"), name)


@pytest.mark.usefixtures("host")
def test_facts_of_postfix(run: Run) -> None:
    found = run()
    assert (found["installed"], found["version"], found["map_types"]) == (True, "3.10.13", ["cidr", "lmdb"])
    assert found["parameters"]["relayhost"] == "[smtp.p.test]:587"
    assert found["changed"] is False


def test_facts_without_a_main_cf(host: Path, run: Run) -> None:
    (host / "main.cf").unlink()
    found = run()
    assert not found.get("failed")
    assert (found["installed"], found["version"], found["map_types"]) == (True, "3.10.13", ["cidr", "lmdb"])
    assert found["parameters"] == {}


def test_host_without_postfix(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(basic.AnsibleModule, "get_bin_path", lambda *_words, **_more: None)
    found = run()
    assert not found.get("failed")
    assert (found["installed"], found["version"], found["map_types"], found["parameters"]) == (False, None, [], {})
    assert "not installed" in run(trace="4dDwwB5hD2z4w")["msg"]


@pytest.mark.usefixtures("host")
def test_each_hop_has_a_summary(run: Run) -> None:
    found = run(trace=queue_id("filter"))
    assert not found.get("failed")
    assert [hop["summary"] for hop in found["hops"]][2].startswith(
        "relay.sender.test -> smtp.provider.test[127.0.0.2]:2525 (TLSv1.3, verified): 250 2.0.0 Ok: queued as "
    )
    assert found["hops"][2]["tls"]["cipher"] == "TLS_AES_256_GCM_SHA384"


def test_hop_over_a_bridge_names_its_upstream() -> None:
    """Its socket would not tell which server took the message."""
    hop = Hop(
        "4jc", "a@b.test", "", "relay.test[private/microsoft365-socket]", "", "2.0.0", "sent", "250 Ok", "", None, ""
    )
    assert postfix._describe(hop, "relay.test")["summary"] == "relay.test -> microsoft365 (OAuth2): 250 Ok"


#: Name of a message in the log, words of the error.
NOT_SENT: list[tuple[str, str]] = [
    (
        "badauth",
        'said: 535 5.7.8 Error: authentication failed: bad)". The server did not accept user name and password',
    ),
    ("badauth", "and Postfix retries, but every attempt fails until the cause is removed."),
    ("wrongname", 'Earlier log line: "server certificate verification failed for other.test[127.0.0.3]:2525: num=62'),
    ("refused", "The message stays in the queue of this host, and Postfix retries."),
    ("unknown", "Postfix does not retry; it notifies the sender with message 4jX"),
    ("hold", "release it with postsuper -H."),
]


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize(("name", "words"), NOT_SENT)
def test_failure_is_explained_without_waiting_for_the_timeout(run: Run, name: str, words: str) -> None:
    begun = time.monotonic()
    found = run(trace=queue_id(name), timeout=60)
    assert found["failed"]
    assert words in found["msg"]
    assert found["hops"]
    assert time.monotonic() - begun < 30


def test_module_waits_for_the_delivery(host: Path, run: Run) -> None:
    lines = (host / "log").read_text().splitlines(keepends=True)
    cut = next(number for number, line in enumerate(lines) if f"{queue_id('ok')}: to=" in line)
    (host / "log").write_text("".join(lines[:cut]))
    (host / "later.log").write_text("".join(lines[cut:]))
    found = run(trace=queue_id("ok"), timeout=20)
    assert not found.get("failed"), found["msg"]
    assert found["hops"][0]["tls"]["certificate"] == "verified"


def test_module_waits_for_another_attempt_that_comes_in_time(host: Path, run: Run) -> None:
    (host / "main.cf").write_text("minimal_backoff_time = 1s\n")
    sent = "4jXHnX: to=<u@grey.test>, relay=mx[192.0.2.1]:25, delay=9, delays=8/1/0/0, dsn=2.0.0, status=sent (250 ok)"
    head = "1795325700.000001 relay postfix/smtp[999]: "
    name = queue_id("grey")
    later = [sent.replace("4jXHnX", name), f"{name}: removed"]
    (host / "later.log").write_text("".join(f"{head}{line}\n" for line in later))
    found = run(trace=name, timeout=20)
    assert not found.get("failed"), found["msg"]
    assert [hop["status"] for hop in found["hops"]] == ["sent"]


@pytest.mark.usefixtures("host")
def test_unknown_message(run: Run) -> None:
    found = run(trace="4jXHzzzzzzzzzz", timeout=0.1)
    assert found["msg"].startswith("Message 4jXHzzzzzzzzzz is not in the log of this host. ")
    assert "'postqueue -p' shows whether" in found["msg"]
    assert "trace: '--follow' is not a valid queue ID" in run(trace="--follow")["msg"]


def test_log_files_are_read_if_journald_has_no_lines(host: Path, run: Run) -> None:
    name = queue_id("ok")
    (host / "log").rename(host / "mail.log")
    (host / "log").write_text("")
    assert not run(trace=name).get("failed")
    (host / "mail.log").rename(host / "own.log")
    assert run(trace=name, timeout=0.1)["failed"]
    (host / "postconf").write_text(POSTCONF.replace("maillog_file =", f"maillog_file = {host}/own.log"))
    found = run(trace=name)
    assert not found.get("failed")
    assert found["hops"][0]["tls"]["certificate"] == "verified"


def test_a_host_that_stores_no_log_says_so_at_once(host: Path, run: Run) -> None:
    (host / "log").unlink()
    began = time.monotonic()
    found = run(trace="4jXHzzzzzzzzzz", timeout=60)
    assert time.monotonic() - began < 5
    assert (found["failed"], found["hops"]) == (True, [])
    assert "this host stores no log of mail" in found["msg"]
    assert "Storage=" in found["msg"]


def test_a_log_that_never_mentions_the_message_is_not_waited_for(
    host: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postfix, "_SILENCE_SECONDS", 0.5)
    (host / "log").write_text("")
    began = time.monotonic()
    found = run(trace="4jXHzzzzzzzzzz", timeout=60)
    assert time.monotonic() - began < 5
    assert found["msg"].startswith("Message 4jXHzzzzzzzzzz is not in the log of this host. ")


def test_a_user_who_cannot_read_the_log_is_told_to_become(
    run: Run, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postfix, "become_needed", lambda what: f"Set become: true to {what}.")
    (host / "log").write_text("")
    assert "Set become: true to read the whole log." in run(trace="4jXHzzzzzzzzzz", timeout=0.1)["msg"]


@pytest.mark.usefixtures("host")
def test_evidence_is_gathered_only_if_asked_for(run: Run) -> None:
    assert "evidence" not in run()
    found = run(gather=["listeners", "dkim"])
    assert not found.get("failed")
    evidence = found["evidence"]
    assert (evidence["kind"], evidence["version"], evidence["subject"]) == ("host", 1, os.uname().nodename)
    assert {name for name, facts in evidence["facts"].items() if facts is not None} == {"listeners", "dkim"}


@pytest.mark.usefixtures("host")
def test_all_evidence_of_a_host_without_most_programs(run: Run, monkeypatch: pytest.MonkeyPatch, host: Path) -> None:
    monkeypatch.setenv("PATH", str(host))
    monkeypatch.setattr(environment, "_PATH", (str(host),))
    evidence = run(gather=["all"])["evidence"]
    assert evidence["facts"]["config"] is None
    assert {"config", "packages", "units"} <= {one["path"] for one in evidence["unknown"]}


#: A line of main.cf -> what of it is shown.
SECRETS = {
    "smtp_sasl_password_maps = static:relay@x.test:hunter2-pw": "static:relay@x.test:********",
    "smtp_sasl_password_maps = inline:{ {[m.test] = me:hunter2-pw} }": "inline:{ {[m.test] = me:********} }",
    "smtp_sasl_password_maps = lmdb:/etc/postfix/sasl": "lmdb:/etc/postfix/sasl",
    "my_db_password = hunter2-pw": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER",
    "virtual_alias_maps = socketmap:http://user:hunter2-pw@h:80": "socketmap:http://user:********@h:80",
}


@pytest.mark.parametrize(("line", "shown"), SECRETS.items())
def test_secrets_in_main_cf_are_not_shown(host: Path, run: Run, line: str, shown: str) -> None:
    (host / "main.cf").write_text(f"{line}\nminimal_backoff_time = 300s\n")
    result = run()
    # before ansible-core 2.22, Ansible masks a whole value in its own words
    assert result["parameters"][line.split()[0]] in (shown, re.sub("VALUE.*", "********", shown))
    assert "hunter2" not in json.dumps(result)


PEM = "-----BEGIN CERTIFICATE-----\nMAVoZWxsbw==\n-----END CERTIFICATE-----\n"
#: SHA-256 of "hello", which the block above holds in place of a certificate.
HELLO = "1c44c80812f8afb727b97cf23fbb0e4b4236e43896a7d8c46bae523fdc5dbea3"


@pytest.mark.parametrize(
    ("setting", "content", "expected"),
    [
        ("smtpd_tls_chain_files = {0}, /other.pem", f"key\n{PEM}{PEM.replace('MAVoZWxsbw==', 'MAVvdGhlcg==')}", HELLO),
        ("smtpd_tls_cert_file = {0}", PEM, HELLO),
        ("smtpd_tls_cert_file = {0}", "no certificate", None),
        ("smtpd_tls_cert_file = {0}.missing", PEM, None),
        ("smtpd_tls_cert_file =", PEM, None),
    ],
)
def test_identity_has_the_fingerprint_that_clients_pin(
    host: Path, run: Run, setting: str, content: str, expected: str | None
) -> None:
    pem = host / "cert.pem"
    pem.write_text(content)
    (host / "main.cf").write_text(setting.format(pem))
    assert run()["identity"] == {"hostname": "relay.sender.test", "certificate": expected}
