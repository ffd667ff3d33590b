# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the role with other roles for Postfix on the same host: the first run on a bare host, and an unchanged one.

The other roles are not part of this project. BENCH_ROLES names a folder with a checkout of each, by the names in
``PEERS``; those that are missing are left out, and said so. Each configures a relay to the lab's provider with a login.
Ours does so too, and beyond that has listeners, users, a certificate, the firewall, DNS checks and a proof.
"""

from __future__ import annotations

import json
import os
import subprocess
import typing as t
from functools import partial
from pathlib import Path

import yaml

from ansible_collections.mailops.smtp.tests.bench.measure import BENCH, ROOT, compare, ratio
from ansible_collections.mailops.smtp.tests.bench.plays import ROLE, Play, run_play
from ansible_collections.mailops.smtp.tests.lab.suite.plays import LAB

HOST = "relay"
OURS = "mailops.smtp.relay"


def _peers(password: str) -> dict[str, dict[str, t.Any]]:
    """Return the variables of each peer for a relay with a login, by the name of its folder."""
    server, login = "[smtp.provider.test]:587", "relay@provider.test"
    main = {
        "relayhost": server,
        "smtp_sasl_auth_enable": "yes",
        "smtp_sasl_password_maps": "hash:/etc/postfix/sasl_passwd",
        "smtp_sasl_tls_security_options": "noanonymous",
        "smtp_tls_security_level": "encrypt",
    }
    return {
        "oefenweb": {
            "postfix_install": ["postfix", "libsasl2-2", "libsasl2-modules"],  # the lab has no mailutils
            "postfix_relayhost": "smtp.provider.test",
            "postfix_sasl_user": login,
            "postfix_sasl_password": password,
            "postfix_inet_interfaces": "loopback-only",
        },
        "linux-system-roles": {
            "postfix_conf": main,
            "postfix_files": [{"name": "sasl_passwd", "content": f"{server} {login}:{password}", "postmap": True}],
        },
        "geerlingguy": {},  # it configures interfaces only
    }


def measure_roles(rounds: int) -> None:
    """Measure the first run of each role on a bare host, then unchanged runs."""
    passwords = yaml.safe_load((LAB / "secrets.yml").read_text())["lab_passwords"]
    folder = Path(os.environ.get("BENCH_ROLES", ""))
    plays = {OURS: ROLE}
    for name, variables in _peers(passwords["relay@provider.test"]).items():
        if not os.environ.get("BENCH_ROLES") or not (folder / name / "tasks/main.yml").exists():
            print(f"  left out: {name}, since BENCH_ROLES names no folder with it")
            continue
        plays[name] = _write_play(name, folder / name, variables)
    print("\nRoles for Postfix: wall-clock seconds of a play with one host, over ssh with pipelining", flush=True)
    os.environ["ANSIBLE_INJECT_FACT_VARS"] = "True"  # which the other roles need
    firsts = {}
    for name, play in plays.items():
        firsts[name] = _on_a_bare_host(play).seconds
        settled = run_play(play, HOST, "-vvv")
        print(
            f"  {name}: first run {firsts[name]:.1f} s; in the next one {settled.reached(HOST)} tasks connect to the"
            f" host, and {settled.changed()} change it",
            flush=True,
        )
    print(f"An unchanged run (median of {rounds}), after one that undoes what the others did")
    unchanged = compare(rounds, {name: partial(_unchanged, play) for name, play in plays.items()}, unit="s")
    for peer in plays:
        if peer != OURS:
            ratio(unchanged, OURS, peer, "at most 0.75x" if peer == "oefenweb" else "none")
            ratio(firsts, OURS, peer, "at most 1.5x for the first run" if peer == "oefenweb" else "none")


def _write_play(name: str, role: Path, variables: dict[str, t.Any]) -> Path:
    path = BENCH / f"peer-{name}.json"
    path.touch(mode=0o600)  # it holds a password of the lab
    play = {
        "hosts": "{{ mailops_relays }}",
        "become": True,
        "vars": variables,
        "roles": [str(role)],
    }
    path.write_text(json.dumps([play]))
    return path


def _unchanged(play: Path) -> float:
    run_play(play, HOST)
    return run_play(play, HOST).seconds


def _on_a_bare_host(play: Path) -> Play:
    subprocess.run([str(ROOT / "tests/lab/lab"), "up", HOST], check=True, stdout=subprocess.DEVNULL)
    return run_play(play, HOST)
