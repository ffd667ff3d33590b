# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration is turned into a canary, and the canary's log is read."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._postfix import canary_process
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.canary import choose_outsiders, is_problem
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.canary_config import (
    Home,
    build,
    move,
    restrictions_to_walk,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.canary_files import lay_out
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.canary_process import Instance, home, parse_log
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.config import (
    Configuration,
    parse_main,
    parse_master,
    parse_options,
)

HOME = Home("/run/canary")
PATHS = {"/etc/postfix": "/t/etc/postfix", "/etc/aliases": "/t/etc/aliases"}
DEFAULTS = """\
queue_directory = /var/spool/postfix
data_directory = /var/lib/postfix
inet_interfaces = all
smtpd_sasl_type = dovecot
"""


def staged(main: str, master: str, options: str = "") -> Configuration:
    return Configuration(
        parse_main(main), {**parse_main(DEFAULTS), **parse_main(main)}, parse_master(master), parse_options(options)
    )


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("lmdb:/etc/postfix/x, hash:/etc/aliases", "lmdb:/t/etc/postfix/x, hash:/t/etc/aliases"),
        ("{/etc/postfix}", "{/t/etc/postfix}"),
        ("/etc/postfix.bak /etc/postfix-old /srv/etc/postfix /etc/aliases.db", None),
    ],
)
def test_only_whole_paths_are_replaced(text, moved):
    assert move(text, PATHS) == (moved or text)


def test_every_smtpd_is_probed_and_none_uses_a_port():
    canary = build(
        staged(
            "myhostname = relay.example\nmaillog_file = /var/log/mail",
            "25 inet n - y - - smtpd\n127.0.0.1:465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n"
            "pickup unix n - n 60 1 pickup\nsmtp unix - - n - - smtp\n10 inet n n n - 0 spawn user=x argv=/bin/y",
            "127.0.0.1:465/inet/smtpd_tls_wrappermode = yes",
        ),
        HOME,
        PATHS,
    )
    services = parse_master(canary.master)
    assert {service.type for service in services} == {"unix", "unix-dgram"}
    assert {service.command for service in services} == {"smtpd", "smtp", "postlogd", "discard", "spawn"}
    asked = [service for service in services if service.command == "smtpd"]
    assert [service.name for service in asked] == [listener.name for listener in canary.listeners]
    assert [service.chroot for service in asked] == ["y", "n", "n"]
    for service in asked:
        assert "{smtpd_authorized_xclient_hosts = 127.0.0.1}" in service.arguments
        assert "{smtpd_sasl_path = private/canary-sasl}" in service.arguments
    assert [listener.implicit_tls for listener in canary.listeners] == [False, True, False]
    assert [listener.public for listener in canary.listeners] == [True, False, False]


@pytest.mark.parametrize(
    ("interfaces", "public"),
    [("all", True), ("loopback-only", False), ("localhost", False), ("127.0.0.1, [::1]", False), ("$myhostname", True)],
)
def test_listener_is_public_unless_on_loopback(interfaces, public):
    canary = build(staged(f"inet_interfaces = {interfaces}", "25 inet n - n - - smtpd"), HOME, {})
    assert canary.listeners[0].public is public


def test_smtpd_behind_postscreen_is_probed_too():
    master = "25 inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd -o x=y\n"
    canary = build(staged("smtpd_tls_wrappermode = yes", master), HOME, {})
    assert [(listener.service.type, listener.screens) for listener in canary.listeners] == [
        ("inet", True),
        ("pass", False),
        ("unix", False),
    ]
    assert [listener.implicit_tls for listener in canary.listeners] == [False, True, True]
    assert "canary-2 unix y - n - - smtpd -o x=y" in canary.master


def test_one_client_is_started_for_each_set_of_options():
    master = "smtp unix - - n - - smtp\nrelay unix - - n - - smtp\n"
    master += "slow unix - - n - 1 smtp -o smtp_tls_CAfile=/etc/postfix/ca\n"
    canary = build(staged("", master), HOME, PATHS)
    assert [service.arguments for service in canary.clients] == [(), ("-o", "smtp_tls_CAfile=/t/etc/postfix/ca")]


def test_nothing_is_shared_with_the_live_postfix_and_nothing_is_delivered():
    main = (
        "maillog_file = /var/log/mail.log\nsmtpd_tls_session_cache_database = btree:/var/lib/postfix/scache\n"
        "address_verify_map = btree:/etc/postfix/verify\nsmtpd_sasl_path = /var/spool/postfix/private/auth\n"
        "notify_classes = 2bounce\ntransport_maps = lmdb:/etc/postfix/transport\nmulti_instance_name = two\n"
    )
    canary = build(staged(main, "smtp unix - - n - - smtp\nsmtpd pass - - n - - smtpd\n"), HOME, PATHS)
    values = parse_main(canary.main)
    assert "/var/" not in canary.main
    assert values["queue_directory"] == "/run/canary/queue"
    assert values["data_directory"] == "/run/canary/data"
    assert values["address_verify_map"] == "btree:$data_directory/address_verify_map"
    assert values["transport_maps"] == "lmdb:/t/etc/postfix/transport"
    assert values["notify_classes"] == values["multi_instance_name"] == ""
    assert {"smtp", "discard"} <= set(values["defer_transports"].split())


WALK = [
    ("smtpd_relay_restrictions = permit_mynetworks, reject", ["permit_mynetworks"]),
    ("smtpd_data_restrictions = permit, reject_typo", ["reject_typo"]),
    (
        "smtpd_client_restrictions = check_client_access lmdb:/x,check_client_access lmdb:/x",
        ["check_client_access lmdb:/x"],
    ),
    ("smtpd_helo_restrictions = reject_rbl_client zen.example, check_policy_service unix:private/p, sleep 3", []),
    ("smtpd_helo_restrictions = reject_rbl_clinet zen.example", ["reject_rbl_clinet zen.example"]),
    (
        "smtpd_sender_restrictions = check_sender_access inline:{ {a=OK}, b=OK }",
        ["check_sender_access inline:{ {a=OK}, b=OK }"],
    ),
    ("smtpd_restriction_classes = mine\nsmtpd_etrn_restrictions = mine\nmine = reject_mine", ["reject_mine"]),
    ("smtpd_banner = reject_typo", []),
]


@pytest.mark.parametrize(("main", "walk"), WALK)
def test_each_restriction_is_listed_once(main, walk):
    assert restrictions_to_walk(staged(main, "")) == walk


def test_restrictions_of_a_service_are_listed_too():
    configuration = staged("", "587 inet n - n - - smtpd", "587/inet/smtpd_client_restrictions = permit_typo, reject")
    assert restrictions_to_walk(configuration) == ["permit_typo"]


LOG = """\
Nov 22 02:33:18 r canary-1/smtpd[589]: warning: cannot get private key from file "/k": disabling TLS support
Nov 22 02:33:18 r canary-2/smtpd[590]: fatal: Invalid TLS level "maybe"
Nov 22 02:33:18 r canary-1/smtpd[589]: warning: TLS library problem: error:80:system library::No such file:../x.c:9:y:
Nov 22 02:33:18 r canary-1/smtpd[589]: warning: TLS library problem: error:10:BIO routines::system lib:../x.c:3:
Nov 22 02:33:18 r canary-1/smtpd[589]: connect from localhost[127.0.0.1]
Nov 22 02:33:18 r canary-1/smtpd[589]: warning: TLS library problem: error:0A:SSL routines::no shared cipher:../y.c:1:
Nov 22 02:33:18 r canary-1/smtpd[589]: NOQUEUE: reject: RCPT from x[192.0.2.25]: 454 4.7.1 fatal: no; from=<>
Nov 22 02:33:18 r canary-3/smtpd[591]: warning: cannot get private key from file "/k": disabling TLS support
Nov 22 02:33:19 r postfix/cleanup[594]: 9937211F: warning: header checks
postfix: fatal: parameter inet_interfaces: no local interface found for 192.0.2.1
"""


def test_each_complaint_of_a_log_is_returned_once_with_its_reason():
    assert parse_log(LOG) == [
        'cannot get private key from file "/k": disabling TLS support (No such file)',
        'Invalid TLS level "maybe"',
        "header checks",
        "parameter inet_interfaces: no local interface found for 192.0.2.1",
    ]


#: What the canary's Postfix may say, and whether the configuration is to blame.
COMPLAINTS = [
    ('cannot get private key from file "/k": disabling TLS support', True),
    ('Invalid TLS level "maybe"', True),
    ("not enough free space in mail queue: 1024 bytes < 1.5*message size limit", True),
    ("process /usr/lib/postfix/sbin/smtpd pid 589 exit status 1", False),
    ("/usr/lib/postfix/sbin/smtpd: bad command startup -- throttling", False),
    ("premature end-of-input on public/cleanup socket while reading input attribute name", False),
    ("unexpected end-of-input from public/cleanup socket while reading input attribute name", False),
    ("database /etc/aliases.db is older than source file /etc/aliases", False),
    ("file system clock is 1 seconds ahead of local clock", False),
    ("file system clock is 1 seconds behind local clock", False),
    ("resetting file time stamps - this hurts performance", False),
    ("another backward time jump detected -- slewing clock", False),
    ("backward time jump recovered -- back to normality", False),
    ("psc_cache_update: lmdb:/var/lib/postfix/relay/postscreen_cache update average delay is 132 ms", False),
]


@pytest.mark.parametrize(("complaint", "blamed"), COMPLAINTS)
def test_what_says_nothing_of_the_configuration_is_no_problem(complaint, blamed):
    assert is_problem(complaint) is blamed


def test_staged_files_are_copied_and_other_files_linked(tmp_path):
    live, stage, home = tmp_path / "live", tmp_path / "stage", Home(str(tmp_path / "home"))
    for name in ("main.cf", "old.cf", "gone", "routes.lmdb", "other.lmdb", "sasl/smtpd.conf", "tls/a", "tls/b"):
        write(live / name, name)
    write(stage / str(live)[1:] / "main.cf", f"x = lmdb:{live}/routes")
    write(stage / str(live)[1:] / "routes", f"a {live}/tls")
    write(stage / str(live)[1:] / "tls/a", "new")
    write(stage / "srv/senders", f"{live}/old.cf")
    (stage / "srv/senders").chmod(0o600)
    moved = lay_out(home, str(stage), str(live), [f"{live}/gone", "/srv/away"])
    tree = Path(home.tree + str(live))
    assert moved == {path: home.tree + path for path in (str(live), "/srv/senders", "/srv/away")}
    assert {path.name: path.is_symlink() for path in tree.iterdir()} == {
        "main.cf": False,
        "old.cf": True,
        "other.lmdb": True,
        "routes": False,
        "sasl": True,
        "tls": False,
    }
    assert ((tree / "tls/a").read_text(), (tree / "tls/b").read_text()) == ("new", "tls/b")
    assert (tree / "main.cf").read_text() == f"x = lmdb:{live}/routes"  # unchanged
    assert (tree / "routes").read_text() == f"a {tree}/tls"
    senders = Path(f"{home.tree}/srv/senders")
    assert senders.read_text() == f"{tree}/old.cf"
    assert senders.stat().st_mode & 0o777 == 0o600
    assert time.time() - senders.stat().st_mtime > 2  # Postfix rereads younger files


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("mynetworks", "protocols", "outsiders"),
    [
        ("127.0.0.0/8 [::1]/128", "all", ["192.0.2.25", "IPV6:2001:db8::25"]),
        ("127.0.0.0/8, 192.0.2.0/24", "ipv4", ["198.51.100.25"]),
        ("[2001:db8::]/48", "ipv6", ["IPV6:2001:db8:ffff::25"]),
        ("0.0.0.0/0 [::]/0", "ipv4, ipv6", ["192.0.2.25", "IPV6:2001:db8::25"]),
        ("cidr:/etc/postfix/networks !192.0.2.25", "all", ["192.0.2.25", "IPV6:2001:db8::25"]),
    ],
)
def test_probes_come_from_an_address_outside_mynetworks(mynetworks, protocols, outsiders):
    assert choose_outsiders(mynetworks, protocols) == outsiders


def test_an_error_quotes_the_end_of_the_log_that_is_removed_with_the_canary(tmp_path):
    (tmp_path / "said").write_text("one\n\n")
    (tmp_path / "log").write_text("".join(f"postfix/master[1]: line {number}\n" for number in range(9)))
    said = Instance(Home(str(tmp_path)), "/usr/lib/postfix", "/etc/postfix").last_lines()
    assert said.startswith("Its log ends with: postfix/master[1]: line 4 | ")
    assert said.endswith("line 8")
    assert Instance(Home(str(tmp_path / "none")), "/usr/lib/postfix", "/etc/postfix").last_lines() == ""


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077])
def test_what_a_canary_makes_can_be_read_by_postfix_whatever_the_umask(tmp_path, monkeypatch, umask):
    monkeypatch.setattr(canary_process, "_HOME", Home(str(tmp_path / "canary")))
    monkeypatch.setattr(canary_process, "_LOCK", str(tmp_path / "lock"))
    (tmp_path / "stage/etc/postfix/deeper").mkdir(parents=True)
    (tmp_path / "stage/etc/postfix/deeper/table").touch()
    inherited = os.umask(umask)
    try:
        with home() as place:
            lay_out(place, str(tmp_path / "stage"), "/etc/postfix", ())
            folders = [os.path.join(above, one) for above, names, _files in os.walk(place.path) for one in names]
            modes = {stat.S_IMODE(os.stat(folder).st_mode) for folder in folders}
        assert os.umask(inherited) == umask, "the umask is given back"
    finally:
        os.umask(inherited)
    assert modes == {0o755}
