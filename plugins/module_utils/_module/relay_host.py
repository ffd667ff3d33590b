# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of ``relay_host_info``: everything that the role asks of a host, in one answer of the same run."""

from __future__ import annotations

import os
import re
import shlex
import typing as t

from ansible.module_utils.basic import AnsibleModule

from .._postfix.config import parse_main
from .._renewal.examining import examine
from .._transaction.memory import MANIFEST
from . import firewall, host_confinement, host_platform
from .commands import Commands
from .config_options import STATE_DIRECTORY
from .environment import become_needed, settle
from .host_packages import Packages
from .postfix_facts import NOT_INSTALLED, look
from .sasl_client import client_mechanisms
from .secrets import warn
from .takeover import look as look_for_mail

NO_FIREWALL = "none"
NO_CERTIFICATE: dict[str, t.Any] = {"problems": [], "due": "", "installed": False, "folders": []}
ARGUMENTS: dict[str, t.Any] = {
    "packages": {"type": "list", "elements": "str", "default": []},
    "parameters": {"type": "list", "elements": "str", "default": []},
    "directories": {"type": "list", "elements": "path", "default": []},
    "platforms": {"type": "dict", "default": {}},
    "platform": {"type": "str", "default": host_platform.AUTO},
    "firewall": {**firewall.ARGUMENTS["backend"], "choices": [*firewall.ARGUMENTS["backend"]["choices"], NO_FIREWALL]},
    "ports": firewall.PORTS,
    "certificate": {"type": "dict", "default": {}},
}

OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")
#: Exists while systemd is the init system (sd_booted(3)).
SYSTEMD = "/run/systemd/system"
#: Reserved addresses that no host has (RFC 5737, RFC 3849): the kernel chooses the way to them, and nothing is sent.
_ELSEWHERE = ("192.0.2.1", "2001:db8::1")

_WITHOUT_SYSTEMD = (
    "The host does not run systemd, which the role needs to start, reload and stop Postfix. Use a host that does; a"
    " container needs an image with systemd as its first process."
)


def run_info(module: AnsibleModule) -> None:
    """Look at the host, change nothing, and exit the module."""
    settle()
    commands = Commands(module, ())
    wanted = module.params["firewall"]
    ports = firewall.read_ports(module, module.params["ports"])
    none = {"backend": NO_FIREWALL, "active": [], "problem": ""}
    choice = none if wanted == NO_FIREWALL else firewall.look(wanted, ports)
    postfix = look(commands)[0] if module.get_bin_path("postconf") else NOT_INSTALLED
    packages = Packages(commands, bool(module.get_bin_path("dpkg-query")))
    systemd = os.path.isdir(SYSTEMD)
    platform = read_platform()
    entry = host_platform.choose(platform, module.params["platforms"], module.params["platform"])
    for warning in filter(None, (entry.warning, host_confinement.warn_of_apparmor())):
        warn(module, warning, "no_log hides what is unusual about this host.")
    module.exit_json(
        changed=False,
        check_mode=module.check_mode,
        problems=_problems(systemd, entry.problem, str(choice["problem"])),
        platform={**platform, "entry": entry.entry},
        systemd=systemd,
        package_manager=packages.manager,
        packages=packages.installed(module.params["packages"]),
        package_lock=packages.lock_holder(),
        postfix={
            **{name: postfix[name] for name in ("version", "map_types")},
            "parameters": _known_parameters(commands, module.params["parameters"]) if postfix["version"] else [],
        },
        transactions=_transactions(),
        directories=_entries(module.params["directories"]),
        mechanisms=client_mechanisms(),
        takeover=look_for_mail(commands, bool(module.get_bin_path("postconf"))),
        firewall=choice,
        certificate=examine(module.params["certificate"]) if module.params["certificate"] else NO_CERTIFICATE,
        addresses=list(own_addresses(commands)),
    )


def _transactions() -> list[str]:
    """Return the transactions that this host has, such as those of an earlier run."""
    try:
        names = os.listdir(STATE_DIRECTORY)
    except OSError:  # there are none, or only root may see them
        return []
    return sorted(name for name in names if os.path.exists(os.path.join(STATE_DIRECTORY, name, MANIFEST)))


def _entries(directories: t.Iterable[str]) -> dict[str, list[str]]:
    """Return the names in each of these directories that exists and may be read."""
    readable = (one for one in directories if os.path.isdir(one) and os.access(one, os.R_OK))
    return {directory: sorted(os.listdir(directory)) for directory in readable}


def _known_parameters(commands: Commands, names: t.Sequence[str]) -> list[str]:
    """Return those parameters that the installed Postfix knows, whatever its version says: it may have been patched."""
    defaults = parse_main(commands.run(["postconf", "-d", *names])[1]) if names else {}
    return [name for name in names if name in defaults]


def _problems(systemd: bool, *others: str) -> list[str]:
    """Return what keeps the role from working on this host. Without root, nothing else can be judged."""
    needed = become_needed("install packages and change the configuration of Postfix")
    if needed:
        return [needed]
    return [*([] if systemd else [_WITHOUT_SYSTEMD]), *filter(None, others)]


def read_platform() -> dict[str, t.Any]:
    """Read os-release(5): what the host is now, whatever was known about it before."""
    fields: dict[str, str] = {}
    for path in filter(os.path.isfile, OS_RELEASE):
        with open(path, encoding="utf-8", errors="replace") as stream:
            fields = dict(filter(None, map(_assignment, stream)))
        break
    version = fields.get("VERSION_ID", "")
    return {
        "id": fields.get("ID", "linux"),
        "like": fields.get("ID_LIKE", "").split(),
        "version": version,
        "major": version.partition(".")[0],
        "name": fields.get("PRETTY_NAME") or fields.get("ID", "Linux"),
    }


def _assignment(line: str) -> tuple[str, str] | None:
    """Parse ``NAME=value``, quoted as for a shell."""
    name, equals, value = line.strip().partition("=")
    if not equals or name.startswith("#"):
        return None
    try:
        return name, " ".join(shlex.split(value))
    except ValueError:
        return name, value


def own_addresses(commands: Commands) -> t.Iterator[str]:
    """Yield the addresses, one of each family, from which other hosts receive this host's connections."""
    for elsewhere in _ELSEWHERE:
        code, output = commands.run(["ip", "-oneline", "route", "get", elsewhere])[:2]
        source = re.search(r" src ([0-9a-f.:]+)", output)
        if code == 0 and source:  # otherwise there is no route
            yield source[1]
