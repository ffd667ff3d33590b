# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role as a user runs it: check mode, first run, second run, bad input, and no secret leaked."""

from __future__ import annotations

import base64
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.plays import (
    LAB,
    LOGS,
    Play,
    run_play,
    run_transaction,
)

Snapshots = tuple[Play, str, str]


def test_check_mode_on_a_bare_host_reports_changes_and_makes_none(bare_check: Snapshots) -> None:
    play, before, after = bare_check
    play.succeeded()
    assert play.count("relay", "changed") >= 3
    assert play.says("+smtp_tls_security_level = dane")
    assert play.says("Not validated: doveconf, postconf, postmap not installed yet.")
    assert before == after


def test_the_first_run_configures_the_host(first_run: Play) -> None:
    assert first_run.succeeded().count("relay", "changed") >= 3
    assert first_run.count("relay", "failed") == 0


def test_the_second_run_changes_nothing(second_run: Play) -> None:
    assert second_run.succeeded().count("relay", "changed") == 0


def test_check_mode_on_a_converged_host_reports_no_change(converged_check: Snapshots) -> None:
    play, before, after = converged_check
    assert play.succeeded().count("relay", "changed") == 0
    assert before == after


def test_drift_is_reported_and_corrected(relay: t.Any, converged_check: Snapshots) -> None:
    relay.check_output("echo 'smtpd_banner = hello' >> /etc/postfix/main.cf && systemctl stop dovecot")
    check = run_play("5-drift-check", "playbooks/relay.yml", "--check").succeeded()
    assert check.says("-smtpd_banner = hello")
    assert check.says("drift: /etc/postfix/main.cf was edited on this host since the last run")
    assert check.count("relay", "changed") == 1
    assert run_play("6-drift", "playbooks/relay.yml").succeeded().count("relay", "changed") == 1
    assert relay.service("dovecot").is_running


#: Tasks that a tag runs, and tasks that it does not.
TAGS: dict[str, tuple[list[str], list[str]]] = {
    "relay_firewall": (["Firewall | Deploy", "Reach | Connect"], ["DNS | Check", "Configure | Deploy"]),
    "relay_verify": (["Configure | Show each hop", "Reach | Connect"], ["DNS | Check", "Firewall | Deploy"]),
}


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_runs_its_part_and_what_it_needs(second_run: Play, tag: str) -> None:
    wanted, others = TAGS[tag]
    play = run_play(f"tags-{tag}", "playbooks/relay.yml", "--tags", tag).succeeded()
    assert play.says("Validate | Ask the host what it is and what it has")
    assert [name for name in wanted if f": {name}" not in play.output] == []
    assert [name for name in others if f": {name}" in play.output] == []


def test_a_stopped_service_is_started_again(relay: t.Any, second_run: Play) -> None:
    relay.check_output("systemctl stop postfix")
    assert run_play("7-stopped", "playbooks/relay.yml").succeeded().count("relay", "changed") == 1
    assert relay.service("postfix").is_running


def test_a_parameter_unknown_to_postfix_changes_nothing(relay: t.Any, second_run: Play) -> None:
    before = relay.file("/etc/postfix/main.cf").content_string
    play = run_play("8-invalid", "playbooks/relay.yml", extra={"relay_settings": {"smtpd_tls_loglvl": "1"}})
    assert play.code != 0
    assert play.says("Nothing was changed: the new configuration is not valid")
    assert play.says("unused parameter: smtpd_tls_loglvl=1")
    assert relay.file("/etc/postfix/main.cf").content_string == before


def test_a_configuration_that_does_not_start_is_undone(relay: t.Any, second_run: Play) -> None:
    """The canary accepts it and master(8) refuses it: the previous files are restored and the reason is reported."""
    relay.check_output("systemd-run --quiet --unit=holder python3 -m http.server 2525")
    extra = {"relay_listeners": [{"port": 25}, {"port": 2525, "login": False}]}
    before = [relay.file(f"/etc/postfix/{name}").content_string for name in ("main.cf", "master.cf")]
    try:
        play = run_play("9-put-back", "playbooks/relay.yml", extra=extra)
    finally:
        relay.check_output("systemctl stop holder")
    assert play.code != 0
    assert play.says("Everything was put back as it was")
    assert play.says("bind 0.0.0.0 port 2525: Address already in use")
    assert [relay.file(f"/etc/postfix/{name}").content_string for name in ("main.cf", "master.cf")] == before
    assert relay.service("postfix").is_running
    assert run_play("10-after", "playbooks/relay.yml").succeeded().count("relay", "changed") == 0


TREE = "find /etc/postfix /etc/dovecot -type f -not -path '*/.mailops-*' -print0 | sort -z | xargs -0 sha256sum"


def test_a_run_killed_halfway_is_undone_by_the_next(relay: t.Any, second_run: Play) -> None:
    """Kill the module when main.cf is broken and Dovecot's files are missing; the next run of the role repairs both."""
    before = relay.check_output(TREE)
    options = {
        "name": "relay",
        "files": [{"path": "/etc/postfix/main.cf", "content": "broken\n"}],
        "activate": [{"command": ["sh", "-c", "kill -9 $PPID"]}],
    }
    run_transaction(options)
    assert relay.file("/etc/postfix/main.cf").content_string == "broken\n"
    assert not relay.file("/etc/dovecot/relay_users").exists
    assert run_play("11-after-kill", "playbooks/relay.yml").succeeded().count("relay", "changed") == 1
    assert relay.check_output(TREE) == before
    assert relay.check_output("find /etc /var/lib/mailops -name '*.old' -path '*mailops*'") == ""


def test_a_new_login_restarts_no_service(relay: t.Any, second_run: Play) -> None:
    """The tables are reloaded; neither Postfix nor Dovecot restarts."""
    main_pids = "systemctl show --property=MainPID,ExecMainStartTimestampMonotonic postfix.service dovecot.service"
    before = relay.check_output(main_pids)
    more = {"relay_users": [{"name": "second@sender.test", "password": "a-second-password"}]}
    assert run_play("12-login", "playbooks/relay.yml", extra=more).succeeded().count("relay", "changed") == 1
    assert relay.check_output(main_pids) == before
    relay.check_output("doveadm auth test second@sender.test a-second-password")
    run_play("13-login-gone", "playbooks/relay.yml").succeeded()
    assert relay.run("doveadm auth test second@sender.test a-second-password").rc != 0
    assert relay.check_output(main_pids) == before


BAD_INPUT: list[tuple[dict[str, t.Any], str]] = [
    ({"relay_listners": []}, "relay_listners: is not a variable of the role, and resembles relay_listeners"),
    ({"relay_listeners": [25, 587]}, "relay_listeners[0]: is a number; expected a dictionary with port"),
    ({"relay_upstream": {"host": "smtp.provider.test", "tls": True}}, "relay_upstream.tls: true is not valid"),
    ({"relay_limits": {"message_size": "50M"}}, "relay_limits.message_size: '50M' is not valid"),
    ({"relay_state": "abscent"}, "relay_state: 'abscent' is not valid; expected present or absent"),
    ({"relay_networks": ["0.0.0.0/0"]}, "relay_networks: 0.0.0.0/0 would let strangers"),
    ({"relay_networks": "all hosts"}, "'all hosts' does not appear to be an IPv4"),
    ({"relay_users": [{"name": "app"}]}, "relay_users[0] (app): has neither or both of password"),
    (
        {"relay_upstream": {"host": "smtp.provider.test", "username": "u", "password": "p", "tls": "none"}},
        "in cleartext",
    ),
    ({"relay_upstream": {"hots": "x"}}, "hots"),
    ({"relay_listeners": [{"port": "many"}]}, "many"),
    ({"relay_verify": {"to": "not an address"}}, "relay_verify.to: 'not an address' is not a valid address"),
    (
        {"relay_tls": {"certificate": "/nowhere.pem", "key": "/nowhere.key"}},
        "relay_tls.certificate: /nowhere.pem is empty",
    ),
]


@pytest.mark.parametrize(("extra", "words"), BAD_INPUT)
def test_bad_input_is_reported_before_any_connection_to_a_host(extra: dict[str, t.Any], words: str) -> None:
    """The host is unreachable, so that any connection attempt would show in the output."""
    unreachable = {"ansible_host": "127.0.0.1", "ansible_port": 9, "ansible_ssh_args": ""}
    play = run_play("bad-input", "playbooks/relay.yml", extra={**extra, **unreachable})
    assert play.code != 0
    assert play.says(words)
    assert "argument_spec_data" not in play.output
    assert "UNREACHABLE" not in play.output


def test_no_secret_is_printed_or_left_behind(
    converged_check: Snapshots, hosts: dict[str, t.Any], passwords: dict[str, str]
) -> None:
    """After all plays with ``-vvvv --diff``, only the credential files on the relay contain a secret."""
    secrets = forms_of([*passwords.values(), key_body(LAB / "pki/relay.sender.test.key")])
    for log in LOGS.glob("*.log"):
        text = log.read_text()
        assert not [secret for secret in secrets if secret in text], f"{log.name} contains a secret"
    allowed = {"/etc/postfix/relay_login_to-smtp-provider-test-587", "/etc/postfix/relay.pem"}
    pattern = "\n".join(secrets)
    found = hosts["relay"].run(
        "grep -rlFs -e %s / --exclude-dir=proc --exclude-dir=sys --exclude-dir=packages", pattern
    )
    assert set(found.stdout.split()) <= allowed, found.stdout
    journal = hosts["relay"].run("journalctl --no-pager -o cat | grep -F -e %s", pattern)
    assert journal.stdout == ""


def test_credential_files_are_readable_by_their_services_only(relay: t.Any) -> None:
    for path, mode, group in (
        ("/etc/postfix/relay_login_to-smtp-provider-test-587", 0o600, "root"),
        ("/etc/postfix/relay.pem", 0o600, "root"),
        ("/etc/dovecot/relay_users", 0o640, "dovecot"),
    ):
        file = relay.file(path)
        assert (file.mode, file.user, file.group) == (mode, "root", group), path


def forms_of(secrets: list[str]) -> list[str]:
    """Return each secret in clear and in the three forms that it can take inside base64."""
    forms = list(secrets)
    for secret in secrets:
        for shift in range(3):
            encoded = base64.b64encode(b"x" * shift + secret.encode()).decode().rstrip("=")
            forms.append(encoded[4 if shift else 0 : -1])
    return forms


def key_body(path: Path) -> str:
    return path.read_text().splitlines()[1]
