# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DKIM keys of the host, from the configuration of the programs that sign. A private key never leaves its file."""

from __future__ import annotations

import dataclasses
import glob
import re
import typing as t

from .._evidence.host_files import DkimKey
from .._x509.der import DerError, parse, pem_blocks
from .._x509.keys import PublicKey, public_half, read_public
from . import ucl
from .host import Host

_OPENDKIM = ("/etc/opendkim.conf", "/etc/opendkim/opendkim.conf")
_DKIMPY = ("/etc/dkimpy-milter/dkimpy-milter.conf", "/etc/dkimpy-milter.conf")
#: Settings of OpenDKIM and dkimpy-milter that go together: table, file, selector.
_MILTER_SETTINGS = (("keytable", "keyfile", "selector"), ("keytableed25519", "keyfileed25519", "selectored25519"))
_RSPAMD = "/etc/rspamd"
_RSPAMD_FILES = (f"{_RSPAMD}/local.d/dkim_signing.conf", f"{_RSPAMD}/override.d/dkim_signing.conf")
#: The defaults of rspamd.
_RSPAMD_PATH, _RSPAMD_SELECTOR = "/var/lib/rspamd/dkim/$domain.$selector.key", "dkim"
_AMAVIS = ("/etc/amavis/conf.d/*", "/etc/amavisd/amavisd.conf", "/etc/amavisd.conf")
_AMAVIS_KEY = re.compile(
    r"^\s*dkim_key\(\s*['\"]([^'\"]+)['\"]\s*,\s*['\"]([^'\"]+)['\"]\s*,\s*['\"]([^'\"]+)['\"]", re.MULTILINE
)
#: The name of a key, and its domain, selector and path.
_ROW = re.compile(r"[^\s=]+\s*[\s=]\s*(\S.*)")
#: Where keys are kept, one by one or in a folder for each domain.
_FOLDERS = ("/etc/opendkim/keys/*.private", "/etc/opendkim/keys/*/*.private", "/etc/dkimkeys/*.private")
#: Keys that the role relay made, and the configuration of the signer that it gives them to.
_ROLE_KEYS = "/etc/relay-dkim/keys/*/*.key"
_ROLE_SIGNERS = {"/etc/relay-dkim/opendkim.conf": "OpenDKIM", "/etc/relay-dkim/rspamd.conf": "rspamd"}
_DATA_SET = re.compile(r"(?:file|refile):")


def find(host: Host) -> tuple[DkimKey, ...]:
    """The keys, each with its public half."""
    return tuple(_with_public_key(host, key) for key in configured(host))


def configured(host: Host) -> list[DkimKey]:
    """The keys that programs are told to use, and those in the usual folders. Their files are not read."""
    keys = [*_of_milter(host, "OpenDKIM", _OPENDKIM), *_of_milter(host, "dkimpy-milter", _DKIMPY)]
    keys += [*_of_rspamd(host), *_of_amavis(host), *_of_role(host)]
    return list(dict.fromkeys([*keys, *_unused(host, {key.path for key in keys})]))


def _of_milter(host: Host, signer: str, paths: t.Sequence[str]) -> t.Iterator[DkimKey]:
    text = next(filter(None, (host.text("dkim", path) for path in paths)), "")
    pairs = (line.split(None, 1) for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    settings = {pair[0].lower(): pair[1].partition(" #")[0].strip() for pair in pairs if len(pair) == 2}
    for table, file, selector in _MILTER_SETTINGS:
        if table in settings:
            yield from _of_table(host, signer, settings[table])
        elif file in settings:
            for domain in _items(host, settings.get("domain", "")) or [""]:
                yield DkimKey(signer, settings[file], domain or None, settings.get(selector))


def _of_table(host: Host, signer: str, table: str) -> t.Iterator[DkimKey]:
    """The rows of a KeyTable: ``name domain:selector:path``, where % stands for the domain of the sender."""
    for row in _items(host, table):
        match = _ROW.match(row)
        fields = match[1].split(":", 2) if match else []
        if len(fields) == 3 and fields[2].startswith("/"):
            domain, selector, path = fields
            yield DkimKey(signer, path, None if "%" in domain else domain, selector)
        elif len(fields) == 3:
            host.cannot("dkim", f"{signer}: a row for {fields[0]} has the key itself instead of its path.")


def _items(host: Host, value: str) -> list[str]:
    """The items of a data set of OpenDKIM: a file with one a line, or a list."""
    path = _DATA_SET.sub("", value)
    if path.startswith("/"):
        text = host.text("dkim", path, required=True) or ""
        lines = (line.partition("#")[0].strip() for line in text.splitlines())
        return [" ".join(line.split()) for line in lines if line]
    if ":" in path.partition("=")[0] and not path.startswith("csl:"):
        host.cannot("dkim", f"{path.partition(':')[0]} is a kind of table that is not read.")
        return []
    return [one.strip() for one in path.replace("csl:", "", 1).split(",") if one.strip()]


def _of_rspamd(host: Host) -> t.Iterator[DkimKey]:
    if not host.names("dkim", _RSPAMD):
        return
    settings: dict[str, t.Any] = {}
    for file in _RSPAMD_FILES:
        settings.update(ucl.parse(host.text("dkim", file) or ""))
    if settings.get("enabled") == "false":
        return
    path, selector = settings.get("path", _RSPAMD_PATH), settings.get("selector", _RSPAMD_SELECTOR)
    selectors, paths = (_map(host, settings.get(name)) for name in ("selector_map", "path_map"))
    domains = settings.get("domain")
    own = domains if isinstance(domains, dict) else {}
    for domain in dict.fromkeys([*own, *selectors, *paths]):
        section = own.get(domain, {})
        for one in section.get("selectors", [section]):
            yield _rspamd_key(
                domain,
                one.get("selector") or section.get("selector") or selectors.get(domain, selector),
                one.get("path") or section.get("path") or paths.get(domain, path),
            )
    yield from _in_folder(host, path, selector, {*own, *selectors, *paths})


def _rspamd_key(domain: str, selector: str, path: str) -> DkimKey:
    return DkimKey("rspamd", path.replace("$domain", domain).replace("$selector", selector), domain, selector)


def _in_folder(host: Host, path: str, selector: str, known: t.Collection[str]) -> t.Iterator[DkimKey]:
    """The keys of other domains, which rspamd finds by their names."""
    if "$domain" not in path:
        if not known:
            yield DkimKey("rspamd", path.replace("$selector", selector), None, selector)
        return
    filled = path.replace("$selector", selector)
    before, after = filled.split("$domain", 1)
    pattern = f"{glob.escape(host.root + before)}*{glob.escape(after)}"
    for found in sorted(glob.glob(pattern)):
        domain = found[len(host.root) + len(before) : -len(after) or None]
        if domain not in known:
            yield DkimKey("rspamd", found[len(host.root) :], domain, selector)


def _map(host: Host, source: t.Any) -> dict[str, str]:
    """A map of rspamd in a file: key and value in each line."""
    text = host.text("dkim", source.replace("file://", "")) if isinstance(source, str) else ""
    rows = (line.partition("#")[0].split() for line in (text or "").splitlines())
    return {row[0]: row[1] for row in rows if len(row) == 2}


def _of_amavis(host: Host) -> t.Iterator[DkimKey]:
    for pattern in _AMAVIS:
        for path in sorted(glob.glob(host.root + pattern)):
            text = host.text("dkim", path[len(host.root) :]) or ""
            yield from (DkimKey("amavis", key, domain, selector) for domain, selector, key in _AMAVIS_KEY.findall(text))


def _of_role(host: Host) -> t.Iterator[DkimKey]:
    """Keys of the role relay: a folder for each domain, a file for each selector."""
    signer = next((name for path, name in _ROLE_SIGNERS.items() if glob.glob(glob.escape(host.root + path))), None)
    for found in sorted(glob.glob(host.root + _ROLE_KEYS)):
        path = found[len(host.root) :]
        domain, name = path.split("/")[-2:]
        yield DkimKey(signer, path, domain, name[: -len(".key")])


def _unused(host: Host, used: t.Collection[str]) -> t.Iterator[DkimKey]:
    """Keys as opendkim-genkey(8) writes them, of which no program is told."""
    for pattern in _FOLDERS:
        for found in sorted(glob.glob(host.root + pattern)):
            path = found[len(host.root) :]
            folder, name = path.split("/")[-2:]
            if path not in used:
                yield DkimKey(None, path, folder if "." in folder else None, name[: -len(".private")])


def _with_public_key(host: Host, key: DkimKey) -> DkimKey:
    place = f"dkim.{key.path}"
    text = host.text(place, key.path, required=True)
    public = None if text is None else _public_key(host, place, key.path, text)
    if public is None:
        return key
    return dataclasses.replace(
        key,
        key_type=public.type,
        key_bits=public.bits,
        public_key=public.published,
        spki_sha256=public.spki_sha256,
    )


def _public_key(host: Host, place: str, path: str, text: str) -> PublicKey | None:
    if not text.strip():
        host.cannot(place, f"{path} is empty.")
        return None
    try:
        public = public_half(text)
        if public:
            return public
        # the public half of other keys has to be computed; an empty password keeps openssl from asking
        output = host.ask(place, "openssl", "pkey", "-in", host.root + path, "-pubout", "-passin", "pass:")
        return read_public(parse(pem_blocks(output)[0][1])) if output else None
    except (DerError, IndexError):
        host.cannot(place, f"{path} does not have a private key in PEM.")
        return None
