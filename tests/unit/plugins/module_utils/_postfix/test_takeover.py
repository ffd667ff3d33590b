# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host does with mail is listed before a relay replaces it; what a package sets is not."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._postfix.config import (
    parse_main,
    parse_master,
    parse_options,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.takeover import (
    MailOfHost,
    alias_tables,
    find_what_stops,
    find_what_stops_with_logins,
    parse_aliases,
)

#: main.cf of Debian's package for "Internet Site", "Local only", "Satellite system"; of RHEL's; and none.
SHIPPED = {
    "Internet Site": """\
alias_database = hash:/etc/aliases
alias_maps = hash:/etc/aliases
append_dot_mydomain = no
biff = no
compatibility_level = 3.6
inet_interfaces = all
inet_protocols = all
mailbox_command = procmail -a "$EXTENSION"
mailbox_size_limit = 0
mydestination = web.example.com, example.com, localhost.example.com, , localhost
myhostname = web.example.com
mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
myorigin = /etc/mailname
readme_directory = no
recipient_delimiter = +
relayhost =
smtp_tls_CApath = /etc/ssl/certs
smtp_tls_security_level = may
smtp_tls_session_cache_database = btree:/var/lib/postfix/smtp_scache
smtpd_banner = web.example.com ESMTP Postfix (Debian/GNU)
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
smtpd_tls_cert_file = /etc/ssl/certs/ssl-cert-snakeoil.pem
smtpd_tls_key_file = /etc/ssl/private/ssl-cert-snakeoil.key
smtpd_tls_security_level = may
""",
    "Local only": "default_transport = error\ninet_interfaces = loopback-only\nrelay_transport = error\n",
    "Satellite system": "relayhost = [smtp.example.com]\ninet_interfaces = loopback-only\n",
    "RHEL": """\
alias_maps = hash:/etc/aliases
command_directory = /usr/sbin
inet_interfaces = localhost
mydestination = web.example.com, localhost.example.com, localhost
unknown_local_recipient_reject_code = 550
""",
    "No configuration": "",
}
MASTER = """\
smtp inet n - y - - smtpd
pickup unix n - y 60 1 pickup
relay unix - - y - - smtp -o syslog_name=postfix/$service_name
local unix - n n - - local
postlog unix-dgram n - n - 1 postlogd
maildrop unix - n n - - pipe flags=DRXhu user=vmail argv=/usr/bin/maildrop -d ${recipient}
"""
ALIASES = """\
# See man 5 aliases for format
postmaster:    root
root: alice
mailer-daemon: postmaster
games: /dev/null
backup: root@localhost
"""


@pytest.mark.parametrize("main", SHIPPED.values(), ids=SHIPPED)
def test_a_package_that_is_not_configured_does_nothing(main: str) -> None:
    options = {("relay", "unix"): {"syslog_name": "postfix/relay"}}
    assert find_what_stops(MailOfHost(parse_main(main), parse_master(MASTER), options, parse_aliases(ALIASES))) == []


#: What main.cf sets, and what it is called.
MAIN: list[tuple[str, list[str]]] = [
    ("multi_instance_directories = /etc/postfix-out, /etc/postfix-in", ["other Postfix instances (/etc/postfix-out"]),
    ("home_mailbox = Maildir/", ["local delivery (home_mailbox)"]),
    ("mailbox_command = /usr/lib/dovecot/deliver", ["local delivery (mailbox_command)"]),
    ("mailbox_transport = lmtp:unix:private/dovecot-lmtp", ["local delivery (mailbox_transport)"]),
    ("luser_relay = alice", ["local delivery (luser_relay)"]),
    ("home_mailbox = Maildir/\nmydestination =", []),
    ("home_mailbox = Maildir/\nlocal_transport = error:none here", []),
    ("virtual_mailbox_domains = example.com", ["virtual mailboxes (virtual_mailbox_domains)"]),
    ("virtual_mailbox_maps = mysql:/etc/postfix/v.cf", ["virtual mailboxes (virtual_mailbox_maps)"]),
    ("virtual_alias_maps = hash:/etc/postfix/virtual", ["lookup tables (virtual_alias_maps)"]),
    ("virtual_alias_domains = example.com", ["mail of other domains (virtual_alias_domains)"]),
    ("relay_domains = example.com", ["mail of other domains (relay_domains)"]),
    (
        "transport_maps = hash:/etc/postfix/transport\nsmtp_sasl_password_maps = hash:/etc/postfix/p",
        ["lookup tables (transport_maps, smtp_sasl_password_maps)"],
    ),
    ("header_checks = pcre:/etc/postfix/h", ["lookup tables (header_checks)"]),
    (
        "smtpd_client_restrictions = check_client_access hash:/etc/postfix/access, permit",
        ["lookup tables (smtpd_client_restrictions)"],
    ),
    (
        "smtpd_recipient_restrictions = permit_mynetworks, check_policy_service inet:127.0.0.1:10023",
        ["policy services (smtpd_recipient_restrictions)"],
    ),
    ("smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination", []),
    ("alias_maps = hash:/etc/aliases, ldap:/etc/postfix/ldap.cf", ["tables of aliases (ldap:/etc/postfix/ldap.cf)"]),
    (
        "smtpd_milters = inet:localhost:8891\nnon_smtpd_milters = inet:localhost:8891",
        ["milters (smtpd_milters, non_smtpd_milters)"],
    ),
    ("content_filter = smtp-amavis:[127.0.0.1]:10024", ["content filters (content_filter)"]),
    ("always_bcc = archive@example.com", ["copies of mail (always_bcc)"]),
    ("mynetworks = 127.0.0.0/8 192.0.2.0/24", ["clients that may send (192.0.2.0/24)"]),
    ("mynetworks = cidr:/etc/postfix/networks", ["clients that may send (cidr:/etc/postfix/networks)"]),
    ("mynetworks_style = subnet", ["clients that may send (mynetworks_style: subnet)"]),
    ("smtpd_sasl_auth_enable = yes", ["clients that may send (logins)"]),
]


@pytest.mark.parametrize(("main", "expected"), MAIN)
def test_what_main_cf_does_is_listed(main: str, expected: list[str]) -> None:
    found = find_what_stops(MailOfHost(parse_main(main)))
    assert len(found) == len(expected)
    assert all(phrase.startswith(words) for phrase, words in zip(found, expected, strict=True)), found


def test_services_and_their_options_are_listed() -> None:
    services = parse_master(
        f"{MASTER}submission inet n - y - - smtpd\ndovecot unix - n n - - pipe\n127.0.0.1:10025 inet n - n - - smtpd\n"
    )
    options = parse_options("submission/inet/smtpd_sasl_auth_enable = yes\nsmtp/inet/content_filter = scan:dummy\n")
    assert find_what_stops(MailOfHost(services=services, options=options)) == [
        "content filters (content_filter)",
        "clients that may send (logins)",
        "services of master.cf (submission inet, dovecot unix, 127.0.0.1:10025 inet)",
    ]


#: A line of the aliases, and what is listed.
ALIAS: list[tuple[str, str]] = [
    ("root: ops@example.com", "root: ops@example.com"),
    ("root: alice, ops@example.com", "root: ops@example.com"),
    ('support: "|/usr/bin/ticket --password geheim"', "support: a program"),
    ("log: /var/log/mail-archive", "log: /var/log/mail-archive"),
    ("list: :include:/etc/mail/list", "list: /etc/mail/list"),
    ("root: alice,\n  bob,\n  ops@example.com", "root: ops@example.com"),
]


@pytest.mark.parametrize(("line", "expected"), ALIAS)
def test_aliases_that_lead_elsewhere_are_listed(line: str, expected: str) -> None:
    aliases = parse_aliases(f"{ALIASES}{line}\n")
    assert find_what_stops(MailOfHost(aliases=aliases)) == [f"aliases ({expected})"]
    assert find_what_stops(MailOfHost({"mydestination": ""}, aliases=aliases)) == []


def test_mailboxes_and_forwards_are_listed() -> None:
    boxes = [f"/var/mail/user{number}" for number in range(7)]
    found = find_what_stops(MailOfHost(mailboxes=boxes, forwards=["/home/alice/.forward"]))
    assert found == [
        f"local mailboxes ({', '.join(boxes[:5])}, 2 more)",
        "mail that users forward (/home/alice/.forward)",
    ]


@pytest.mark.parametrize(
    ("protocols", "expected"),
    [((), []), (("imap", "pop3"), ["mailboxes that Dovecot serves (IMAP, POP3)"])],
)
def test_mailboxes_of_dovecot_stop_with_logins(protocols: t.Sequence[str], expected: list[str]) -> None:
    assert find_what_stops_with_logins(MailOfHost(protocols=protocols)) == expected
    assert find_what_stops(MailOfHost(protocols=protocols)) == []


def test_alias_files_are_found_in_alias_maps() -> None:
    assert alias_tables({}) == (["/etc/aliases"], [])
    assert alias_tables({"alias_maps": "lmdb:/etc/a, proxy:hash:/etc/b nis:mail.aliases"}) == (
        ["/etc/a", "/etc/b"],
        ["nis:mail.aliases"],
    )
