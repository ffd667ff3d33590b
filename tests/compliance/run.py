# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of the playbook for all tests, and what it found."""

from __future__ import annotations

import base64
import functools
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import testinfra
from testinfra.utils import ansible_runner

from ansible_collections.mailops.smtp.plugins.module_utils._compliance import report as reports

RUN = pytest.StashKey["Run"]()
#: Tests that passed or failed.
DECIDED: set[str] = set()
#: What the witness needs. Ansible makes the values: testinfra would return their templates.
_VARIABLES = (
    "compliance_accounts",
    "compliance_address",
    "compliance_ca_file",
    "compliance_listeners",
    "compliance_recipient",
    "relay_hostname",
    "relay_listeners",
)
#: How testinfra reaches a host.
_CONNECTION = (
    "ansible_become",
    "ansible_become_user",
    "ansible_connection",
    "ansible_host",
    "ansible_port",
    "ansible_private_key_file",
    "ansible_ssh_args",
    "ansible_ssh_common_args",
    "ansible_ssh_extra_args",
    "ansible_ssh_private_key_file",
    "ansible_user",
)


class Case(t.NamedTuple):
    """One control on one host."""

    report: reports.Report
    host: reports.HostReport
    results: tuple[reports.Result, ...]

    @property
    def control(self) -> reports.ControlInfo:
        """What the catalogue says of the control."""
        return self.report.control(self.results[0].finding)

    def __str__(self) -> str:
        return f"{self.host.host}-{self.control.id}"


class Run:
    """Collects once, and knows the hosts.

    :param shared: the directory of a report that another process has written.
    """

    def __init__(self, config: pytest.Config, shared: str | None) -> None:
        self._options = config.option
        given = shared or config.option.compliance_report
        self.directory = Path(given or config.option.compliance_directory).absolute()
        self._is_there = bool(given)

    def collect(self) -> None:
        """Run the playbook, unless there is a report already."""
        if not self._is_there:
            self._play()
        self.report  # noqa: B018  # exits if it cannot be used

    def _play(self) -> None:
        path = self.directory / "report.json"
        before = path.stat().st_mtime_ns if path.exists() else 0
        variables = {"mailops_relays": self._pattern, "compliance_directory": str(self.directory)}
        command = ["ansible-playbook", "mailops.smtp.compliance", *self._arguments, "-e", json.dumps(variables)]
        done = self._run(command)
        if not path.exists() or path.stat().st_mtime_ns == before:
            pytest.exit(f"The playbook wrote no report:\n{(done.stdout + done.stderr)[-4000:]}", returncode=3)

    @functools.cached_property
    def report(self) -> reports.Report:
        """The report."""
        try:
            return reports.read((self.directory / "report.json").read_bytes())
        except (OSError, reports.InvalidReport) as error:
            pytest.exit(f"{self.directory} has no report that can be used: {error}", returncode=3)

    def hosts(self) -> list[str]:
        """The names of the hosts."""
        return [one.host for one in self.report.hosts]

    def cases(self) -> list[Case]:
        """Each control on each host, in the order of the catalogue."""
        found: dict[tuple[str, str], list[reports.Result]] = {}
        hosts = {one.host: one for one in self.report.hosts}
        for host, result in self.report.all_results():
            found.setdefault((host.host, result.finding.control), []).append(result)
        return [Case(self.report, hosts[name], tuple(results)) for (name, _control), results in found.items()]

    def testinfra_hosts(self) -> dict[str, t.Any]:
        """The hosts as testinfra knows them, by their names. Empty without ``--hosts``."""
        if not self._options.hosts:
            return {}
        _mend_variables(self._options.ansible_inventory, self.variables)
        found = testinfra.get_hosts(
            self._options.hosts.split(","),
            connection=self._options.connection,
            ssh_config=self._options.ssh_config,
            ssh_identity_file=self._options.ssh_identity_file,
            sudo=self._options.sudo,
            sudo_user=self._options.sudo_user,
            ansible_inventory=self._options.ansible_inventory,
            force_ansible=self._options.force_ansible,
        )
        return {one.backend.get_hostname(): one for one in found}

    @functools.cached_property
    def variables(self) -> dict[str, dict[str, t.Any]]:
        """Variables of each host, templated and decrypted by Ansible: one call for all. They hold passwords."""
        if not self._options.hosts:
            return {}
        fields = ", ".join(f"'{name}': {name} | default(none)" for name in (*_VARIABLES, *_CONNECTION))
        text = f"msg={{{{ {{{fields}}} | to_json | b64encode }}}}"
        command = ["ansible", self._pattern, *self._arguments, "-o", "-m", "ansible.builtin.debug", "-a", text]
        found = {}
        for line in self._run(command).stdout.splitlines():
            host, arrow, result = line.partition(" | SUCCESS => ")
            if arrow:
                found[host] = json.loads(base64.b64decode(json.loads(result)["msg"]))
        return found

    @property
    def _pattern(self) -> str:
        """The hosts as a pattern of Ansible."""
        patterns = [one.rpartition("://")[2].partition("?")[0] for one in (self._options.hosts or "").split(",")]
        return ":".join(filter(None, patterns)) or "relays"

    @property
    def _arguments(self) -> list[str]:
        inventory = self._options.ansible_inventory
        files = [f"@{Path(one).absolute()}" for one in self._options.compliance_vars]
        return [*(["-i", inventory] if inventory else []), *(part for one in files for part in ("-e", one))]

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        # a log of Ansible would keep the accounts
        environment = {**os.environ, "ANSIBLE_LOG_PATH": "", "ANSIBLE_NOCOLOR": "1"}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def use_own_ansible() -> None:
    """Find the programs of Ansible beside this Python, as testinfra must too, if its environment is not active."""
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"


def _mend_variables(inventory: str | None, made: t.Mapping[str, t.Mapping[str, t.Any]]) -> None:
    """Let testinfra read the inventory as Ansible does.

    It takes the text of a template for its value, does not know ansible_ssh_args, starts Ansible for each command, a
    second each, if a connection has its full name, and takes the text false of an INI file for true.
    """
    runner = ansible_runner.AnsibleRunner.get_runner(inventory)
    for host, variables in runner.inventory.get("_meta", {}).get("hostvars", {}).items():
        own = made.get(host, {})
        variables.update({name: own[name] for name in _CONNECTION if name in variables and own.get(name) is not None})
        if variables.get("ansible_ssh_args"):
            options = [variables["ansible_ssh_args"], variables.get("ansible_ssh_common_args", "")]
            variables["ansible_ssh_common_args"] = " ".join(filter(None, options))
        name = str(variables.get("ansible_connection", ""))
        if name.startswith("ansible.builtin."):
            variables["ansible_connection"] = name.rpartition(".")[2]
        if str(variables.get("ansible_become", "")).lower() in ("false", "no", "0"):
            variables["ansible_become"] = False
