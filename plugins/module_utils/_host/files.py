# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Owner, group and mode of the files that the configuration names. No content is told."""

from __future__ import annotations

import grp
import os
import pwd
import re
import stat
import typing as t

from .._evidence.document import moment
from .._evidence.host_config import Instance
from .._evidence.host_files import HostFile
from . import dkim
from .host import Host, read_file
from .instances import find as find_instances

KEY, CERTIFICATE, PASSWORDS, TABLE, CACHE = "key", "certificate", "passwords", "table", "cache"
DKIM_KEY, CONFIGURATION = "DKIM key", "configuration"

#: Purpose of the files by the name of the parameter. The first row that matches counts.
_BY_NAME: tuple[tuple[str, str], ...] = (
    (r"\w+_(ec|d)?key_file\Z|\w+_chain_files\Z", KEY),
    (r"\w+_((ec|d)?cert|trust_anchor)_file\Z|\w+_CAfile\Z", CERTIFICATE),
    (r"\w+_password_maps\Z", PASSWORDS),
    (r"tls_server_sni_maps\Z", KEY),
    (r"\w+_cache_(map|database)\Z|address_verify_map\Z", CACHE),
)
#: A file of its own, whatever the parameter is.
_PLAIN = re.compile(r"(?<![^\s,{}<])(/[^\s,{}]+)")
#: Tables in files: what postmap(1) compiles, and what is read as it is or says where to ask.
_TABLE = re.compile(
    r"(?<![\w:])(?:proxy:)?(btree|cdb|cidr|dbm|hash|lmdb|pcre|regexp|sdbm|texthash|ldap|memcache|mongodb|mysql|pgsql|sqlite)"
    r":(/[^\s,{}\"]+)"
)
_COMPILED = {"hash": ".db", "btree": ".db", "lmdb": ".lmdb", "cdb": ".cdb", "dbm": ".pag", "sdbm": ".pag"}
#: Their files hold the login for a server.
_SERVERS = ("ldap", "mysql", "pgsql", "mongodb")
_PRIVATE = re.compile(rb"^-----BEGIN [A-Z ]*PRIVATE KEY-----", re.MULTILINE)
#: Lists whose items may be files.
_WITH_FILES = ("mydestination", "mynetworks", "relay_domains", "virtual_alias_domains", "virtual_mailbox_domains")
#: Where Cyrus SASL keeps passwords, or the login for a server that does.
_SASL = ("/etc/sasldb2", "/etc/postfix/sasl/smtpd.conf", "/etc/sasl2/smtpd.conf", "/usr/lib/sasl2/smtpd.conf")
#: Files in what doveconf(1) prints: of users, keys and certificates, for Dovecot 2.3 and 2.4.
_DOVECOT = (
    (re.compile(r"^\s*(?:args|passwd_file_path)\s*=.*?\s(/[^\s{}]+)", re.MULTILINE), PASSWORDS),
    (re.compile(r"^\s*ssl_(?:server_)?key(?:_file)?\s*=\s*<?\s*(/\S+)", re.MULTILINE), KEY),
    (re.compile(r"^\s*ssl_(?:server_)?cert(?:_file)?\s*=\s*<?\s*(/\S+)", re.MULTILINE), CERTIFICATE),
)
#: They list tables of other parameters.
_LISTS = ("proxy_read_maps", "proxy_write_maps")


def find(host: Host) -> tuple[HostFile, ...] | None:
    """The files that every instance names, each once, in the order of their paths."""
    instances = find_instances(host)
    if instances is None:
        host.cannot("files", "The configuration of Postfix is not known.")
        return None
    named: dict[str, dict[str, None]] = {}
    purposes: dict[str, str] = {}
    others = [*((key.signer or "", DKIM_KEY, key.path) for key in dkim.configured(host)), *_of_sasl(host)]
    for name, purpose, path in [*(one for instance in instances for one in names_in(instance)), *others]:
        named.setdefault(path, {})[name] = None
        # a file with a key may be named as one with certificates, too
        purposes[path] = min(purpose, purposes.get(path, purpose), key=_severity)
    return tuple(
        look(host, path, _purpose(host, path, purposes[path]), tuple(filter(None, named[path])))
        for path in sorted(named)
    )


def _of_sasl(host: Host) -> t.Iterator[tuple[str, str, str]]:
    yield from (("Cyrus SASL", PASSWORDS, path) for path in _SASL if os.path.exists(host.root + path))
    output = host.run("doveconf", "-n")[1]
    for pattern, purpose in _DOVECOT:
        yield from (("Dovecot", purpose, path) for path in pattern.findall(output))


def _purpose(host: Host, path: str, purpose: str) -> str:
    """Tell a file with a key from one with certificates only: a parameter may name either."""
    if purpose not in (KEY, CERTIFICATE):
        return purpose
    try:
        content = read_file(host.root + path)
    except OSError:
        return purpose
    return KEY if _PRIVATE.search(content) else CERTIFICATE if b"-----BEGIN" in content else purpose


def _severity(purpose: str) -> int:
    order = (DKIM_KEY, KEY, PASSWORDS)
    return order.index(purpose) if purpose in order else len(order)


def names_in(instance: Instance) -> t.Iterator[tuple[str, str, str]]:
    """Yield the parameter, the purpose and the path of every file that an instance names."""
    for name in ("main.cf", "master.cf"):
        yield name, CONFIGURATION, f"{instance.config_directory}/{name}"
    overrides = (service.parameters for service in instance.services or ())
    for parameters in (instance.parameters or {}, *overrides):
        for name, value in parameters.items():
            if name not in _LISTS:
                yield from _files_of(name, value)


def _files_of(name: str, value: str) -> t.Iterator[tuple[str, str, str]]:
    purpose = next((purpose for pattern, purpose in _BY_NAME if re.match(pattern, name)), TABLE)
    for kind, path in _TABLE.findall(value):
        own = PASSWORDS if kind in _SERVERS else purpose
        yield name, own, path
        if kind in _COMPILED:
            yield name, own, path + _COMPILED[kind]
    if name.endswith(("_file", "_files", "_CAfile", *_WITH_FILES)) and name != "maillog_file":
        for path in _PLAIN.findall(_TABLE.sub("", value)):
            yield name, purpose, path


def look(host: Host, path: str, purpose: str, named_by: tuple[str, ...]) -> HostFile:
    """What the kernel says of a file."""
    real = host.root + path
    try:
        target = os.readlink(real) if os.path.islink(real) else None
        status = os.stat(real)
    except (FileNotFoundError, NotADirectoryError):
        return HostFile(
            path, purpose, named_by, exists=False, target=os.readlink(real) if os.path.islink(real) else None
        )
    except OSError as error:
        host.blame(f"files.{path}", path, error)
        return HostFile(path, purpose, named_by)
    return HostFile(
        path,
        purpose,
        named_by,
        exists=True,
        type=_type(status.st_mode),
        target=target,
        owner=_user(status.st_uid),
        group=_group(status.st_gid),
        mode=f"{stat.S_IMODE(status.st_mode):04o}",
        changed_at=moment(status.st_mtime),
    )


def _type(mode: int) -> str:
    return "file" if stat.S_ISREG(mode) else "directory" if stat.S_ISDIR(mode) else "other"


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
