# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let the signer use a key only while the DNS has its record. A timer runs ``check``; the role reads ``records``.

The newest selector of a domain whose records all equal the keys signs, alone. If the DNS does not answer, what signs
continues. A record that disappears or changes stops its selector, since receivers could no longer verify it.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import time
import typing as t

SETTINGS = "/etc/relay-dkim/settings.json"
#: What a record can be, compared with the key.
PUBLISHED, MISSING, FOREIGN, UNKNOWN = "published", "missing", "foreign", "unknown"
#: Seconds that a reload may take until workers have the new table.
_RELOAD_TIME = 30
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_NEXT = {
    "signing": "signs now",
    "published": "is published, and does not sign: a newer selector does. Keep its record for 7 days after the change,"
    " since mail on its way was signed with it; then remove the selector from relay_dkim and delete the record",
    "waiting": "is not published; publish the record, and it signs by itself",
    "foreign": "is taken: the DNS has a record with another key. Publish this one, or choose another selector;"
    " nothing is signed with it until then",
    "unknown": "cannot be looked up now; the next check asks again, and what signs continues until then",
}


class Key(t.NamedTuple):
    """A key on the host: name of its record, selector in the signature, type, path."""

    name: str
    selector: str
    kind: str
    path: str


def public_half(path: str, kind: str) -> str:
    """The public key as a record has it; of Ed25519 the bare key (RFC 8463 section 4)."""
    argv = ["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"]
    der = subprocess.run(argv, check=True, capture_output=True).stdout
    return base64.b64encode(der[-32:] if kind == "ed25519" else der).decode("ascii")


def compare(texts: list[str] | None, kind: str, public: str) -> str:
    """Say what the TXT records of a name are, compared with the key."""
    if texts is None:
        return UNKNOWN
    found = [tags for tags in map(read_tags, texts) if "p" in tags and tags.get("v", "DKIM1") == "DKIM1"]
    if not found:
        return MISSING
    same = [tags.get("k", "rsa").lower() == kind and re.sub(r"\s", "", tags["p"]) == public for tags in found]
    return PUBLISHED if same == [True] else FOREIGN


def read_tags(text: str) -> dict[str, str]:
    """The tags of a record (RFC 6376 section 3.2)."""
    pairs = (part.partition("=") for part in text.split(";") if "=" in part)
    return {name.strip().lower(): value.strip() for name, _equals, value in pairs}


def ask(name: str, servers: t.Sequence[str]) -> list[str] | None:
    """The TXT records of a name; None if no name server answers."""
    for server in servers or [""]:
        argv = ["dig", "+noall", "+comments", "+answer", "+time=3", "+tries=2", "-t", "TXT", "-q", f"{name}."]
        try:
            done = subprocess.run(
                argv + ([f"@{server}"] if server else []), capture_output=True, timeout=60, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        output = done.stdout.decode("ascii", "replace")
        status = re.search(r"status: ([A-Z]+)", output)
        if done.returncode == 0 and status and status[1] in ("NOERROR", "NXDOMAIN"):
            rows = (line.split(None, 4) for line in output.splitlines() if line and not line.startswith(";"))
            return ["".join(map(_plain, _STRING.findall(row[4]))) for row in rows if len(row) == 5 and row[3] == "TXT"]
    return None


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def judge(domains: t.Sequence[dict[str, t.Any]], now: bool, states: dict[str, str]) -> dict[str, list[Key]]:
    """The keys that sign, by domain.

    :param states: the comparison for each name of a record; where the DNS does not answer, the last one known.
    """
    active = {}
    for domain in domains:
        sets = [[Key(**key) for key in keys] for keys in domain["selectors"]]
        ready = [keys for keys in sets if all(states.get(key.name) == PUBLISHED for key in keys)]
        ready = sets[-1:] if now else ready[-1:]
        if ready:
            active[domain["domain"]] = ready[0]
    return active


def tables(signer: str, active: dict[str, list[Key]]) -> dict[str, str]:
    """The files from which the signer learns the keys."""
    if signer == "rspamd":
        rows = []
        for domain, keys in active.items():
            pairs = ", ".join(f'{{ path = "{_as_rspamd(key)}"; selector = "{key.selector}"; }}' for key in keys)
            rows.append(f'"{domain}" {{ selectors = [ {pairs} ]; }}\n')
        return {"signing.conf": "".join(rows)}
    named = [(domain, key) for domain, keys in active.items() for key in keys if key.kind == "rsa"]
    return {
        "key.table": "".join(f"{key.name} {domain}:{key.selector}:{key.path}\n" for domain, key in named),
        "signing.table": "".join(f"*@{domain} {key.name}\n" for domain, key in named),
    }


def _as_rspamd(key: Key) -> str:
    """The path that rspamd reads; it takes Ed25519 as a bare seed."""
    return re.sub(r"[.]key$", ".seed", key.path) if key.kind == "ed25519" else key.path


def replace(path: str, content: str) -> bool:
    """Replace a file by a rename; return whether it changed."""
    try:
        with open(path, encoding="utf-8") as file:
            if file.read() == content:
                return False
    except FileNotFoundError:
        pass
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(f"{path}.new", 0o644)
    os.rename(f"{path}.new", path)
    return True


def look(settings: dict[str, t.Any], before: dict[str, str]) -> dict[str, str]:
    """Compare each key with the DNS. Where that does not answer, what was known of the same key stays."""
    states = {}
    for domain in settings["domains"]:
        for key in (Key(**one) for keys in domain["selectors"] for one in keys):
            found = compare(ask(key.name, settings["nameservers"]), key.kind, public_half(key.path, key.kind))
            states[key.name] = before.get(key.name, UNKNOWN) if found == UNKNOWN else found
    return states


def told(settings: dict[str, t.Any], states: dict[str, str]) -> list[dict[str, str]]:
    """Each record, ready to publish, and what it is waiting for."""
    active = judge(settings["domains"], settings["sign_now"], states)
    signing = {key.name for keys in active.values() for key in keys}
    records = []
    for domain in settings["domains"]:
        for key in (Key(**one) for keys in domain["selectors"] for one in keys):
            state = states.get(key.name, UNKNOWN)
            state = "signing" if key.name in signing else "waiting" if state == MISSING else state
            text = f"v=DKIM1; k={key.kind}; p={public_half(key.path, key.kind)}"
            records.append({"name": key.name, "txt": text, "state": state, "told": f"{key.name} {_NEXT[state]}."})
    return records


def read_json(path: str) -> dict[str, t.Any]:
    """A file of this program, empty if it is not there or was damaged."""
    try:
        with open(path, encoding="utf-8") as file:
            return dict(json.load(file))
    except (FileNotFoundError, ValueError):
        return {}


def reload(unit: str) -> None:
    """Make the signer read its tables. In its first transaction it does not run yet, and is started afterwards."""
    before = _workers(unit)
    subprocess.run(["systemctl", "try-reload-or-restart", "--", unit], check=True)
    # rspamd's reload returns before its new workers have the new table
    end = time.monotonic() + _RELOAD_TIME
    while before and not _workers(unit) - before and time.monotonic() < end:
        time.sleep(0.1)
    if before:
        time.sleep(0.5)


def _workers(unit: str) -> set[str]:
    """The processes that the main process of a unit has started."""
    argv = ["systemctl", "show", "--property=MainPID", "--value", "--", unit]
    main = subprocess.run(argv, capture_output=True, check=True).stdout.decode("ascii").strip()
    try:
        with open(f"/proc/{main}/task/{main}/children", encoding="ascii") as file:
            return set(file.read().split())
    except OSError:
        return set()


def main(words: list[str]) -> int:
    """Check, or print the records."""
    if words not in (["check"], ["records"]):
        sys.stderr.write("relay_dkim.py: expected check or records\n")
        return 2
    settings = read_json(SETTINGS)
    memory = os.path.join(settings["state_directory"], "state.json")
    before = read_json(memory)
    if words == ["records"]:
        sys.stdout.write(json.dumps(told(settings, before)) + "\n")
        return 0
    states = look(settings, before)
    files = tables(settings["signer"], judge(settings["domains"], settings["sign_now"], states))
    changed = [replace(os.path.join(settings["state_directory"], name), text) for name, text in files.items()]
    replace(memory, json.dumps(states, sort_keys=True))
    for record in told(settings, states):
        if states.get(record["name"]) != before.get(record["name"]):
            sys.stdout.write(record["told"] + "\n")
    if any(changed):
        reload(f"{settings['signer']}.service")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
