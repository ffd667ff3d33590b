# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let the signer use a key only while the DNS has its record. A timer runs ``check``; the role reads ``records``.

The newest selector of a domain whose records all equal the keys signs, alone. If the DNS does not answer, what signs
continues. A record that disappears or changes stops its selector, since receivers could no longer verify it.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import fcntl
import functools
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
import typing as t

SETTINGS = "/etc/relay-dkim/settings.json"
#: What a record can be, compared with the key.
PUBLISHED, MISSING, UNKNOWN = "published", "missing", "unknown"
FOREIGN, REVOKED, SEVERAL, UNUSABLE = "foreign", "revoked", "several", "unusable"
#: Days that a record stays after the last signature, since mail on its way needs it; and the day of the change.
_OVERLAP = datetime.timedelta(days=8)
#: Seconds that a reload may take until no worker has the old table.
_RELOAD_TIME = 60
#: Seconds that another check may take.
_PATIENCE = 600
PROC = "/proc"
_MEMORY, _DIARY = "state.json", "signed.json"
#: Names of the types in a public key (RFC 8017 appendix C, RFC 8410 section 3).
_OBJECTS: t.Mapping[str, bytes] = {
    "rsa": bytes.fromhex("06092a864886f70d010101"),
    "ed25519": bytes.fromhex("06032b6570"),
}
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
#: A server that neither serves the zone nor recurses; it names others, and says nothing of the records.
_REFERRAL = re.compile(r"^;; flags:(?![^;]*\b(?:aa|ra)\b)", re.MULTILINE)
#: Aliases to follow.
_ALIASES = 8
#: Name servers that did not answer during this check; they are asked last.
_silent: set[str] = set()
_UNTIL_THEN = "nothing is signed with it until then"
_NEXT = {
    "signing": "signs now",
    "published": "is published, and does not sign: a newer selector does. Keep its record until {date}, since mail on"
    " its way was signed with it; then remove the selector from relay_dkim and delete the record",
    "incomplete": "is published, and signs once the record of the other key of its selector is published, too",
    "waiting": "is not published; publish the record, and it signs by itself",
    "foreign": "is taken: the DNS has a record with another key. Publish this one, or choose another selector;"
    f" {_UNTIL_THEN}",
    "revoked": f"is revoked: the DNS has a record with an empty p=. Choose another selector; {_UNTIL_THEN}",
    "several": f"has more than one TXT record, and receivers use any of them. Leave this one alone; {_UNTIL_THEN}",
    "unusable": "has a record that receivers cannot use: it is damaged, or excludes mail, SHA-256 or this type of key."
    f" Publish this one; {_UNTIL_THEN}",
    "unknown": "cannot be looked up now; the next check asks again, and what signs continues until then",
}


class Key(t.NamedTuple):
    """A key on the host: name of its record, selector in the signature, type, path."""

    name: str
    selector: str
    kind: str
    path: str


class BadKey(Exception):
    """A file is not the key that it should be; the text is a sentence that says what to do."""


def check_owner(path: str) -> None:
    """Check that no other user can put another key in the place of this one. Raises :class:`BadKey`."""
    place = path
    while place != os.path.dirname(place):
        with contextlib.suppress(FileNotFoundError):
            facts = os.stat(place)
            is_open = facts.st_mode & 0o022 and not facts.st_mode & stat.S_ISVTX
            if is_open or facts.st_uid not in (0, os.geteuid()):
                raise BadKey(
                    f"{place} can be changed by others than root; expected that only root can. Run 'chown root' and"
                    " 'chmod go-w' on it, make sure that the keys below it are still a secret, and run the role again."
                )
        place = os.path.dirname(place)


@functools.cache
def public_half(path: str, kind: str) -> str:
    """The public key as a record has it; of Ed25519 the bare key (RFC 8463 section 4)."""
    argv = ["openssl", "pkey", "-in", path, "-passin", "pass:", "-pubout", "-outform", "DER"]
    der = subprocess.run(argv, check=False, capture_output=True, stdin=subprocess.DEVNULL).stdout
    if _OBJECTS[kind] not in der[:32]:
        raise BadKey(
            f"{path} is not a private key of type {kind} that openssl can read; expected the one that the role made."
            " Restore it; or remove it, and run the role again, which makes another one that needs a new record."
        )
    return base64.b64encode(der[-32:] if kind == "ed25519" else der).decode("ascii")


def compare(texts: list[str] | None, kind: str, public: str) -> str:
    """Say what the TXT records of a name are, compared with the key."""
    if texts is None:
        return UNKNOWN
    found = [text for text in texts if _is_key(text)]
    if not found:
        return MISSING
    if len(texts) > 1:  # the result is undefined (RFC 6376 section 3.6.2.2)
        return SEVERAL
    tags = read_tags(found[0])
    key = re.sub(r"\s", "", tags.get("p", "-"))
    if key not in (public, "-"):
        return FOREIGN if key else REVOKED
    return PUBLISHED if key == public and _is_usable(found[0], kind) else UNUSABLE


def _is_key(text: str) -> bool:
    """Whether a record is one of DKIM, right or not; a wildcard may answer with others."""
    tags = read_tags(text)
    return tags.get("v", "DKIM1").upper().startswith("DKIM1") and bool({"v", "p"} & set(tags))


def _is_usable(text: str, kind: str) -> bool:
    """Whether receivers accept signatures of the key (RFC 6376 sections 3.2 and 3.6.1, RFC 8301 section 3.1)."""
    parts, tags = [part for part in text.split(";") if part.strip()], read_tags(text)
    listed = {name: [one.strip() for one in tags[name].split(":")] for name in ("h", "s") if name in tags}
    return (
        len(parts) == len(tags)
        and ("v" not in tags or (next(iter(tags)) == "v" and tags["v"] == "DKIM1"))
        and tags.get("k", "rsa").lower() == kind
        and "sha256" in listed.get("h", ["sha256"])
        and bool({"*", "email"} & set(listed.get("s", ["*"])))
    )


def read_tags(text: str) -> dict[str, str]:
    """The tags of a record (RFC 6376 section 3.2)."""
    pairs = (part.partition("=") for part in text.split(";") if "=" in part)
    return {name.strip().lower(): value.strip() for name, _equals, value in pairs}


def ask(name: str, servers: t.Sequence[str], aliases: int = _ALIASES) -> list[str] | None:
    """The TXT records of a name; None if no name server answers.

    A server that does not recurse, such as that of the zone, tells only where an alias leads. That is asked of the
    host's name servers, too.
    """
    for server in sorted(servers or [""], key=_silent.__contains__):
        argv = ["dig", "+noall", "+comments", "+answer", "+time=3", "+tries=2", "-t", "TXT", "-q", f"{name}."]
        try:
            done = subprocess.run(
                argv + ([f"@{server}"] if server else []), capture_output=True, timeout=60, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        output = done.stdout.decode("ascii", "replace")
        status = re.search(r"status: ([A-Z]+)", output)
        if done.returncode or not status:
            _silent.add(server)
        elif status[1] in ("NOERROR", "NXDOMAIN") and not _REFERRAL.search(output):
            lines = (line.split(None, 4) for line in output.splitlines() if line and not line.startswith(";"))
            rows = [row for row in lines if len(row) == 5]
            texts = ["".join(map(_plain, _STRING.findall(row[4]))) for row in rows if row[3] == "TXT"]
            target = "" if texts else next((row[4] for row in reversed(rows) if row[3] == "CNAME"), "").rstrip(".")
            return ask(target, [*filter(None, servers), ""], aliases - 1) if target and aliases else texts
    return None


def _plain(text: str) -> str:
    """A string as the DNS has it: dig writes other octets in decimal (RFC 1035 section 5.1)."""
    return re.sub(r"\\([0-9]{3}|.)", lambda escape: chr(int(escape[1])) if len(escape[1]) == 3 else escape[1], text)


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


def holds(path: str, content: str) -> bool:
    """Whether a file is there and has the content."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read() == content
    except FileNotFoundError:
        return False


def replace(path: str, content: str) -> None:
    """Replace a file by a rename, unless it has the content already."""
    if holds(path, content):
        return
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(f"{path}.new", 0o644)
    os.rename(f"{path}.new", path)


def look(settings: dict[str, t.Any], before: dict[str, str]) -> dict[str, str]:
    """Compare each key with the DNS. Where that does not answer, what was known of the same key stays."""
    states = {}
    for domain in settings["domains"]:
        for key in (Key(**one) for keys in domain["selectors"] for one in keys):
            check_owner(key.path)
            found = compare(ask(key.name, settings["nameservers"]), key.kind, public_half(key.path, key.kind))
            states[key.name] = before.get(key.name, UNKNOWN) if found == UNKNOWN else found
    return states


def told(settings: dict[str, t.Any], states: dict[str, str], signed: dict[str, str]) -> list[dict[str, str]]:
    """Each record, what it is and what it waits for.

    :param signed: the last day on which a key signed, for each name of a record.
    """
    active = judge(settings["domains"], settings["sign_now"], states)
    records = []
    for domain in settings["domains"]:
        is_newer = not active.get(domain["domain"])
        for key in (Key(**one) for keys in domain["selectors"] for one in keys):
            is_signing = key in active.get(domain["domain"], [])
            is_newer = is_newer or is_signing
            state = "signing" if is_signing else states.get(key.name, UNKNOWN)
            state = "incomplete" if state == PUBLISHED and is_newer else "waiting" if state == MISSING else state
            keep = str(datetime.date.fromisoformat(signed[key.name]) + _OVERLAP) if key.name in signed else ""
            keep = keep if state == PUBLISHED else ""
            records.append(
                {
                    "name": key.name,
                    "domain": domain["domain"],
                    "selector": key.selector,
                    "public_key": public_half(key.path, key.kind),
                    "state": state,
                    "keep_until": keep,
                    "told": f"{key.name} {_NEXT[state].format(date=keep or '8 days after the change')}.",
                }
            )
    return records


def remember(signed: dict[str, str], settings: dict[str, t.Any], active: dict[str, list[Key]]) -> dict[str, str]:
    """The last day on which each key signed, with those that sign now."""
    known = {one["name"] for domain in settings["domains"] for keys in domain["selectors"] for one in keys}
    now = dict.fromkeys((key.name for keys in active.values() for key in keys), str(datetime.date.today()))
    return {name: day for name, day in {**signed, **now}.items() if name in known}


def read_json(path: str) -> dict[str, t.Any]:
    """A file of this program, empty if it is not there or was damaged."""
    try:
        with open(path, encoding="utf-8") as file:
            return dict(json.load(file))
    except (FileNotFoundError, ValueError):
        return {}


@contextlib.contextmanager
def alone(directory: str) -> t.Iterator[bool]:
    """Wait for another check, of the timer or of the role, and say whether it ended."""
    # no other user may open the file, and so keep it locked
    with open(os.path.join(directory, "lock"), "w", opener=functools.partial(os.open, mode=0o600)) as file:
        end = time.monotonic() + _PATIENCE
        while not (is_locked := _lock(file)) and time.monotonic() < end:
            time.sleep(0.1)
        yield is_locked


def _lock(file: t.IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def reload(unit: str) -> bool:
    """Make the signer read its tables, and return whether it did: who connects afterwards has the new ones.

    In its first transaction the signer does not run yet, and is started afterwards.
    """
    main = _main(unit)
    before = _workers(main)
    subprocess.run(["systemctl", "try-reload-or-restart", "--", unit], check=True)
    if _main(unit) != main:
        return True
    # it returns once the signal is sent; rspamd then starts new workers, and tells the old ones to accept no more
    end = time.monotonic() + _RELOAD_TIME
    while _has_signals(main) or any(map(_accepts, before)):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _main(unit: str) -> str:
    argv = ["systemctl", "show", "--property=MainPID", "--value", "--", unit]
    return subprocess.run(argv, capture_output=True, check=True).stdout.decode("ascii").strip()


def _workers(main: str) -> list[str]:
    """The processes that the main process of a unit has started."""
    try:
        with open(f"{PROC}/{main}/task/{main}/children", encoding="ascii") as file:
            return file.read().split()
    except OSError:
        return []


def _accepts(worker: str) -> bool:
    """Whether a worker of rspamd takes connections: before it ends them, it blocks the signal that tells it to."""
    return _is_running(worker) and not _signals(worker, "SigBlk") >> (signal.SIGUSR2 - 1) & 1


def _has_signals(process: str) -> bool:
    """Whether a process has yet to take a signal."""
    return _is_running(process) and bool(_signals(process, "ShdPnd"))


def _is_running(process: str) -> bool:
    return os.path.exists(f"{PROC}/{process}/status")


def _signals(process: str, kind: str) -> int:
    """A set of signals of a process (proc_pid_status(5)); empty if it has ended."""
    try:
        with open(f"{PROC}/{process}/status", encoding="utf-8", errors="replace") as file:
            match = re.search(rf"^{kind}:\s*([0-9a-f]+)", file.read(), re.MULTILINE)
    except OSError:
        return 0
    return int(match[1], 16) if match else 0


def main(words: list[str]) -> int:
    """Check, or print the records."""
    if words not in (["check"], ["records"]):
        sys.stderr.write("relay_dkim.py: expected check or records\n")
        return 2
    settings = read_json(SETTINGS)
    try:
        if words == ["records"]:
            sys.stdout.write(json.dumps(told(settings, *recall(settings))) + "\n")
            return 0
        with alone(settings["state_directory"]) as is_alone:
            if is_alone:
                return check(read_json(SETTINGS))  # the role may have changed them during the wait
    except BadKey as error:
        sys.stderr.write(f"relay_dkim.py: {error}\n")
        return 1
    sys.stderr.write(
        f"relay_dkim.py: another check has not ended after {_PATIENCE} s, so this one did nothing. Stop the other one"
        " (systemctl stop relay-dkim.service, or the run of the role), and check again.\n"
    )
    return 1


def recall(settings: dict[str, t.Any]) -> list[dict[str, str]]:
    """What the last check found for each record, and the last day on which each key signed."""
    return [read_json(os.path.join(settings["state_directory"], name)) for name in (_MEMORY, _DIARY)]


def check(settings: dict[str, t.Any]) -> int:
    """Look at the DNS, and let the signer use what is published."""
    place = functools.partial(os.path.join, settings["state_directory"])
    before, signed = recall(settings)
    known = told(settings, before, signed)
    states = look(settings, before)
    active = judge(settings["domains"], settings["sign_now"], states)
    signed = remember(signed, settings, active)
    due = place("reload_due")
    for name, text in tables(settings["signer"], active).items():
        if not holds(place(name), text):
            replace(due, "")  # first, so that a check that ends here leaves one reload too many, never one too few
            replace(place(name), text)
    replace(place(_MEMORY), json.dumps(states, sort_keys=True))
    replace(place(_DIARY), json.dumps(signed, sort_keys=True))
    for record in told(settings, states, signed):
        if record not in known:
            sys.stdout.write(record["told"] + "\n")
    if os.path.exists(due):
        if not reload(f"{settings['signer']}.service"):
            sys.stderr.write(f"relay_dkim.py: {settings['signer']} did not take its new table in {_RELOAD_TIME} s\n")
            return 1
        os.remove(due)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
