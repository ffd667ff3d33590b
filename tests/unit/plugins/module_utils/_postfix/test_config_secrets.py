# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets in main.cf and master.cf, and what only looks like one."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._postfix.config_secrets import mask, secrets_in

#: A parameter, its value, and what is secret in it.
SECRETS = [
    ("smtp_sasl_password_maps", "static:me:pw1", ["pw1"]),
    ("smtp_sasl_password_maps", "static:{me:pw1}", ["pw1"]),
    ("lmtp_sasl_password_maps", "inline:{ {[a.test]:587 = me:pw1}, b.test=you:pw2 }", ["pw1", "pw2"]),
    ("smtp_sasl_password_maps", "static::pw1", ["pw1"]),
    ("smtp_sasl_password_maps", "static:{me:p w,1}", ["p w,1"]),
    ("smtp_sasl_password_maps", "static:{me:p{1}", ["p{1"]),
    ("smtp_sasl_password_maps", "pipemap:{static:{me:p{1}}", ["p{1"]),
    ("smtp_sasl_password_maps", "inline:{ {[a.test]:587 = me:p w1} {b.test=you:p,w2} }", ["p w1", "p,w2"]),
    ("smtp_sasl_password_maps", "lmdb:/etc/postfix/sasl", []),
    ("db_password", "pw1", ["pw1"]),
    ("ldapsource_bind_pw", "pw1", ["pw1"]),
    ("My_API_Key", "pw1", ["pw1"]),
    ("slack_token", "pw1", ["pw1"]),
    ("virtual_alias_maps", "socketmap:http://me:pw1@h:80", ["pw1"]),
    ("mailbox_command", "/bin/x --password pw1 -d", ["pw1"]),
    ("mailbox_command", "/bin/x --api-token=pw1", ["pw1"]),
    ("dsn", "host=db user=me password = pw1 port=1", ["pw1"]),
    ("import_environment", "TZ DB_PASSWORD=pw1", ["pw1"]),
    (
        "postscreen_dnsbl_sites",
        "abcdefghijklmnopqrstuvwxyz.zen.dq.spamhaus.net=127.0.0.2*3",
        ["abcdefghijklmnopqrstuvwxyz"],
    ),
    # these only look like one
    ("header_address_token_limit", "10240", []),
    ("proxy_read_maps", "$smtp_sasl_password_maps $mynetworks", []),
    ("transport_maps", "static:relay:[a.test]:25", []),
    ("transport_maps", "inline:{a.test=relay:[b.test]}", []),
    ("smtpd_reject_footer", "Did you forget your password please ask us", []),
    ("postscreen_dnsbl_sites", "zen.spamhaus.org*3", []),
    ("bypass", "yes", []),
]


@pytest.mark.parametrize(("name", "value", "expected"), SECRETS)
def test_secrets_in_a_parameter(name: str, value: str, expected: list[str]) -> None:
    assert sorted(set(secrets_in({name: value}))) == sorted(expected)


#: Parameters to which the table of logins refers.
REFERRED = [
    {"smtp_sasl_password_maps": "$mine", "mine": "inline:{ a.test=me:pw1 }"},
    {"smtp_sasl_password_maps": "static:${login}", "login": "me:$(word)", "word": "pw1"},
    {"lmtp_sasl_password_maps": "$smtp_sasl_password_maps", "smtp_sasl_password_maps": "static:me:pw1"},
]


@pytest.mark.parametrize("parameters", REFERRED)
def test_login_in_a_parameter_that_is_referred_to(parameters: dict[str, str]) -> None:
    assert "pw1" in set(secrets_in(parameters))


def test_variables_without_end_are_bounded() -> None:
    parameters = {"a_password_maps": "$b$b", "b": "$b$b" * 1000}
    assert list(secrets_in(parameters)) == []


#: A text, its secrets, and what is shown.
MASKED = [
    ("static:me:hunter22", ["hunter22"], "static:me:********"),
    ("xhunter22x", ["hunter22"], "x********x"),
    ("a pw1 pw1x", ["pw1"], "a ******** pw1x"),  # a short one is part of many words
    ("hunter2222", ["hunter22", "hunter2222"], "********"),
    ("text", [""], "text"),
]


@pytest.mark.parametrize(("text", "secrets", "shown"), MASKED)
def test_mask(text: str, secrets: list[str], shown: str) -> None:
    assert mask(text, secrets) == shown
