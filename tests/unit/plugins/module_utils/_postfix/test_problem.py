# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Warnings of Postfix are traced to the file, the line and the parameter."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._postfix.problem import ConfigText, Problem

SOURCE = ConfigText(
    "/etc/postfix",
    main="""\
myhostname = relay.example
smtpd_tls_security_level = maybe
smtpd_relay_restrictions = permit_mynetworks,
  reject_unauth_destinaton
transport_maps = lmdb:$config_directory/transport, texthash:/etc/postfix/routes
smtpd_sasl_type = dovcot
smtpd_tls_loglvl = 1
smtpd_tls_key_file = /etc/ssl/private/relay.key
""",
    master="""\
25 inet n - n - - smtpd
587 inet n - n - - smtpd
  -o { smtpd_tls_wrapermode = yes }
  -o smtpd_client_restrictions=permit_typo,reject
anvil unix - - n - 1 anvl
""",
)
MAIN, MASTER = "/etc/postfix/main.cf", "/etc/postfix/master.cf"

SAID = [
    ('Invalid TLS level "maybe"', MAIN, 2, "smtpd_tls_security_level"),
    ('unknown smtpd restriction: "reject_unauth_destinaton"', MAIN, 4, "smtpd_relay_restrictions"),
    ('unknown smtpd restriction: "permit_typo"', MASTER, 4, "smtpd_client_restrictions"),
    (f"{MAIN}: unused parameter: smtpd_tls_loglvl=1", MAIN, 7, "smtpd_tls_loglvl"),
    (f"{MASTER}: unused parameter: smtpd_tls_wrapermode=yes", MASTER, 3, "smtpd_tls_wrapermode"),
    (f"{MAIN}, line 90: overriding earlier entry: biff=no", MAIN, 90, "biff"),
    (f"{MAIN}, line 9: missing '=' after attribute name: \"x\"", MAIN, 9, ""),
    (f"file {MASTER}: line 152: bad field count", MASTER, 152, ""),
    ("/etc/postfix/routes, line 3: expected format: key whitespace value", "/etc/postfix/routes", 3, ""),
    ("regexp map /etc/postfix/checks, line 1: Unmatched ( or \\(", "/etc/postfix/checks", 1, ""),
    ("open database /etc/postfix/transport.lmdb: No such file or directory", MAIN, 5, "transport_maps"),
    ("open database /etc/postfix/routes: No such file or directory", MAIN, 5, "transport_maps"),
    ('cannot get RSA private key from file "/etc/ssl/private/relay.key"', MAIN, 8, "smtpd_tls_key_file"),
    ("unsupported SASL server implementation: dovcot", MAIN, 6, "smtpd_sasl_type"),
    ("master_spawn: exec /usr/lib/postfix/sbin/anvl: No such file or directory", MASTER, 5, ""),
    ("a warning without a known place", MAIN, 0, ""),
]


@pytest.mark.parametrize(("said", "file", "line", "parameter"), SAID)
def test_warning_is_traced_to_file_line_and_parameter(said, file, line, parameter):
    problem = SOURCE.blame(said)
    assert (problem.file, problem.line, problem.parameter) == (file, line, parameter), str(problem)
    assert problem.said in said
    assert problem.advice


def test_place_in_the_warning_is_not_repeated():
    assert str(SOURCE.blame("/etc/postfix/routes, line 3: expected format: key whitespace value")) == (
        "/etc/postfix/routes, line 3: expected format: key whitespace value. Write the key, a space and the value."
    )


def test_text_of_a_problem_names_file_line_and_parameter():
    problem = Problem('Invalid TLS level "maybe"', "Use none, may or encrypt.", MAIN, 2, "smtpd_tls_security_level")
    assert str(problem) == (
        '/etc/postfix/main.cf, line 2 (smtpd_tls_security_level): Invalid TLS level "maybe". Use none, may or encrypt.'
    )


def test_parameter_that_is_not_set_is_named():
    problem = SOURCE.on("said", "smtpd_tls_auth_only", "Set it.")
    assert (problem.file, problem.line, problem.parameter) == (MAIN, 0, "smtpd_tls_auth_only")
    assert SOURCE.sets("smtpd_sasl_type")
    assert not SOURCE.sets("smtpd_tls_auth_only")
