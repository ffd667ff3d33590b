# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The effective configuration of hosts that the role did not build, from what postconf printed there."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import plain
from ansible_collections.mailops.smtp.plugins.module_utils._host import instances
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._host.fakes import FakeHost, service

#: A recorded host, a parameter, and its effective value.
VALUES = [
    ("debian", "mail_version", "3.7.11"),
    ("debian", "mydestination", "debian.example.com, debian, localhost.localdomain, , localhost"),
    ("debian", "smtpd_forbid_bare_newline", "no"),  # the default of Debian 12
    ("debian", "myorigin", "debian.example.com"),
    ("rhel", "mydestination", "rhel.example.com, localhost.example.com, localhost"),
    ("rhel", "inet_interfaces", "localhost"),
    ("rhel", "disable_vrfy_command", "no"),
    ("nested", "mynetworks", "127.0.0.0/8 [::1]/128 192.0.2.0/24, 10.8.0.0/16"),
    ("nested", "smtpd_relay_restrictions", "permit_mynetworks, reject_unauth_destination"),
    ("nested", "smtpd_tls_chain_files", "/etc/postfix/custom/rsa.pem, /etc/postfix/custom/ecdsa.pem"),
    ("multi", "inet_interfaces", "192.0.2.10"),
]


@pytest.mark.parametrize(("recorded", "name", "value"), VALUES)
def test_effective_value(tmp_path: Path, recorded: str, name: str, value: str) -> None:
    (first, *_others) = instances.find(FakeHost(tmp_path, recorded)) or ()
    assert instances.value_of(first, name) == value


def test_what_main_cf_sets_is_told_from_defaults(tmp_path: Path) -> None:
    (host,) = instances.find(FakeHost(tmp_path, "debian")) or ()
    assert host.own is not None
    assert "smtpd_relay_restrictions" in host.own
    assert "disable_vrfy_command" not in host.own
    assert (host.name, host.enabled, host.config_directory, host.complaints) == ("", True, "/etc/postfix", ())


#: A service, a parameter, and its effective value for the service.
OVERRIDES = [
    ("submission", "inet", "smtpd_tls_security_level", "encrypt"),
    ("submission", "inet", "smtpd_client_restrictions", "permit_sasl_authenticated,reject"),
    # it sets rules only, to which this parameter of main.cf refers
    ("submission", "inet", "smtpd_relay_restrictions", "permit_sasl_authenticated,reject"),
    ("127.0.0.1:10025", "inet", "mynetworks", "127.0.0.0/8"),
    ("bulk", "unix", "smtp_helo_name", "bulk.example.com"),
    ("bulk", "unix", "syslog_name", "postfix/bulk"),  # it is $service_name
    ("smtp", "unix", "smtp_helo_name", "nested.example.com"),
    ("smtp", "inet", "mynetworks", "127.0.0.0/8 [::1]/128 192.0.2.0/24, 10.8.0.0/16"),
]


@pytest.mark.parametrize(("name", "kind", "parameter", "value"), OVERRIDES)
def test_effective_value_for_a_service(tmp_path: Path, name: str, kind: str, parameter: str, value: str) -> None:
    (host,) = instances.find(FakeHost(tmp_path, "nested")) or ()
    assert instances.value_of(host, parameter, service(host, name, kind)) == value


def test_fields_of_services(tmp_path: Path) -> None:
    (host,) = instances.find(FakeHost(tmp_path, "nested")) or ()
    archive, submission = service(host, "archive"), service(host, "submission", "inet")
    assert (archive.program, archive.command, archive.user) == ("pipe", "/usr/local/bin/archive", "archive:mail")
    assert (submission.program, submission.chroot, submission.private, submission.command) == ("smtpd", "y", "n", None)
    assert set(submission.own) == {"syslog_name", "rules", "smtpd_client_restrictions", "smtpd_tls_security_level"}
    assert not set(submission.parameters) & {"process_id", "mynetworks"}
    assert service(host, "smtp").parameters == {}


def test_no_secret_of_main_cf_or_master_cf_is_shown(tmp_path: Path) -> None:
    found = json.dumps(plain(instances.find(FakeHost(tmp_path, "nested"))))
    assert "s3cret" not in found
    assert "abcdefghijklmnopqrstuvwxyz" not in found
    assert "static:relay@example.com:********" in found
    assert "static:bulk:********" in found
    assert "secure match=.example.net" in found  # looks like a login, and is not


def test_two_instances_and_one_that_is_gone(tmp_path: Path) -> None:
    host = FakeHost(tmp_path, "multi")
    first, out, gone = instances.find(host) or ()
    assert (first.name, first.enabled, instances.value_of(first, "myhostname")) == ("", True, "in.example.com")
    assert (out.name, out.group, out.enabled, out.config_directory) == ("postfix-out", "out", True, "/etc/postfix-out")
    assert instances.value_of(out, "queue_directory") == "/var/spool/postfix-out"
    assert (gone.parameters, gone.services, gone.enabled) == (None, None, False)
    assert host.reasons() == {
        "config./etc/postfix-gone": "postconf cannot read /etc/postfix-gone/main.cf: open /etc/postfix-gone/main.cf:"
        " No such file or directory."
    }


def test_main_cf_that_postfix_cannot_read_is_not_quoted(tmp_path: Path) -> None:
    host = FakeHost(tmp_path, "broken")
    (found,) = instances.find(host) or ()
    assert found.parameters is None
    assert host.reasons() == {
        "config./etc/postfix": "postconf cannot read /etc/postfix/main.cf: /etc/postfix/main.cf, line 2: missing '='"
        " after attribute name."
    }


ABSENT: list[tuple[dict[str, t.Any], t.Any, dict[str, str]]] = [
    ({}, (), {}),
    ({"postconf": (1, "", "postconf: fatal: x")}, None, {"config": "postconf failed: x."}),
]


@pytest.mark.parametrize(("answers", "expected", "reasons"), ABSENT)
def test_host_without_postfix_is_known_and_a_failure_is_not(
    tmp_path: Path, answers: dict[str, t.Any], expected: t.Any, reasons: dict[str, str]
) -> None:
    host = FakeHost(tmp_path, **answers)
    assert instances.find(host) == expected
    assert host.reasons() == reasons


def test_postconf_is_asked_once_for_all_groups(tmp_path: Path) -> None:
    host = FakeHost(tmp_path, "debian")
    assert instances.find(host) is instances.find(host)
    assert len(host.asked) == len(set(host.asked))
