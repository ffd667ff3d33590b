# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages, files, services and commands of the role relay for each platform, without a host.

Ansible renders the role's own variables and templates: one local play has a host for each platform, with its facts.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

COLLECTIONS = next(path for path in sys.path if path.endswith(".build/collections"))
ROLE = Path(__file__).resolve().parents[3] / "roles/relay"

#: Family, distribution and major version, as the setup module returns them.
KNOWN = {
    "debian12": ("Debian", "Debian", "12"),
    "debian13": ("Debian", "Debian", "13"),
    "alma9": ("RedHat", "AlmaLinux", "9"),
    "rhel10": ("RedHat", "RedHat", "10"),
}
UNKNOWN = {"ubuntu": ("Debian", "Ubuntu", "24"), "fedora": ("RedHat", "Fedora", "43")}
#: Results of postfix_info, for hosts with Postfix installed.
ASKED = {"rhel10": {"version": "3.8.9", "map_types": ["lmdb", "regexp", "texthash"]}}
VARIABLES = {
    "relay_hostname": "relay.example.com",
    "relay_listeners": [{"port": 25}, {"port": 587}, {"port": 2525, "login": True}],
    "relay_users": [{"name": "app", "password": "secret"}],
    "relay_upstream": {"host": "smtp.provider.example", "username": "u", "password": "p"},
}
WANTED = ("packages", "files", "postfix_activate", "services", "postfix_health", "postfix", "selinux_ports")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, t.Any]]:
    """Return the role's internal variables by host; for an unknown platform, only its row."""
    folder = tmp_path_factory.mktemp("platforms")
    (folder / "templates").symlink_to(ROLE / "templates")
    facts = ("os_family", "distribution", "distribution_major_version")
    hosts = {name: dict(zip(facts, host, strict=True)) for name, host in {**KNOWN, **UNKNOWN}.items()}
    inventory = {
        name: {"facts": host, "names": ["platform", *WANTED] if name in KNOWN else ["platform"]}
        | ({"__relay_asked": ASKED[name]} if name in ASKED else {})
        for name, host in hosts.items()
    }
    values = "{{ dict(names | zip(names | map('regex_replace', '^', '__relay_') | map('extract', vars))) | to_json }}"
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    play = {
        "hosts": "all",
        "gather_facts": False,
        "vars_files": [str(path) for path in sorted((ROLE / "vars/main").glob("*.yml"))],
        "tasks": [
            {"ansible.builtin.set_fact": {"cacheable": True, **{name: f"{{{{ facts.{name} }}}}" for name in facts}}},
            {"ansible.builtin.set_fact": {"__relay_plan": "{{ __relay_variables | mailops.smtp.relay_plan }}"}},
            {"ansible.builtin.copy": {"content": values, "dest": f"{folder}/{{{{ inventory_hostname }}}}.json"}},
        ],
    }
    everywhere = {"ansible_connection": "local", **defaults, **VARIABLES}
    (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": inventory, "vars": everywhere}}))
    (folder / "play.yml").write_text(json.dumps([play]))
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "inventory.json", "play.yml"],
        cwd=folder,
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS,
            "ANSIBLE_HOME": str(folder / "home"),
            "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
            "ANSIBLE_REMOTE_TEMP": str(folder / "remote"),
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_INJECT_FACT_VARS": "false",
            "ANSIBLE_NOCOLOR": "1",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return {name: json.loads((folder / f"{name}.json").read_text()) for name in hosts}


def text(rendered: dict[str, dict[str, t.Any]], host: str, path: str) -> str:
    """Return the content of a file for this host."""
    (found,) = (file for file in rendered[host]["files"] if file["path"] == path)
    return str(found["content"])


@pytest.mark.parametrize("host", UNKNOWN)
def test_unknown_platform_has_no_row(rendered: dict[str, dict[str, t.Any]], host: str) -> None:
    assert rendered[host] == {"platform": {}}


@pytest.mark.parametrize(
    ("host", "packages"),
    [
        ("debian12", {"postfix", "postfix-lmdb", "libsasl2-modules", "dovecot-core"}),
        ("debian13", {"postfix", "postfix-lmdb", "libsasl2-modules", "dovecot-core"}),
        ("alma9", {"postfix", "postfix-lmdb", "cyrus-sasl-plain", "cyrus-sasl-scram", "dovecot"}),
        ("rhel10", {"postfix", "postfix-lmdb", "cyrus-sasl-plain", "cyrus-sasl-scram", "dovecot"}),
    ],
)
def test_packages_of_the_platform(rendered: dict[str, dict[str, t.Any]], host: str, packages: set[str]) -> None:
    assert packages <= set(rendered[host]["packages"])


@pytest.mark.parametrize(("host", "version"), [("debian12", 3), ("debian13", 4), ("alma9", 3), ("rhel10", 3)])
def test_dovecot_conf_has_the_syntax_of_its_version(
    rendered: dict[str, dict[str, t.Any]], host: str, version: int
) -> None:
    written = text(rendered, host, "/etc/dovecot/dovecot.conf")
    first = next(line for line in written.splitlines() if not line.startswith("#"))
    assert (first == "dovecot_config_version = 2.4.0") == (version == 4)
    assert ("passdb passwd-file {\n  passwd_file_path = " in written) == (version == 4)
    assert ("passdb {\n  driver = passwd-file\n  args = /etc/dovecot/relay_users\n}" in written) == (version == 3)
    assert "auth_mechanisms = plain login scram-sha-256\n" in written


@pytest.mark.parametrize("host", KNOWN)
def test_health_is_checked_on_the_unit_that_runs(rendered: dict[str, dict[str, t.Any]], host: str) -> None:
    runs = "postfix@-.service" if host == "debian12" else "postfix.service"
    postfix = [service for service in rendered[host]["services"] if "postfix" in service["unit"]]
    assert [service["unit"] for service in postfix] == list(dict.fromkeys(["postfix.service", runs]))
    assert [service["unit"] for service in postfix if service["files"] == ["/etc/postfix"]] == [runs]
    assert [
        command for command in rendered[host]["postfix_health"] if any(f"--value {runs})" in word for word in command)
    ]


def test_caches_in_berkeley_db_are_removed(rendered: dict[str, dict[str, t.Any]]) -> None:
    for host in KNOWN:
        commands = [entry["command"] for entry in rendered[host]["postfix_activate"]]
        remove = next(command for command in commands if command[0] == "rm")
        assert {"/var/lib/postfix/smtp_scache.db", "/var/lib/postfix/verify_cache.db"} <= set(remove)


def test_units_are_stopped_if_the_old_postfix_blocks_the_new_one(rendered: dict[str, dict[str, t.Any]]) -> None:
    stop = "systemctl stop postfix@-.service postfix.service"
    commands = {
        host: [word for entry in rendered[host]["postfix_activate"] for word in entry["command"]] for host in KNOWN
    }
    assert [host for host in KNOWN if any(stop in word for word in commands[host])] == ["debian13"]


@pytest.mark.parametrize(
    ("host", "version"), [("debian12", "3.7"), ("debian13", "3.10"), ("alma9", "3.5"), ("rhel10", "3.8.9")]
)
def test_version_of_the_installed_or_packaged_postfix(
    rendered: dict[str, dict[str, t.Any]], host: str, version: str
) -> None:
    """The installed one, or the packaged one if none is installed."""
    found = rendered[host]["postfix"]
    assert f"{found['version']}.".startswith(f"{version}.")
    assert found["map_types"] == ASKED[host]["map_types"] if host in ASKED else "lmdb" in found["map_types"]


@pytest.mark.parametrize(
    ("host", "present", "absent"),
    [
        ("debian12", ["smtpd_forbid_bare_newline = normalize", "smtpd_tls_protocols = >=TLSv1.2"], "sendmail_path"),
        ("debian13", ["compatibility_level = 3.9", "smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt"], "!TLSv1"),
        (
            "alma9",
            [
                "compatibility_level = 2",
                "smtpd_tls_protocols = !SSLv2, !SSLv3, !TLSv1, !TLSv1.1",
                "smtp_tls_CAfile = /etc/pki/tls/certs/ca-bundle.crt",
                "sendmail_path = /usr/sbin/sendmail.postfix",
            ],
            ">=TLSv",
        ),
        ("rhel10", ["compatibility_level = 3.6", "smtp_tls_CAfile = /etc/pki/tls/certs/ca-bundle.crt"], "!TLSv1"),
    ],
)
def test_main_cf_has_the_syntax_of_its_version(
    rendered: dict[str, dict[str, t.Any]], host: str, present: list[str], absent: str
) -> None:
    written = text(rendered, host, "/etc/postfix/main.cf")
    assert set(present) <= set(written.splitlines())
    assert absent not in written


@pytest.mark.parametrize("host", KNOWN)
def test_every_table_has_a_type_of_the_platform(rendered: dict[str, dict[str, t.Any]], host: str) -> None:
    """RHEL 10 has no Berkeley DB."""
    known = set(rendered[host]["platform"]["postfix"]["map_types"])
    assert ("hash" in known) == (host != "rhel10")
    written = text(rendered, host, "/etc/postfix/main.cf") + text(rendered, host, "/etc/postfix/master.cf")
    used = set(re.findall(r"(?<![\w-])(\w+):(?:/|\$\{?data_directory|\{)", written))
    assert "texthash" in used
    assert used <= known


@pytest.mark.parametrize(("host", "ports"), [("debian13", []), ("alma9", [2525]), ("rhel10", [2525])])
def test_ports_to_allow_in_selinux(rendered: dict[str, dict[str, t.Any]], host: str, ports: list[int]) -> None:
    assert rendered[host]["selinux_ports"] == ports
