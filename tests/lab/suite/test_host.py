# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role on hosts as people have them: logins with an environment of their own, stale facts, dead package sources."""

from __future__ import annotations

import contextlib
import json
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.plays import LAB, Play, run_play

PLAYBOOK = "playbooks/relay.yml"
MAIN = "/etc/postfix/main.cf"
#: Root's shell sources it, since sshd starts a shell for each command.
NOISE = r"""
umask {umask}
export LANG=de_DE.UTF-8 LC_ALL=de_DE.UTF-8 LANGUAGE=de TZ=Asia/Kathmandu
export TMPDIR=/nonexistent HOME=/nonexistent PATH=/usr/bin:/bin MAIL_CONFIG=/nonexistent OPENSSL_CONF=/nonexistent
echo "Willkommen auf $HOSTNAME"
"""
DEAD = "deb [trusted=yes] http://dead.lab.test/debian ./"
TREE = r"find /etc/postfix /etc/dovecot /etc/nftables.d /var/lib/mailops -printf '%p %m %U %G\n' | sort"


@pytest.fixture
def relay(relay: t.Any, second_run: Play) -> t.Any:
    """The converged relay, without a cause for another change."""
    second_run.succeeded()
    return relay


def converge(name: str, *options: str, **extra: t.Any) -> Play:
    return run_play(f"host-{name}", PLAYBOOK, *options, extra=extra)


def play(name: str, **keywords: t.Any) -> str:
    """Write a play that includes the role with these keywords of a play."""
    path = LAB / f"host-{name}.yml"
    tasks = [{"ansible.builtin.include_role": {"name": "mailops.smtp.relay"}}]
    path.write_text(json.dumps([{"hosts": "relay", "gather_facts": False, "tasks": tasks, **keywords}]))
    return str(path)


@contextlib.contextmanager
def strange_login(relay: t.Any, umask: str) -> t.Iterator[None]:
    """Give root a shell with a strange environment, whose words would also be in what the tests read."""
    relay.check_output("cp -a /root/.bashrc /root/bashrc.before 2>/dev/null; true")
    relay.check_output(f"cat >/root/.bashrc <<'END'\n{NOISE.format(umask=umask)}END")
    try:
        yield
    finally:
        relay.check_output("rm /root/.bashrc; mv /root/bashrc.before /root/.bashrc 2>/dev/null; true")


@pytest.mark.parametrize("umask", ["027", "077"])
def test_the_login_on_the_host_changes_neither_modes_nor_words(relay: t.Any, umask: str) -> None:
    modes = relay.check_output(TREE)
    with strange_login(relay, umask):
        changed = converge(f"login-{umask}", relay_settings={"smtpd_banner": umask})
        broken = converge(f"login-broken-{umask}", relay_settings={"smtpd_tls_loglvl": "1"})
        back = converge(f"login-back-{umask}")
    assert changed.succeeded().count("relay", "changed") == 1
    assert broken.says("unused parameter: smtpd_tls_loglvl=1")
    assert back.succeeded().count("relay", "changed") == 1
    assert relay.check_output(TREE) == modes


def test_packages_are_installed_whatever_the_login(relay: t.Any) -> None:
    """Scripts of packages use TMPDIR, and Postfix's own MAIL_CONFIG."""
    relay.check_output("dpkg --force-depends --remove postfix-lmdb libsasl2-modules")
    with strange_login(relay, "077"):
        play = converge("login-packages")
    assert play.succeeded().count("relay", "changed") >= 1
    assert relay.check_output("dpkg --audit") == ""


def test_facts_of_a_cache_do_not_decide(relay: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = {
        "os_family": "RedHat",
        "distribution": "Debian",
        "distribution_version": "11",
        "distribution_major_version": "11",
    }
    (tmp_path / "relay").write_text(json.dumps({f"ansible_{name}": value for name, value in stale.items()}))
    monkeypatch.setenv("ANSIBLE_CACHE_PLUGIN", "ansible.builtin.jsonfile")
    monkeypatch.setenv("ANSIBLE_CACHE_PLUGIN_CONNECTION", str(tmp_path))
    assert converge("stale-facts").succeeded().count("relay", "changed") == 0


@contextlib.contextmanager
def only_a_dead_source(relay: t.Any) -> t.Iterator[None]:
    lists = "/etc/apt/sources.list /etc/apt/sources.list.d /var/lib/apt/lists"
    relay.check_output(f"mkdir /root/apt && mv {lists} /root/apt/ 2>/dev/null; mkdir -p /etc/apt/sources.list.d")
    relay.check_output(f"mkdir -p /var/lib/apt/lists/partial; echo '{DEAD}' >/etc/apt/sources.list.d/dead.list")
    try:
        yield
    finally:
        relay.check_output(f"rm -r {lists} 2>/dev/null; true")
        relay.check_output(
            "mv /root/apt/sources.list* /etc/apt/ && mv /root/apt/lists /var/lib/apt/ && rmdir /root/apt"
        )
        relay.check_output("apt-get update")


def test_a_dead_package_source_is_not_asked_while_all_packages_are_there(relay: t.Any) -> None:
    with only_a_dead_source(relay):
        unchanged = converge("dead-source").succeeded()
        assert unchanged.count("relay", "changed") == 0
        assert "Install |" not in unchanged.output


def test_a_dead_package_source_is_named_when_a_package_is_missing(relay: t.Any) -> None:
    relay.check_output("dpkg --force-depends --remove postfix-lmdb")
    try:
        with only_a_dead_source(relay):
            began = time.monotonic()
            missing = converge("dead-source-missing")
            assert time.monotonic() - began < 120
            assert missing.code != 0
            assert missing.says("Not installed: postfix-lmdb.")
            assert missing.says("A package source does not answer; correct it, or switch it off")
            assert missing.says("http://dead.lab.test/debian")
    finally:
        converge("dead-source-after").succeeded()


def test_a_program_that_installs_packages_is_waited_for_and_named(relay: t.Any) -> None:
    relay.check_output("dpkg --force-depends --remove postfix-lmdb")
    hold = "import fcntl, time; f = open('/var/lib/dpkg/lock-frontend', 'w'); fcntl.lockf(f, 2); time.sleep(25)"
    relay.check_output(f'systemd-run --quiet --collect --unit=holder python3 -c "{hold}"')
    waited = converge("lock").succeeded()
    assert waited.says("is installing packages on this host. The next tasks wait until it has finished, 300 s at most.")
    assert relay.package("postfix-lmdb").is_installed


#: chattr(1) is not on the hosts: FS_IOC_SETFLAGS with FS_IMMUTABLE_FL, or without (ioctl_iflags(2)).
CHATTR = (
    "python3 -c 'import fcntl, os, struct, sys; "
    'fcntl.ioctl(os.open(sys.argv[2], os.O_RDONLY), 0x40086602, struct.pack("l", int(sys.argv[1], 16)))'
    "' %s %s"
)
UNPRIVILEGED = "daemon"
NOT_ROOT = {
    "ansible_become": True,
    "ansible_become_method": "ansible.builtin.su",
    "ansible_become_user": UNPRIVILEGED,
    "ansible_become_flags": "-s /bin/sh",
}


@pytest.mark.usefixtures("relay")
@pytest.mark.parametrize("options", [(), ("--check",), ("-e", "relay_state=absent")])
def test_a_forgotten_become_is_the_only_advice(options: tuple[str, ...]) -> None:
    refused = converge(f"become-{len(options)}", *options, **NOT_ROOT)
    assert refused.code != 0
    assert refused.says(
        f"Set become: true on the task or the play: it runs as the user {UNPRIVILEGED}, and only root may"
    )
    for words in ("backend", "remove", "/var/lib/mailops"):
        assert words not in refused.output.rpartition("fatal: [relay]")[2]


@pytest.mark.usefixtures("relay")
@pytest.mark.parametrize(
    ("keywords", "options", "changed"),
    [
        ({"check_mode": True}, (), False),
        ({"check_mode": True}, ("--check",), False),
        ({"check_mode": False}, ("--check",), True),
        ({"check_mode": False}, (), True),
    ],
)
def test_check_mode_of_a_play_counts_and_not_that_of_the_command_line(
    relay: t.Any, keywords: dict[str, bool], options: tuple[str, ...], changed: bool
) -> None:
    banner = f"banner {changed} {len(options)}"
    ran = run_play("host-mode", play("mode", **keywords), *options, extra={"relay_settings": {"smtpd_banner": banner}})
    assert ran.succeeded().count("relay", "changed") == 1
    assert (banner in relay.file(MAIN).content_string) == changed
    assert ("queued as" in ran.output.partition("Show each hop of the proof")[2]) == changed
    if changed:
        converge("mode-back").succeeded()


def test_an_immutable_file_is_named_and_is_no_damage(relay: t.Any) -> None:
    before = relay.file(MAIN).content_string
    if relay.run(CHATTR, "0x10", MAIN).rc:
        pytest.skip("this lab may not set the flag: its hosts lack CAP_LINUX_IMMUTABLE")
    try:
        refused = converge("immutable", relay_settings={"smtpd_banner": "never"})
    finally:
        relay.check_output(CHATTR, "0", MAIN)
    assert refused.says(f"Nothing was changed: {MAIN} is immutable or append-only")
    assert relay.file(MAIN).content_string == before


def test_a_host_that_stores_no_log_says_so_at_once(relay: t.Any) -> None:
    folder = "/etc/systemd/journald.conf.d"
    relay.check_output(f"mkdir -p {folder} && printf '[Journal]\\nStorage=none\\n' >{folder}/none.conf")
    relay.check_output("systemctl restart systemd-journald && rm -rf /run/log/journal/* /var/log/journal/*")
    try:
        play = converge("no-log")
    finally:
        relay.check_output(f"rm {folder}/none.conf && systemctl restart systemd-journald")
    assert play.code != 0
    assert play.says("this host stores no log of mail")


def test_a_mechanism_that_the_host_lacks_changes_nothing(relay: t.Any, passwords: dict[str, str]) -> None:
    before = relay.file(MAIN).content_string
    login = {
        "host": "smtp.provider.test",
        "username": "relay@provider.test",
        "password": passwords["relay@provider.test"],
    }
    refused = converge("mechanism", relay_upstream={**login, "mechanisms": ["XOAUTH2"]})
    assert refused.code != 0
    assert refused.says(
        "relay_upstream.mechanisms: the SASL library of this host has no XOAUTH2 for Postfix; expected one"
    )
    assert relay.file(MAIN).content_string == before
    assert refused.count("relay", "changed") == 0


def test_name_servers_that_do_not_answer_cost_seconds(relay: t.Any) -> None:
    """192.0.2.1 is in no use (RFC 5737), and the lab has no way out."""
    began = time.monotonic()
    checked = converge("dns-dead", "--check", relay_dns={"nameservers": ["192.0.2.1"]}).succeeded()
    assert time.monotonic() - began < 120
    assert checked.says("no name server answers")


def test_a_variable_of_someone_else_is_left_alone(relay: t.Any) -> None:
    assert converge("foreign", "--check", relay_result={"rc": 0}).succeeded().count("relay", "changed") == 0
