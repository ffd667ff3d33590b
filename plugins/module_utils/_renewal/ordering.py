# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate is ordered by certbot if it is due."""

from __future__ import annotations

import json
import re
import subprocess
import time
import typing as t
from pathlib import Path

from . import lineage, tls
from .files import read_json, read_pem, run, write
from .installing import install, is_current
from .judging import candidate, certificate_of
from .places import CERTBOT, HOME, LINEAGE, ORDERED, RENEWAL, RUN, Settings, Trouble

#: Seconds to wait for another certbot, such as the one of its timer.
_BUSY = 120.0
#: Versions of certbot that know profiles, and that renew by the life of a certificate: 4.0 does not, though it says so.
_PROFILES, _RENEWS_BY_LIFE = 4, 5
#: What certbot prints beside the reason.
_CHATTER = re.compile(
    r"Saving debug log|Ask for help|See the logfile|Some challenges have failed|Requesting a certificate|"
    r"Certbot failed to authenticate|The Certificate Authority reported|Hint:|Renewing an existing|Account registered|"
    r"- - -|Plugins selected|Unsafe permissions|Waiting \d+ seconds"
)
#: What the name server says of an update (RFC 8945 section 5.2), and what it means.
_MEANINGS: t.Mapping[str, str] = {
    "didn't like the signature": "Expected relay_tls.acme.dns.secret and algorithm as the name server has them.",
    "didn't know the key": "Expected relay_tls.acme.dns.key_name as the name server has it.",
    "didn't like the time": "Expected that this host and the name server have the same time; 'timedatectl' shows it.",
}
FOREIGN = (
    f"relay_tls.acme: certbot has a certificate {LINEAGE} that this role did not order ({RENEWAL}); expected that the"
    f" name is free. Obtain that one under another name, then run 'certbot delete --cert-name {LINEAGE}'."
)


def order_due(settings: Settings) -> str:
    """Return why a certificate must be ordered; empty if it need not."""
    if not settings["acme"]:
        return ""
    if not lineage.is_whole():
        return f"the authority has not issued a certificate for {', '.join(settings['acme']['names'])} yet"
    if read_json(ORDERED) != _wanted(settings):
        return "names, authority or challenge are not those of the certificate"
    text = candidate(settings["source"])
    if tls.refusal(text):
        return "key and certificate of certbot do not belong together"
    if certificate_of(text, settings["source"]["chain"]).ends <= time.time():
        return "the certificate has expired"
    return ""


def due(settings: Settings) -> str:
    """Return why a certificate must be ordered or installed; empty if it need not."""
    file = Path(settings["file"])
    return order_due(settings) or (
        "" if is_current(file, candidate(settings["source"])) else f"{file} does not have the current certificate"
    )


def order(settings: Settings) -> str:
    """Order the certificate if that is due, install it, and return what changed."""
    if order_due(settings):
        _order(settings)
    return install(settings)


def _wanted(settings: Settings) -> dict[str, t.Any]:
    """Return what a certificate and its renewal are made from; another value needs a new order."""
    return {name: value for name, value in settings["acme"].items() if name not in ("email", "ca_file")}


def _order(settings: Settings) -> None:
    acme = settings["acme"]
    if lineage.is_foreign():
        raise Trouble(FOREIGN)
    version = _certbot_version()
    if acme["profile"] and version < _PROFILES:
        raise Trouble(
            f"relay_tls.acme.profile: certbot {version} of this host does not know profiles; expected certbot"
            f" {_PROFILES} or later, or no profile."
        )
    with lineage.recorded():
        if not lineage.is_whole():  # an order that was killed; beside its files, certbot would make another lineage
            lineage.remove()
        done = _run_certbot(_arguments(settings, exists=lineage.is_whole()), _environment(settings))
    if done.returncode != 0 or not lineage.is_whole():
        raise Trouble(
            f"relay_tls.acme: {acme['directory']} issued no certificate for {', '.join(acme['names'])}:"
            f" {_reason(done.stdout + done.stderr)} The relay keeps the certificate it has. Correct the cause and run"
            " the role again; /var/log/letsencrypt/letsencrypt.log has each step."
        )
    if version < _RENEWS_BY_LIFE:
        lineage.renew_by_life()
    write(ORDERED, json.dumps(_wanted(settings)))


def _run_certbot(argv: t.Sequence[str], environment: t.Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run certbot once no other one runs."""
    ending = time.monotonic() + _BUSY
    while True:
        done = run(*argv, environment=environment)
        if done.returncode == 0 or "nother instance" not in done.stderr + done.stdout or time.monotonic() > ending:
            return done
        time.sleep(2)


def _arguments(settings: Settings, exists: bool) -> list[str]:
    acme = settings["acme"]
    argv = [
        *("certbot", "certonly", "--non-interactive", "--agree-tos", "--cert-name", LINEAGE),
        *("--config-dir", str(CERTBOT), "--server", acme["directory"], "--key-type", acme["key_type"]),
        *(["--email", acme["email"]] if acme["email"] else ["--register-unsafely-without-email"]),
        *(["--preferred-profile", acme["profile"]] if acme["profile"] else []),
        *(["--force-renewal", "--renew-with-new-domains"] if exists else []),
        *(word for name in acme["names"] for word in ("--domain", name)),
    ]
    if acme["challenge"] == "http-01":
        return [*argv, "--standalone", "--preferred-challenges", "http"]
    return [
        *(*argv, "--dns-rfc2136", "--dns-rfc2136-credentials", str(HOME / "dns.ini")),
        *("--dns-rfc2136-propagation-seconds", str(acme["dns"]["propagation"])),
    ]


def _environment(settings: Settings) -> dict[str, str]:
    """Return what certbot needs to verify the directory of an own authority."""
    return {"REQUESTS_CA_BUNDLE": str(authorities(settings))} if settings["acme"]["ca_file"] else {}


def authorities(settings: Settings) -> Path:
    """Join the authorities of this host and of ``ca_file``, as they are now."""
    RUN.mkdir(mode=0o755, exist_ok=True)
    found = []
    for path in (settings["authorities"], settings["acme"]["ca_file"]):
        try:
            found.append(read_pem(path))
        except OSError as error:
            raise Trouble(
                f"relay_tls.acme.ca_file: {path}: {error.strerror}; expected a file of this host with the certificate"
                " of the authority."
            ) from error
    write(RUN / "authorities.pem", "\n".join(found), 0o644)
    return RUN / "authorities.pem"


def _certbot_version() -> int:
    found = re.search(r"certbot (\d+)\.", (done := run("certbot", "--version")).stdout + done.stderr)
    return int(found[1]) if found else 0


def _reason(text: str) -> str:
    """Return what the authority said, or else the last words of certbot, as a sentence."""
    text = text.replace("An unexpected error occurred: ", "")
    text = re.sub(r"Encountered exception during recovery: (?:[\w.]+: )?", "", text)
    details = [line.partition("Detail:")[2].strip() for line in text.splitlines() if line.strip().startswith("Detail:")]
    lines = [line.strip() for line in text.splitlines() if line.strip() and not _CHATTER.search(line)]
    reason = " ".join(dict.fromkeys(details or lines[-2:])) or "certbot gave no reason."
    meaning = "".join(f" {words}" for said, words in _MEANINGS.items() if said in reason)
    return (reason if reason.endswith(".") else f"{reason}.") + meaning
