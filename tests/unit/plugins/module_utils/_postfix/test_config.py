# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The output of postconf is parsed, and words are found in main.cf and master.cf."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._postfix.config import (
    Configuration,
    EntryPlace,
    MasterEntry,
    find_parameter,
    find_service,
    find_word,
    parse_main,
    parse_master,
    parse_options,
    split_words,
)

MAIN = """\
# smtpd_banner = a comment
smtpd_banner = $myhostname
relayhost = [smtp.example]:587
smtpd_relay_restrictions =
    permit_mynetworks,

    # reject_typo in a comment
    reject_typo
smtpd_banner = later
transport_maps = lmdb:/etc/postfix/transport, hash:$config_directory/old
"""
MASTER = """\
# service
25 inet n - n - - smtpd
587 inet n - n - - smtpd
  -o { smtpd_tls_security_level = encrypt }
  -o smtpd_client_restrictions=permit_typo,reject
25 unix - - n - - smtp
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("permit, reject", ["permit", "reject"]),
        ("a,b  c\td", ["a", "b", "c", "d"]),
        (
            "check_client_access inline:{ {x = OK, no}, y=1 } b",
            ["check_client_access", "inline:{ {x = OK, no}, y=1 }", "b"],
        ),
        ("{ a, b } }", ["{ a, b }", "}"]),
    ],
)
def test_text_is_split_into_words(text, words):
    assert split_words(text) == words


def test_value_is_everything_after_the_first_equals_sign():
    assert parse_main("a = b=c\nempty =\n") == {"a": "b=c", "empty": ""}


def test_service_is_parsed_and_written_back():
    line = "smtp inet n - y - - smtpd -o {smtpd_client_restrictions=a, b} -o x=y"
    (service,) = parse_master(f"{line}\n")
    assert (service.name, service.type, service.chroot, service.command) == ("smtp", "inet", "y", "smtpd")
    assert service.arguments == ("-o", "{smtpd_client_restrictions=a, b}", "-o", "x=y")
    assert str(service) == line


def test_option_is_added_last_to_take_precedence():
    service = MasterEntry("smtp", "inet", "n", "-", "n", "-", "-", "smtpd", ("-o", "a=1"))
    assert str(service.with_options({"a": "2 3", "b": ""})) == "smtp inet n - n - - smtpd -o a=1 -o {a = 2 3} -o {b = }"


def test_option_of_a_service_takes_precedence_over_main_cf():
    services = parse_master("127.0.0.1:10025 inet n - n - - smtpd\n25 inet n - n - - smtpd\n")
    options = parse_options("127.0.0.1:10025/inet/level = own\n")
    configuration = Configuration({"level": "$x"}, {"level": "main", "default": "d"}, services, options)
    assert [configuration.value("level", service) for service in services] == ["own", "main"]
    assert configuration.value("default", services[0]) == "d"
    assert configuration.value("unknown") == ""
    assert list(configuration.settings()) == [("level", "main"), ("level", "own")]


@pytest.mark.parametrize(
    ("text", "word", "place"),
    [
        (MAIN, "[smtp.example]:587", EntryPlace(3, "relayhost")),
        (MAIN, "permit_mynetworks", EntryPlace(5, "smtpd_relay_restrictions")),
        (MAIN, "reject_typo", EntryPlace(8, "smtpd_relay_restrictions")),
        (MAIN, "/etc/postfix/transport", EntryPlace(10, "transport_maps")),
        (MAIN, "$config_directory/old", EntryPlace(10, "transport_maps")),
        (MAIN, "/etc/postfix/trans", None),
        (MAIN, "comment", None),
        (MASTER, "permit_typo", EntryPlace(5, "smtpd_client_restrictions")),
        (MASTER, "encrypt", EntryPlace(4, "smtpd_tls_security_level")),
        (MASTER, "smtpd_tls_security_level", EntryPlace(4, "smtpd_tls_security_level")),
        (MASTER, "smtp", EntryPlace(6, "")),
    ],
)
def test_word_is_found_with_its_line_and_parameter(text, word, place):
    assert find_word(text, word) == place


def test_last_setting_of_a_parameter_is_found():
    assert find_parameter(MAIN, "smtpd_banner") == EntryPlace(9, "smtpd_banner")
    assert find_parameter(MAIN, "banner") is None


def test_service_is_found_by_name_and_type():
    services = parse_master("25 inet n - n - - smtpd\n25 unix - - n - - smtp\n26 inet n - n - - smtpd\n")
    assert [find_service(MASTER, service) for service in services] == [EntryPlace(2, ""), EntryPlace(6, ""), None]
