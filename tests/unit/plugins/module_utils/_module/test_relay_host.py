# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""relay_host_info as Ansible runs it, with its parts ``host_packages`` and ``sasl_client``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mailops.smtp.plugins.module_utils._module import (
    environment,
    firewall,
    host_packages,
    relay_host,
    sasl_client,
)
from ansible_collections.mailops.smtp.plugins.module_utils._module.postfix_facts import NOT_INSTALLED
from ansible_collections.mailops.smtp.plugins.modules import relay_host_info

Run = t.Callable[..., dict[str, t.Any]]
DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nNAME="Debian GNU/Linux"\nVERSION_ID="13"\nID=debian\n# comment\n'
DPKG = """#!/bin/sh
printf 'postfix 3.10.13-0 installed\nopenssl 3.5.1 installed\ndovecot-core 1:2.4.1 half-configured\n'
echo 'dpkg-query: no packages found matching nftables' >&2
exit 1
"""
#: A host without a route for IPv6.
IP = """#!/bin/sh
case $4 in
  *:*) echo 'RTNETLINK answers: Network is unreachable' >&2; exit 2 ;;
  *) echo "$4 via 192.0.2.254 dev eth0 src 192.0.2.7 uid 0 \\    cache" ;;
esac
"""


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Debian host with systemd on which this process is root; the directory with its programs."""
    (tmp_path / "os-release").write_text(DEBIAN)
    (tmp_path / "dpkg-query").write_text(DPKG)
    (tmp_path / "postconf").write_text(
        "#!/bin/sh\ncase $1 in mail_version) echo mail_version = 3.10.13 ;; -m) echo lmdb ;;"
        " -d) echo smtpd_forbid_y = no; echo postconf: warning: smtpd_forbid_x: unknown parameter >&2; esac\n"
    )
    (tmp_path / "ip").write_text(IP)
    for name in ("dpkg-query", "postconf", "ip"):
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(relay_host, "OS_RELEASE", (str(tmp_path / "os-release"),))
    monkeypatch.setattr(relay_host, "SYSTEMD", str(tmp_path))
    monkeypatch.setattr(relay_host, "become_needed", lambda _what: "")
    monkeypatch.setattr(firewall, "look", lambda wanted, _ports: {"backend": wanted, "active": [], "problem": ""})
    monkeypatch.setattr(host_packages, "APT_LOCKS", (str(tmp_path / "lock"),))
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """``run(**options)`` runs the module and returns its result."""

    def run_module(**options: t.Any) -> dict[str, t.Any]:
        with patch_module_args(options), pytest.raises(SystemExit):
            relay_host_info.main()
        return dict(json.loads(capsys.readouterr().out))

    return run_module


@pytest.mark.usefixtures("host")
def test_everything_is_asked_in_the_same_run(run: Run) -> None:
    found = run(packages=["postfix", "openssl", "dovecot-core", "nftables"])
    assert (found["changed"], found["check_mode"], found["problems"]) == (False, False, [])
    name = "Debian GNU/Linux 13 (trixie)"
    expected = {"id": "debian", "like": [], "version": "13", "major": "13", "name": name, "entry": ""}
    assert found["platform"] == expected
    assert found["packages"] == {"postfix": "3.10.13-0", "openssl": "3.5.1"}, "half-configured ones are not installed"
    assert found["package_manager"] == "apt"
    assert found["postfix"] == {"version": "3.10.13", "map_types": ["lmdb"], "parameters": []}
    assert found["firewall"]["backend"] == "auto"
    assert found["package_lock"] == ""
    assert found["addresses"] == ["192.0.2.7"]


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("check", [True, False])
def test_the_result_says_whether_it_was_check_mode(run: Run, check: bool) -> None:
    assert run(_ansible_check_mode=check)["check_mode"] is check


@pytest.mark.usefixtures("host")
def test_parameters_are_those_that_the_installed_postfix_knows(run: Run) -> None:
    assert run(parameters=["smtpd_forbid_x", "smtpd_forbid_y"])["postfix"]["parameters"] == ["smtpd_forbid_y"]


def test_names_in_directories_that_exist(host: Path, run: Run) -> None:
    (host / "state").mkdir()
    (host / "state/b.token").touch()
    (host / "state/a").mkdir()
    (host / "empty").mkdir()
    asked = [str(host / name) for name in ("state", "empty", "missing", "ip")]
    assert run(directories=asked)["directories"] == {f"{host}/state": ["a", "b.token"], f"{host}/empty": []}


def test_parameters_are_not_asked_for_without_postfix(host: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_host, "look", lambda _commands: (NOT_INSTALLED, {}))
    assert run(parameters=["smtpd_forbid_y"])["postfix"]["parameters"] == []


@pytest.mark.usefixtures("host")
def test_certificate_is_examined_if_there_are_settings_of_one(run: Run) -> None:
    assert run()["certificate"] == {"problems": [], "due": "", "installed": False, "folders": []}
    source = {"chain": "/nowhere/a.pem", "key": "/nowhere/a.pem"}
    settings = {"file": "/nowhere/relay.pem", "names": ["relay.a.test"], "source": source, "acme": {}, "addresses": []}
    (problem,) = run(certificate=settings)["certificate"]["problems"]
    assert problem.startswith("relay_tls: /nowhere/a.pem: No such file or directory; expected a file of this host")


TABLE = {
    "Debian-13": {"package_manager": "apt"},
    "RedHat-9": {"package_manager": "dnf"},
    "SUSE": {"unsupported": "It has no apt."},
}


@pytest.mark.parametrize(
    ("text", "platform", "entry", "problem", "warning"),
    [
        (DEBIAN, "auto", "Debian-13", "", ""),
        ("ID=kali\nID_LIKE=debian", "auto", "", "kali is not supported", ""),
        ("ID=kali\nID_LIKE=debian", "Debian-13", "Debian-13", "", "and treats it as Debian-13"),
        ("ID=sles\nID_LIKE=suse", "auto", "", "It has no apt.", ""),
    ],
)
def test_the_entry_of_the_platform_is_found_or_a_problem(
    host: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    platform: str,
    entry: str,
    problem: str,
    warning: str,
) -> None:
    said: list[str] = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, words: said.append(words))
    (host / "os-release").write_text(text)
    found = run(platforms=TABLE, platform=platform)
    assert found["platform"]["entry"] == entry
    assert (len(found["problems"]), len(said)) == (bool(problem), bool(warning))
    assert problem in "".join(found["problems"])
    assert warning in "".join(said)


PLATFORMS: list[tuple[str, dict[str, t.Any]]] = [
    (
        'ID="almalinux"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.7"',
        {"major": "9", "like": ["rhel", "centos", "fedora"]},
    ),
    ("ID=ubuntu\nID_LIKE=debian\nVERSION_ID='24.04'", {"id": "ubuntu", "version": "24.04", "major": "24"}),
    ('ID=debian\nPRETTY_NAME="Debian GNU/Linux forky/sid"', {"version": "", "name": "Debian GNU/Linux forky/sid"}),
    ('ID=x\nPRETTY_NAME="unfinished', {"id": "x"}),
    ("", {"id": "linux", "version": "", "name": "Linux"}),
]


@pytest.mark.parametrize(("text", "expected"), PLATFORMS)
def test_platform_of_os_release(host: Path, run: Run, text: str, expected: dict[str, t.Any]) -> None:
    (host / "os-release").write_text(text)
    assert expected.items() <= run()["platform"].items()


def test_a_host_without_systemd_is_refused_in_the_terms_of_the_role(
    host: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_host, "SYSTEMD", str(host / "none"))
    (problem,) = run(firewall="none")["problems"]
    assert problem.startswith("The host does not run systemd")
    assert "unit" not in problem


@pytest.mark.usefixtures("host")
def test_without_root_nothing_but_become_is_advised(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_host, "become_needed", environment.become_needed)
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    monkeypatch.setattr(
        firewall, "look", lambda wanted, _ports: {"backend": wanted, "active": [], "problem": "Turn it off."}
    )
    (problem,) = run()["problems"]
    assert problem.startswith("Set become: true on the task or the play")


@pytest.mark.usefixtures("host")
def test_a_firewall_that_cannot_be_used_is_a_problem_unless_none_is_wanted(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(firewall, "look", lambda wanted, _ports: {"backend": wanted, "active": [], "problem": "No."})
    assert run()["problems"] == ["No."]
    assert run(firewall="none")["problems"] == []


def test_a_program_that_installs_packages_is_named(host: Path, run: Run) -> None:
    hold = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.lockf(f, fcntl.LOCK_EX); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(host / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        holder.stdout.readline()
        try:
            assert run()["package_lock"].endswith(f"(process {holder.pid})")
        finally:
            holder.kill()
    assert run()["package_lock"] == ""


def test_mechanisms_are_those_that_postfix_can_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sasl_client, "_registered", lambda: ["PLAIN", "EXTERNAL", "ANONYMOUS", "LOGIN", "XOAUTH2"])
    monkeypatch.setattr(sasl_client, "_DESKTOP_PLUGINS", ())
    assert sasl_client.client_mechanisms() == ["LOGIN", "PLAIN", "XOAUTH2"]
    monkeypatch.setattr(sasl_client, "_DESKTOP_PLUGINS", ("/",))
    assert sasl_client.client_mechanisms() == ["LOGIN", "PLAIN"]


def test_a_host_without_cyrus_sasl_has_no_mechanisms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sasl_client, "LIBRARIES", ("libsasl2.so.none",))
    assert sasl_client.client_mechanisms() == []
