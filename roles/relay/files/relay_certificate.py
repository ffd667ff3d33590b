# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the certificate of this relay current. The role mailops.smtp.relay writes this program and its settings.

relay_certificate.py install      join key and chain in the one file that Postfix reads, reload, ask each listener
                     order        order a certificate with certbot if it is due, and install it
                     check        install, and tell root if the certificate should have been renewed already
                     authorities  write the authorities that certbot verifies the directory with
                     forget       remove the certificate, the lineage of certbot and an account made for it
                     examine TEXT tell, as JSON, what keeps these settings from working here; change nothing

Killed at any moment, it leaves the old file or the new one, and the next run does what is missing.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import hashlib
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
import typing as t
from pathlib import Path

HOME = Path(os.environ.get("RELAY_CERTIFICATE_HOME", "/etc/relay-certificate"))
CERTBOT = Path(os.environ.get("RELAY_CERTIFICATE_CERTBOT", "/etc/letsencrypt"))
RUN = Path(os.environ.get("RELAY_CERTIFICATE_RUN", "/run/relay-certificate"))
#: When systemd ran the daily check last; it stays when a timer is removed.
STAMP = Path("/var/lib/systemd/timers/stamp-relay-certificate-check.timer")
SETTINGS, TOLD, ORDERED, MADE = (HOME / name for name in ("settings.json", "told", "ordered.json", "made.json"))
LINEAGE = "mailops-relay"
RENEWAL, LIVE, ARCHIVE = (
    CERTBOT / "renewal" / f"{LINEAGE}.conf",
    CERTBOT / "live" / LINEAGE,
    CERTBOT / "archive" / LINEAGE,
)

#: Seconds: for the second of two files that a renewal replaces; for a listener to show the new certificate; to connect.
SETTLE, SHOW, CONNECT = 10.0, 30.0, 15.0
#: Seconds to wait for another certbot, such as the one of its timer.
CERTBOT_BUSY = 120.0
#: certbot renews when a third of the life is left, or half of a short one. Less than this share is too late.
LATE = 0.25
DAY = 86400.0
#: Versions of certbot that know profiles, and that renew by the life of a certificate: 4.0 does not, though it says so.
PROFILES, RENEWS_BY_LIFE = 4, 5
_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)
_KEY = re.compile(r"-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----.*?-----END \1-----\n?", re.DOTALL)
#: Directories that certbot makes when it first runs; they are removed if they are empty.
_CERTBOT_FOLDERS = (
    *("accounts", "archive", "csr", "keys", "live", "renewal"),
    *("renewal-hooks", "renewal-hooks/deploy", "renewal-hooks/post", "renewal-hooks/pre"),
)
#: What certbot prints beside the reason.
_CHATTER = re.compile(
    r"Saving debug log|Ask for help|See the logfile|Some challenges have failed|Requesting a certificate|"
    r"Certbot failed to authenticate|The Certificate Authority reported|Hint:|Renewing an existing|Account registered|"
    r"- - -|Plugins selected|Unsafe permissions|Waiting \d+ seconds"
)


class Trouble(Exception):
    """What is wrong and what to do, as sentences."""


class Certificate(t.NamedTuple):
    """The first certificate of a file.

    :ivar begins, ends: its dates, in seconds since 1970.
    """

    serial: str
    sha256: str
    begins: float
    ends: float

    @property
    def life(self) -> float:
        return self.ends - self.begins


def read_settings(text: str | None = None) -> dict[str, t.Any]:
    """Return the settings that the role wrote."""
    try:
        found = json.loads(SETTINGS.read_text(encoding="utf-8") if text is None else text)
    except (OSError, ValueError) as error:
        raise Trouble(f"{SETTINGS} cannot be read: {error}. Run the role again.") from error
    return dict(found)


def run(*argv: str, environment: t.Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, in English."""
    return subprocess.run(
        argv,
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C", **(environment or {})},
    )


# Reading and judging


def candidate(source: t.Mapping[str, str]) -> str:
    """Join key and chain of the source, the key first: Postfix wants each key before its certificates (postconf(5))."""
    texts = {}
    for part, path in source.items():
        try:
            texts[part] = Path(path).read_text(encoding="ascii", errors="replace")
        except OSError as error:
            raise Trouble(
                f"{path}: {error.strerror}; expected a file of this host with the {'key' if part == 'key' else 'chain'}"
                " in PEM format. Create it, or correct relay_tls."
            ) from error
    chain, key = _BLOCK.findall(texts["chain"]), _KEY.search(texts["key"])
    if not chain:
        raise Trouble(f"{source['chain']}: has no certificate in PEM format; expected the certificate and its chain.")
    if not key:
        raise Trouble(
            f"{source['key']}: has no private key in PEM format; expected the key of the certificate. If it is in"
            " another file, set relay_tls.key_path."
        )
    return "".join(block.rstrip("\n") + "\n" for block in (key[0], *chain))


def judge(path: Path, place: str, names: t.Iterable[str]) -> Certificate:
    """Return the certificate of a joined file if Postfix may use it.

    :param place: what to call the file in an error.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, password=lambda: b"")
    except (ssl.SSLError, ValueError) as error:
        if "MISMATCH" in str(error):
            raise Trouble(
                f"{place}: the key is not that of the certificate; expected the key that the certificate was requested"
                " with. The relay keeps the certificate it has."
            ) from error
        if _is_encrypted(path):
            raise Trouble(
                f"{place}: the key is encrypted, and Postfix cannot ask for its password; expected a key without one."
            ) from error
        raise Trouble(
            f"{place}: the certificate or its key is damaged: {error}; expected both in PEM format."
        ) from error
    found = read_certificate(path)
    now = time.time()
    clock = "If the clock of this host is wrong, correct it ('timedatectl' shows whether it is synchronized)."
    if found.begins > now:
        raise Trouble(
            f"{place}: the certificate is valid from {moment(found.begins)}, and this host's clock says"
            f" {moment(now)}, {span(found.begins - now)} earlier; expected a certificate that is valid now. {clock}"
        )
    if found.ends <= now:
        raise Trouble(
            f"{place}: the certificate expired on {moment(found.ends)}, {span(now - found.ends)} ago; expected a"
            f" certificate that is valid now. Renew it. {clock}"
        )
    for name in names:
        if not _has_name(path, name):
            raise Trouble(
                f"{place}: the certificate is not for {name}, which clients connect to; expected one with that name."
            )
    return found


def read_certificate(path: Path) -> Certificate:
    """Return what the first certificate of a file says of itself."""
    done = run("openssl", "x509", "-in", str(path), "-noout", "-serial", "-startdate", "-enddate")
    fields = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    if done.returncode != 0 or not {"serial", "notBefore", "notAfter"} <= set(fields):
        raise Trouble(f"{path}: has no certificate that openssl can read: {done.stderr.strip()}")
    begins, ends = (ssl.cert_time_to_seconds(fields[name]) for name in ("notBefore", "notAfter"))
    return Certificate(fields["serial"], digest_of(path), begins, ends)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of the first certificate."""
    block = _BLOCK.search(path.read_text(encoding="ascii", errors="replace"))
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(block[0].strip())).hexdigest() if block else ""


def _is_encrypted(path: Path) -> bool:
    return "ENCRYPTED" in path.read_text(encoding="ascii", errors="replace")


def _has_name(path: Path, name: str) -> bool:
    return "does match" in run("openssl", "x509", "-in", str(path), "-noout", "-checkhost", name).stdout


def moment(seconds: float) -> str:
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc):%Y-%m-%d %H:%M} UTC"


def span(seconds: float) -> str:
    """Return a time in the unit that fits it."""
    for size, unit in ((DAY, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


# Installing


def install(settings: t.Mapping[str, t.Any], patience: float = 0.0) -> str:
    """Put the current certificate in place, and return what changed as a sentence; empty if nothing did.

    :param patience: seconds to wait for a key and a certificate that belong together: a renewal replaces two files.
    """
    file, source = Path(settings["file"]), settings["source"]
    with alone():
        if settings["acme"] and not os.path.exists(source["chain"]):
            return "" if file.exists() else _bootstrap(file, settings)
        found, changed = _replace(file, source, settings["names"], time.monotonic() + patience)
        _serve(settings, found, reload=changed)
        if not settings["acme"] and MADE.exists():
            _forget_lineage()
    return f"{file} has the certificate {found.serial}, valid until {moment(found.ends)}." if changed else ""


def _replace(
    file: Path, source: t.Mapping[str, str], names: t.Sequence[str], ending: float
) -> tuple[Certificate, bool]:
    """Put the certificate of the source in place if it is another one, and return it and whether it was."""
    while True:
        try:
            text = candidate(source)
            with staged(file, text) as stage:
                found = judge(stage, source["chain"], names)
                changed = not file.exists() or file.read_text(encoding="ascii", errors="replace") != text
                if changed:
                    put_in_place(stage, file)
            return found, changed
        except Trouble:
            if time.monotonic() >= ending:
                raise
            time.sleep(1)


@contextlib.contextmanager
def staged(file: Path, text: str) -> t.Iterator[Path]:
    """Write a file beside another one, which only root can read, and remove it unless it was moved."""
    stage = file.with_name(f".{file.name}.new")
    stage.unlink(missing_ok=True)
    descriptor = os.open(stage, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with open(descriptor, "w", encoding="ascii", errors="replace") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        yield stage
    finally:
        stage.unlink(missing_ok=True)


def put_in_place(stage: Path, file: Path) -> None:
    """Rename, so that a reader sees the old file or the new one."""
    os.rename(stage, file)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _bootstrap(file: Path, settings: t.Mapping[str, t.Any]) -> str:
    """Make a self-signed certificate, so that the relay runs until the authority has issued the first one."""
    name = settings["names"][0]
    with staged(file, "") as stage:
        done = run(
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "90",
            ),
            *(
                "-subj",
                f"/CN={name}",
                "-addext",
                f"subjectAltName=DNS:{name}",
                "-keyout",
                str(stage),
                "-out",
                str(stage),
            ),
        )
        if done.returncode != 0:
            raise Trouble(f"openssl made no self-signed certificate: {done.stderr.strip()}")
        put_in_place(stage, file)
    return f"{file} has a self-signed certificate until the authority has issued one."


def _serve(settings: t.Mapping[str, t.Any], found: Certificate, reload: bool) -> None:
    """Reload what reads the file if that is due, and require that every listener shows the certificate."""
    units = _readers(settings)
    if not units:
        return
    if not reload and not _unlike(settings, found, 0.0):
        return
    for unit in units:
        done = run("systemctl", "reload", unit)
        if done.returncode != 0:
            raise Trouble(
                f"{unit} could not be reloaded: {done.stderr.strip()}. The new certificate {found.serial} is in"
                f" {settings['file']}; reload {unit} once that is repaired."
            )
    wrong = _unlike(settings, found, SHOW)
    if wrong:
        raise Trouble(
            f"{' '.join(wrong)} Expected the certificate {found.serial} of {settings['file']}. Restart"
            f" {units[0]}, and see 'journalctl --unit={units[0]}'."
        )


def _readers(settings: t.Mapping[str, t.Any]) -> list[str]:
    """Return the running units that read the file: Postfix, and Dovecot if its configuration names it."""
    questions = [
        (settings["unit"], ("postconf", "-h", "smtpd_tls_chain_files")),
        ("dovecot.service", ("doveconf", "-n")),
    ]
    return [
        unit
        for unit, argv in questions
        if shutil.which(argv[0])
        and settings["file"] in run(*argv).stdout
        and run("systemctl", "is-active", "--quiet", unit).returncode == 0
    ]


def _unlike(settings: t.Mapping[str, t.Any], found: Certificate, patience: float) -> list[str]:
    """Return a sentence for each listener that does not show the certificate, asked until it does."""
    ending = time.monotonic() + patience
    wrong = {}
    for listener in settings["listeners"]:
        while True:
            seen = shown(listener["port"], listener["tls"] == "implicit")
            if seen == found.sha256 or time.monotonic() >= ending:
                break
            time.sleep(0.2)
        if seen != found.sha256:
            what = "no certificate" if not seen else "another certificate"
            wrong[listener["port"]] = f"Port {listener['port']} shows {what}."
    return list(wrong.values())


def shown(port: int, implicit: bool) -> str:
    """Return the SHA-256 of the certificate that a listener of this host shows; empty if it shows none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the octets are compared
    for address in ("127.0.0.1", "::1"):
        with contextlib.suppress(OSError), socket.create_connection((address, port), CONNECT) as plain:
            if not implicit:
                _start_tls(plain)
            with context.wrap_socket(plain) as connection:
                return hashlib.sha256(connection.getpeercert(binary_form=True) or b"").hexdigest()
    return ""


def _start_tls(connection: socket.socket) -> None:
    """Speak SMTP up to TLS (RFC 3207)."""
    with connection.makefile("rb") as replies:
        for command in (b"", b"EHLO localhost\r\n", b"STARTTLS\r\n"):
            connection.sendall(command)
            line = replies.readline(2048)
            while line[3:4] == b"-":
                line = replies.readline(2048)
            if not line.startswith(b"2"):
                raise OSError(f"refused: {line!r}")


# Ordering


def wanted(settings: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return what a certificate and its renewal are made from; another value needs a new order."""
    return {name: value for name, value in settings["acme"].items() if name not in ("email", "ca_file")}


def due(settings: t.Mapping[str, t.Any]) -> str:
    """Return why a certificate must be ordered or installed; empty if it need not."""
    file = Path(settings["file"])
    if settings["acme"]:
        if not (RENEWAL.is_file() and (LIVE / "fullchain.pem").is_file() and (LIVE / "privkey.pem").is_file()):
            return f"the authority has not issued a certificate for {', '.join(settings['acme']['names'])} yet"
        if _read_json(ORDERED) != wanted(settings):
            return "names, authority or challenge are not those of the certificate"
        if read_certificate(LIVE / "fullchain.pem").ends <= time.time():
            return "the certificate has expired"
    if not file.exists() or file.read_text(encoding="ascii", errors="replace") != candidate(settings["source"]):
        return f"{file} does not have the current certificate"
    return ""


def order(settings: t.Mapping[str, t.Any]) -> str:
    """Order the certificate if that is due, install it, and return what changed."""
    if settings["acme"] and due(settings) and _needs_order(settings):
        _order(settings)
    return install(settings)


def _needs_order(settings: t.Mapping[str, t.Any]) -> bool:
    return "does not have the current certificate" not in due(settings)


def _order(settings: t.Mapping[str, t.Any]) -> None:
    acme = settings["acme"]
    version = _certbot_version()
    if acme["profile"] and version < PROFILES:
        raise Trouble(
            f"relay_tls.acme.profile: certbot {version} of this host does not know profiles; expected certbot"
            f" {PROFILES} or later, or no profile."
        )
    if not RENEWAL.is_file():  # an order that was killed, of which certbot knows nothing
        _remove_lineage()
    before = _made()
    argv = _certbot_arguments(settings, exists=RENEWAL.is_file())
    ending = time.monotonic() + CERTBOT_BUSY
    while True:
        done = run(*argv, environment=_environment(settings))
        if done.returncode == 0 or "nother instance" not in done.stderr + done.stdout or time.monotonic() > ending:
            break
        time.sleep(2)
    made = sorted({*_read_list(MADE), *(_made() - before)})
    _write(MADE, json.dumps(made))
    if done.returncode != 0:
        raise Trouble(
            f"relay_tls.acme: {acme['directory']} issued no certificate for {', '.join(acme['names'])}:"
            f" {_reason(done.stdout + done.stderr)} The relay keeps the certificate it has. Correct the cause and run"
            " the role again; /var/log/letsencrypt/letsencrypt.log has each step."
        )
    if version < RENEWS_BY_LIFE:
        _renew_by_life()
    _write(ORDERED, json.dumps(wanted(settings)))


def _certbot_arguments(settings: t.Mapping[str, t.Any], exists: bool) -> list[str]:
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


def _environment(settings: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return what certbot needs to verify the directory of an own authority."""
    return {"REQUESTS_CA_BUNDLE": str(authorities(settings))} if settings["acme"]["ca_file"] else {}


def authorities(settings: t.Mapping[str, t.Any]) -> Path:
    """Join the authorities of this host and of ``ca_file``, as they are now."""
    RUN.mkdir(mode=0o755, exist_ok=True)
    found = []
    for path in (settings["authorities"], settings["acme"]["ca_file"]):
        try:
            found.append(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise Trouble(
                f"relay_tls.acme.ca_file: {path}: {error.strerror}; expected a file of this host with the certificate"
                " of the authority."
            ) from error
    _write(RUN / "authorities.pem", "\n".join(found), 0o644)
    return RUN / "authorities.pem"


def _certbot_version() -> int:
    found = re.search(r"certbot (\d+)\.", (done := run("certbot", "--version")).stdout + done.stderr)
    return int(found[1]) if found else 0


def _reason(text: str) -> str:
    """Return what the authority said, or else the last words of certbot, as a sentence."""
    details = [line.partition("Detail:")[2].strip() for line in text.splitlines() if line.strip().startswith("Detail:")]
    lines = [line.strip() for line in text.splitlines() if line.strip() and not _CHATTER.search(line)]
    reason = " ".join(dict.fromkeys(details)) or " ".join(lines[-2:]) or "certbot gave no reason."
    reason = reason.replace("An unexpected error occurred: ", "")
    return reason if reason.endswith(".") else f"{reason}."


def _renew_by_life() -> None:
    """Make an old certbot renew a short-lived certificate by its life: it would renew it at each run of its timer."""
    found = read_certificate(LIVE / "cert.pem")
    if found.life >= 89 * DAY:
        return
    text = re.sub(r"^#? *renew_before_expiry = .*\n", "", RENEWAL.read_text(encoding="utf-8"), flags=re.MULTILINE)
    share = 2 if found.life < 10 * DAY else 3
    _write(RENEWAL, f"renew_before_expiry = {found.life / share / 3600:.0f} hours\n{text}", 0o644)


def _made() -> set[str]:
    """Return accounts, and keys and requests that an old certbot keeps apart."""
    patterns = ("accounts/*/*/*", "accounts/*/*/*/*", "keys/*", "csr/*")
    return {str(path) for pattern in patterns for path in CERTBOT.glob(pattern)}


def _remove_lineage() -> None:
    RENEWAL.unlink(missing_ok=True)
    for folder in (LIVE, ARCHIVE):
        shutil.rmtree(folder, ignore_errors=True)


def _forget_lineage() -> None:
    """Remove what certbot has of the role's certificate, and its account unless another certificate uses it."""
    confs = [path for path in (CERTBOT / "renewal").glob("*.conf") if path != RENEWAL]
    others = "".join(path.read_text(encoding="utf-8", errors="replace") for path in confs)
    for path in [*map(Path, _read_list(MADE)), *_kept_apart()]:
        if path.parent.name in ("keys", "csr"):
            path.unlink(missing_ok=True)
        elif path.is_dir() and not path.is_symlink() and path.name not in others:
            shutil.rmtree(path)
    _remove_lineage()
    if not confs:
        (LIVE.parent / "README").unlink(missing_ok=True)
    folders = [*CERTBOT.glob("accounts/**/"), *(CERTBOT / name for name in _CERTBOT_FOLDERS)]
    for folder in sorted(folders, reverse=True):
        with contextlib.suppress(OSError):  # it is in use
            folder.rmdir()
    for path in (ORDERED, MADE):
        path.unlink(missing_ok=True)


def _kept_apart() -> t.Iterator[Path]:
    """Yield keys and requests of the lineage that an old certbot has kept apart at each renewal, by their number."""
    keys = {path.read_bytes() for path in ARCHIVE.glob("privkey*.pem")}
    for path in (CERTBOT / "keys").glob("*_key-certbot.pem"):
        if path.read_bytes() in keys:
            yield path
            yield CERTBOT / "csr" / path.name.replace("_key-", "_csr-")


def forget() -> str:
    """Remove everything that this program made."""
    _forget_lineage()
    for path in (HOME / "relay.pem", TOLD, HOME / ".relay.pem.new", HOME / ".lock", STAMP):
        path.unlink(missing_ok=True)
    shutil.rmtree(RUN, ignore_errors=True)
    return "The certificate of the relay was removed."


# Telling


def check(settings: t.Mapping[str, t.Any]) -> str:
    """Install what is current, and fail if it should have been renewed by now."""
    changed = install(settings, SETTLE)
    file = Path(settings["file"])
    if settings["acme"] and not LIVE.exists():
        raise Trouble(
            f"{settings['acme']['directory']} has not issued a certificate yet, so clients that verify certificates"
            " refuse this relay. Run the role again; it says why."
        )
    found = read_certificate(file)
    left = found.ends - time.time()
    if left < LATE * found.life:
        who = "certbot" if settings["acme"] else "the program that renews it"
        how = "'certbot renew --dry-run' says why" if settings["acme"] else "See its log"
        raise Trouble(
            f"The certificate {found.serial} in {file} expires on {moment(found.ends)}, in {span(left)}, and"
            f" {who} has not renewed it; expected that when a third of its life of {span(found.life)} was left. {how}."
        )
    return changed


def tell(settings: t.Mapping[str, t.Any], message: str, again: bool) -> None:
    """Send root a mail, once for the same message unless it is to be told again."""
    digest = hashlib.sha256(re.sub(r"\d+ (?:days|hours|minutes|seconds)|\d\d:\d\d", "", message).encode()).hexdigest()
    if not again and TOLD.exists() and TOLD.read_text(encoding="ascii") == digest:
        return
    text = (
        f"To: root\nSubject: The certificate of {settings['names'][0]}\nAuto-Submitted: auto-generated\n\n"
        f"{message}\n\nThe relay continues with the certificate it has.\n"
    )
    done = subprocess.run(
        ["sendmail", "-i", "-f", "root", "--", "root"], input=text, text=True, check=False, capture_output=True
    )
    if done.returncode == 0:
        _write(TOLD, digest)
    else:
        say(f"root could not be told by mail: {done.stderr.strip()}")


def say(message: str) -> None:
    sys.stderr.write(f"{message}\n")


# Examining: before the host is changed


def examine(settings: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return what keeps these settings from working on this host, and why a certificate is due."""
    problems = []
    reason = ""
    try:
        if settings["acme"]:
            reason = due(settings)
            if reason and _needs_order(settings) and settings["acme"]["challenge"] == "http-01":
                problems += [*_taken(), *_elsewhere(settings)]
        else:
            RUN.mkdir(mode=0o755, exist_ok=True)
            with staged(RUN / "examined.pem", candidate(settings["source"])) as stage:
                if shutil.which("openssl"):
                    judge(stage, settings["source"]["chain"], settings["names"])
            reason = due(settings)
        ca_file = settings["acme"].get("ca_file") if settings["acme"] else ""
        if ca_file and not os.path.isfile(ca_file):
            problems.append(
                f"relay_tls.acme.ca_file: {ca_file} is not a file of this host; expected the authority's certificate."
            )
    except Trouble as trouble:
        problems.append(f"relay_tls: {trouble}")
    return {"problems": problems, "due": reason, "installed": Path(settings["file"]).exists()}


def _taken() -> t.Iterator[str]:
    """Yield a sentence if a program listens on port 80, on which the authority must reach certbot."""
    listening = run("ss", "-Hltnp", "sport = :80").stdout
    program = re.search(r'users:\(\("([^"]+)"', listening)
    if listening.strip() and (not program or program[1] != "certbot"):
        yield (
            f"relay_tls.acme.challenge: {program[1] if program else 'a program'} listens on port 80, which http-01"
            " needs; expected that it is free. Stop that program, or set challenge to dns-01, or let it obtain the"
            " certificate and set relay_tls.path."
        )


def _elsewhere(settings: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Yield a sentence for each name that does not lead to this host. /etc/hosts may name it by a loopback address."""
    shown_at = {*re.findall(r"inet6? ([0-9a-f.:]+)/", run("ip", "-oneline", "address").stdout), *settings["addresses"]}
    for name in settings["acme"]["names"]:
        try:
            found = {str(one[4][0]).partition("%")[0] for one in socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)}
        except OSError:
            yield (
                f"relay_tls.acme.names: {name} has no address in the DNS, so the authority cannot find this host;"
                " expected a record that leads here. Publish it, or set challenge to dns-01."
            )
            continue
        public = {one for one in found if not one.startswith("127.") and one != "::1"}
        if public and not public & shown_at:
            yield (
                f"relay_tls.acme.names: {name} leads to {', '.join(sorted(public))}, which is not an address of this"
                " host; expected one. Correct the DNS; for a host behind NAT, name its outer address in"
                " relay_dns.addresses; or set challenge to dns-01."
            )


# Files


def _write(path: Path, text: str, mode: int = 0o600) -> None:
    with staged(path, text) as stage:
        os.chmod(stage, mode)
        put_in_place(stage, path)


def _read_json(path: Path) -> t.Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _read_list(path: Path) -> list[str]:
    found = _read_json(path)
    return found if isinstance(found, list) else []


@contextlib.contextmanager
def alone() -> t.Iterator[None]:
    """Wait for another run of this program."""
    with open(HOME / ".lock", "w", encoding="ascii") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


#: Each command with whether it runs by itself, and returns a sentence if something changed.
_COMMANDS: t.Mapping[str, t.Callable[[t.Mapping[str, t.Any], bool], str]] = {
    "install": lambda settings, by_itself: install(settings, SETTLE if by_itself else 0.0),
    "order": lambda settings, by_itself: order(settings),
    "check": lambda settings, by_itself: check(settings),
    "authorities": lambda settings, by_itself: str(authorities(settings)),
}


def main(arguments: list[str]) -> int:
    """Run a command. With ``--tell`` it runs by itself, so root gets a mail about what fails."""
    command, by_itself = (arguments or [""])[0], "--tell" in arguments
    settings: dict[str, t.Any] = {}
    try:
        if command == "examine":
            sys.stdout.write(json.dumps(examine(read_settings(arguments[1]))))
            return 0
        if command == "forget":
            done = forget()
        else:
            settings = read_settings()
            done = _COMMANDS[command](settings, by_itself)
            if by_itself:
                TOLD.unlink(missing_ok=True)
    except (Trouble, OSError) as trouble:
        say(str(trouble))
        if by_itself and settings:
            tell(settings, str(trouble), again=command == "check")
        return 1
    if done:
        sys.stdout.write(f"{done}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
