# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages, files, services and commands of the role relay for each platform, without a host.

Ansible renders the role's own variables and templates: one local play has a host for each platform, with the answer of
relay_host_info.
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

from ansible_collections.mailops.smtp.plugins.module_utils._module.host_platform import choose

COLLECTIONS = next(path for path in sys.path if path.endswith(".build/collections"))
ROLE = Path(__file__).resolve().parents[3] / "roles/relay"


class Host(t.NamedTuple):
    """A host, and what is expected of the role there.

    :ivar release: ID, ID_LIKE and VERSION_ID of os-release.
    :ivar entry: its name in the table of platforms.
    :ivar postfix: beginning of the version of Postfix: the installed one, or else the packaged one.
    :ivar dovecot: version of the syntax of dovecot.conf.
    :ivar unit: the unit in which Postfix runs.
    :ivar upgraded: whether an upgrade may have left a Postfix in the unit of the release before.
    """

    release: tuple[str, str, str]
    entry: str
    postfix: str
    dovecot: str
    unit: str = "postfix.service"
    upgraded: bool = False

    @property
    def debian(self) -> bool:
        """Whether it has Debian's packages."""
        return self.entry.startswith(("Debian", "Ubuntu"))


INSTANCE = "postfix@-.service"
KNOWN = {
    "debian11": Host(("debian", "", "11"), "Debian-11", "3.5.25", "2.3", INSTANCE),
    "debian12": Host(("debian", "", "12"), "Debian-12", "3.7", "2.3", INSTANCE),
    "debian13": Host(("debian", "", "13"), "Debian-13", "3.10", "2.4", upgraded=True),
    "forky": Host(("debian", "", ""), "Debian-testing", "3.11", "2.4", upgraded=True),
    "ubuntu22": Host(("ubuntu", "debian", "22.04"), "Ubuntu-22.04", "3.6", "2.3", INSTANCE),
    "ubuntu24": Host(("ubuntu", "debian", "24.04"), "Ubuntu-24.04", "3.8", "2.3", INSTANCE),
    "ubuntu26": Host(("ubuntu", "debian", "26.04"), "Ubuntu-26.04", "3.10", "2.4", upgraded=True),
    "patched22": Host(("ubuntu", "debian", "22.04"), "Ubuntu-22.04", "3.6.4", "2.3", INSTANCE),
    "alma9": Host(("almalinux", "rhel centos fedora", "9.7"), "RedHat-9", "3.5", "2.3"),
    "oracle9": Host(("ol", "fedora", "9.6"), "RedHat-9", "3.5", "2.3"),
    "stream10": Host(("centos", "rhel fedora", "10"), "RedHat-10", "3.8", "2.3"),
    "rhel10": Host(("rhel", "fedora", "10.1"), "RedHat-10", "3.8.9", "2.3"),
    "fedora43": Host(("fedora", "", "43"), "Fedora-43", "3.10", "2.4"),
    "fedora44": Host(("fedora", "", "44"), "Fedora-44", "3.10", "2.4"),
    "amazon": Host(("amzn", "fedora", "2023"), "Amazon-2023", "3.7.2", "2.3"),
    # the packages that are installed decide, not those of the platform
    "backport": Host(("debian", "", "12"), "Debian-12", "3.10.3", "2.4", INSTANCE),
    "kept": Host(("fedora", "", "43"), "Fedora-43", "3.10", "2.3"),
}
#: Hosts that have no entry of their own: what relay_platform says, and the entry that they are treated as.
UNKNOWN = {
    "mint": (("linuxmint", "ubuntu debian", "22"), "auto", ""),
    "mint_on_purpose": (("linuxmint", "ubuntu debian", "22"), "Ubuntu-24.04", "Ubuntu-24.04"),
    "suse": (("opensuse-leap", "suse opensuse", "16.0"), "auto", ""),
    "rhel8": (("rhel", "fedora", "8.10"), "auto", ""),
}
TABLE = yaml.safe_load((ROLE / "vars/main/platforms.yml").read_text())["__relay_platforms"]
#: Versions and map types of hosts with Postfix installed.
ASKED = {
    "rhel10": {"version": "3.8.9", "map_types": ["lmdb", "regexp", "texthash"]},
    "backport": {"version": "3.10.3", "map_types": ["lmdb", "regexp", "texthash"]},
    "patched22": {
        "version": "3.6.4",
        "map_types": ["lmdb", "regexp", "texthash"],
        "parameters": ["smtpd_forbid_bare_newline_reject_code"],
    },
}
INSTALLED = {
    "backport": {"dovecot-core": "1:2.4.1+dfsg1-6~bpo12+1"},
    "kept": {"dovecot": "2.3.21.1-3.fc42"},
}
VARIABLES = {
    "relay_hostname": "relay.example.com",
    "relay_listeners": [{"port": 25}, {"port": 587}, {"port": 2525, "login": True}],
    "relay_users": [{"name": "app", "password": "secret"}],
    "relay_bans": {"backend": "fail2ban", "except": ["192.0.2.0/24"]},
    "relay_upstream": {"host": "smtp.provider.example", "username": "u", "password": "p"},
}
WANTED = (
    "packages",
    "missing",
    "all_packages",
    "files",
    "postfix_activate",
    "services",
    "postfix_health",
    "postfix",
    "selinux_ports",
)


def answer(name: str, release: tuple[str, str, str], platform: str = "auto") -> dict[str, t.Any]:
    """Return what relay_host_info says of a host."""
    ident, like, version = release
    fields = {"id": ident, "like": like.split(), "version": version, "major": version.partition(".")[0], "name": name}
    postfix: dict[str, t.Any] = ASKED.get(name, {"version": None, "map_types": []})
    return {
        "platform": {**fields, "entry": choose(fields, TABLE, platform).entry},
        "postfix": postfix,
        "mechanisms": [],
        "packages": {"openssl": "3", **INSTALLED.get(name, {})},
    }


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, t.Any]]:
    """Return the role's internal variables by host; for an unknown platform, only its row."""
    folder = tmp_path_factory.mktemp("platforms")
    (folder / "templates").symlink_to(ROLE / "templates")
    hosts = {name: answer(name, host.release) for name, host in KNOWN.items()}
    hosts.update({name: answer(name, release, platform) for name, (release, platform, _entry) in UNKNOWN.items()})
    inventory = {
        name: {"__relay_host": host, "names": ["platform", *WANTED] if name in KNOWN else ["platform"]}
        for name, host in hosts.items()
    }
    values = "{{ dict(names | zip(names | map('regex_replace', '^', '__relay_') | map('extract', vars))) | to_json }}"
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    play = {
        "hosts": "all",
        "gather_facts": False,
        "vars_files": [str(path) for path in sorted((ROLE / "vars/main").glob("*.yml"))],
        "tasks": [
            {"ansible.builtin.set_fact": {"__relay_plan": "{{ __relay_variables | mailops.smtp.relay_plan }}"}},
            {"ansible.builtin.copy": {"content": values, "dest": f"{folder}/{{{{ inventory_hostname }}}}.json"}},
        ],
    }
    everywhere = {"role_path": str(ROLE), "ansible_connection": "local", **defaults, **VARIABLES}
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
        timeout=300,  # on a busy machine; a play that hangs is ended
        check=False,
    )
    assert "duplicate mapping key" not in done.stdout + done.stderr  # merging anchors makes one easily
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return {name: json.loads((folder / f"{name}.json").read_text()) for name in hosts}


def text(rendered: dict[str, dict[str, t.Any]], host: str, path: str) -> str:
    """Return the content of a file for this host."""
    (found,) = (file for file in rendered[host]["files"] if file["path"] == path)
    return str(found["content"])


@pytest.mark.parametrize("path", sorted(ROLE.glob("templates/*service.j2")), ids=lambda path: path.name)
def test_unit_that_others_start_may_start_at_any_time(path: Path) -> None:
    """By default systemd gives up after five starts within ten seconds, and the unit that starts it fails, too."""
    assert "\nStartLimitIntervalSec=0\n" in path.read_text().partition("[Service]")[0]


@pytest.mark.parametrize("host", UNKNOWN)
def test_unknown_platform_has_no_entry_unless_it_is_tried_on_purpose(
    rendered: dict[str, dict[str, t.Any]], host: str
) -> None:
    entry = UNKNOWN[host][2]
    assert rendered[host] == {"platform": TABLE[entry] if entry else {}}


@pytest.mark.parametrize("host", KNOWN)
def test_packages_of_the_platform(rendered: dict[str, dict[str, t.Any]], host: str) -> None:
    debian = {"postfix", "postfix-lmdb", "libsasl2-modules", "dovecot-core"}
    redhat = {"postfix", "postfix-lmdb", "cyrus-sasl-plain", "cyrus-sasl-scram", "dovecot"}
    packages = set(rendered[host]["packages"])
    assert (debian if KNOWN[host].debian else redhat) <= packages
    assert set(rendered[host]["missing"]) == packages - {"openssl", *INSTALLED.get(host, {})}
    assert packages <= set(rendered[host]["all_packages"])
    assert rendered[host]["platform"]["package_manager"] == ("apt" if KNOWN[host].debian else "dnf")


@pytest.mark.parametrize("host", KNOWN)
def test_dovecot_conf_has_the_syntax_of_its_version(rendered: dict[str, dict[str, t.Any]], host: str) -> None:
    """That of the installed Dovecot, or of the packaged one if none is installed."""
    written = text(rendered, host, "/etc/dovecot/dovecot.conf")
    first = next(line for line in written.splitlines() if not line.startswith("#"))
    new = KNOWN[host].dovecot == "2.4"
    assert (first == "dovecot_config_version = 2.4.0") == new
    assert ("passdb passwd-file {\n  passwd_file_path = " in written) == new
    salt = (
        "%{user | sha256(salt='relay.example.com/') | base64}"
        if new
        else "%{sha256;format=base64,salt=relay.example.com/:user}"
    )
    assert f"password{' = ' if new else '='}{{SCRAM-SHA-256}}15000,{salt},AAAA" in written
    assert "username_filter = !app\n" in written
    assert ("passdb {\n  driver = passwd-file\n  args = /etc/dovecot/relay_users\n}" in written) != new
    assert "auth_mechanisms = plain login scram-sha-256\n" in written


@pytest.mark.parametrize("host", KNOWN)
def test_every_service_of_master_cf_states_that_it_has_no_chroot(
    rendered: dict[str, dict[str, t.Any]], host: str
) -> None:
    """The default of the column, a minus sign, differs: yes in Debian 13 and Ubuntu 24.04, no in Ubuntu 26.04."""
    lines = text(rendered, host, "/etc/postfix/master.cf").splitlines()
    services = [line.split() for line in lines if line and line[0] not in "# "]
    assert len(services) > 20
    assert [service for service in services if service[4] != "n"] == []


@pytest.mark.parametrize("host", KNOWN)
def test_health_is_checked_on_the_unit_that_runs(rendered: dict[str, dict[str, t.Any]], host: str) -> None:
    runs = KNOWN[host].unit
    postfix = [service for service in rendered[host]["services"] if "postfix" in service.get("unit", "")]
    assert [service["unit"] for service in postfix] == list(dict.fromkeys(["postfix.service", runs]))
    assert [service["unit"] for service in postfix if "/etc/postfix" in service["files"]] == [runs]
    assert [
        command for command in rendered[host]["postfix_health"] if any(f"--value {runs})" in word for word in command)
    ]


@pytest.mark.parametrize("host", KNOWN)
def test_units_are_sandboxed_with_a_reason_for_each_line(rendered: dict[str, dict[str, t.Any]], host: str) -> None:
    runs = KNOWN[host].unit
    for unit, line in ((runs, "ProtectHome=read-only"), ("dovecot.service", "PrivateNetwork=yes")):
        path = f"/etc/systemd/system/{unit}.d/10-mailops-relay.conf"
        head, _section, body = text(rendered, host, path).partition("[Service]\n")
        lines = body.strip().splitlines()
        assert unit in head
        assert {line, "NoNewPrivileges=yes"} <= set(lines)
        assert all(one.startswith("# ") for one in lines[::2])
        assert all(re.match(r"[A-Z]\w+=", one) for one in lines[1::2])
        (service,) = (one for one in rendered[host]["services"] if one.get("unit") == unit)
        assert path in service["files"]
        assert path in service["restart_files"]


@pytest.mark.parametrize("host", KNOWN)
def test_fail2ban_reads_the_log_of_the_unit_that_runs(rendered: dict[str, dict[str, t.Any]], host: str) -> None:
    runs = KNOWN[host].unit
    assert f"journalmatch = _SYSTEMD_UNIT={runs}\n" in text(rendered, host, "/etc/fail2ban/filter.d/relay-logins.conf")
    jail = text(rendered, host, "/etc/fail2ban/jail.d/00-mailops-relay.conf")
    assert 'port="587,2525"' in jail
    assert "ignoreip = 127.0.0.0/8 ::1 192.0.2.0/24\n" in jail


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
    assert [host for host in KNOWN if any(stop in word for word in commands[host])] == [
        host for host in KNOWN if KNOWN[host].upgraded
    ]


@pytest.mark.parametrize("host", KNOWN)
def test_version_of_the_installed_or_packaged_postfix(rendered: dict[str, dict[str, t.Any]], host: str) -> None:
    """The installed one, or the packaged one if none is installed."""
    found = rendered[host]["postfix"]
    assert f"{found['version']}.".startswith(f"{KNOWN[host].postfix}.")
    assert found["map_types"] == ASKED[host]["map_types"] if host in ASKED else "lmdb" in found["map_types"]


@pytest.mark.parametrize(
    ("host", "present", "absent"),
    [
        (
            "debian11",
            ["compatibility_level = 2", "smtpd_tls_protocols = !SSLv2, !SSLv3, !TLSv1, !TLSv1.1"],
            "sendmail_path",
        ),
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
        ("forky", ["compatibility_level = 3.9", "smtpd_tls_protocols = >=TLSv1.2"], "!TLSv1"),
        # 3.6.4 is older than the protections of 3.6.10 and 3.6.14, which Ubuntu's updates bring under the same version
        ("patched22", ["smtpd_forbid_bare_newline = normalize"], "smtpd_forbid_unauth_pipelining"),
        ("ubuntu22", ["compatibility_level = 3.6", "smtpd_tls_protocols = >=TLSv1.2"], "smtpd_forbid"),
        ("ubuntu24", ["compatibility_level = 3.6", "smtpd_forbid_bare_newline = normalize"], "sendmail_path"),
        ("ubuntu26", ["compatibility_level = 3.9", "smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt"], "!TLSv1"),
        ("fedora43", ["compatibility_level = 3.9", "sendmail_path = /usr/sbin/sendmail.postfix"], "!TLSv1"),
        ("amazon", ["compatibility_level = 3.6", "smtp_tls_CAfile = /etc/pki/tls/certs/ca-bundle.crt"], "smtpd_forbid"),
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
    """RHEL 10, Fedora and Amazon Linux are taken to have no Berkeley DB."""
    known = set(rendered[host]["platform"]["postfix"]["map_types"])
    assert ("hash" in known) == (KNOWN[host].debian or KNOWN[host].entry == "RedHat-9")
    written = text(rendered, host, "/etc/postfix/main.cf") + text(rendered, host, "/etc/postfix/master.cf")
    used = set(re.findall(r"(?<![\w-])(\w+):(?:/|\$\{?data_directory|\{)", written))
    assert "texthash" in used
    assert used <= known


@pytest.mark.parametrize(
    ("host", "ports"), [("debian13", []), ("ubuntu24", []), ("alma9", [2525]), ("fedora44", [2525])]
)
def test_ports_to_allow_in_selinux(rendered: dict[str, dict[str, t.Any]], host: str, ports: list[int]) -> None:
    assert rendered[host]["selinux_ports"] == ports


def test_every_default_of_main_cf_is_written(rendered: dict[str, dict[str, t.Any]]) -> None:
    """Debian 13 has Postfix 3.10, which knows all parameters. Values that hold a variable are compared by name."""
    hardening = yaml.safe_load((ROLE / "vars/main/hardening.yml").read_text())["__relay_hardening"]
    main = next(file["content"] for file in rendered["debian13"]["files"] if file["path"] == "/etc/postfix/main.cf")
    written = dict(re.findall(r"^(\w+) =[ ]?(.*)$", main, flags=re.MULTILINE))
    assert hardening.keys() - written.keys() == set()
    differing = {name for name, value in hardening.items() if "{{" not in value and written[name] != value}
    assert differing == set()
