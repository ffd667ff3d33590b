# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Owner and mode of the files that a configuration names, whatever names them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_config import Instance, Service
from ansible_collections.mailops.smtp.plugins.module_utils._host import files
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._host.fakes import FakeHost

#: A parameter, its value, and the files with their purposes.
NAMED: list[tuple[str, str, list[tuple[str, str]]]] = [
    ("smtpd_tls_key_file", "/k", [("key", "/k")]),
    ("smtpd_tls_eckey_file", "/k", [("key", "/k")]),
    ("smtp_tls_dkey_file", "/k", [("key", "/k")]),
    ("smtpd_tls_chain_files", "/a, /b", [("key", "/a"), ("key", "/b")]),
    ("smtpd_tls_cert_file", "/c", [("certificate", "/c")]),
    ("smtpd_tls_cert_file", "none", []),
    ("smtp_tls_CAfile", "/c", [("certificate", "/c")]),
    ("smtp_sasl_password_maps", "hash:/p", [("passwords", "/p"), ("passwords", "/p.db")]),
    ("smtp_sasl_password_maps", "lmdb:/p", [("passwords", "/p"), ("passwords", "/p.lmdb")]),
    ("smtp_sasl_password_maps", "texthash:/p", [("passwords", "/p")]),
    ("smtp_sasl_password_maps", "static:me:********", []),
    ("tls_server_sni_maps", "lmdb:/s", [("key", "/s"), ("key", "/s.lmdb")]),
    ("virtual_alias_maps", "proxy:mysql:/m.cf", [("passwords", "/m.cf")]),
    ("virtual_alias_maps", "ldap:/l.cf pgsql:/g.cf", [("passwords", "/l.cf"), ("passwords", "/g.cf")]),
    ("transport_maps", "cdb:/t, regexp:/r", [("table", "/t"), ("table", "/t.cdb"), ("table", "/r")]),
    ("local_recipient_maps", "proxy:unix:passwd.byname hash:/a", [("table", "/a"), ("table", "/a.db")]),
    ("header_checks", "pcre:/h", [("table", "/h")]),
    (
        "smtpd_recipient_restrictions",
        "check_client_access cidr:/c, check_sender_access pipemap:{hash:/x,inline:{a=b}}, permit",
        [("table", "/c"), ("table", "/x"), ("table", "/x.db")],
    ),
    ("mynetworks", "127.0.0.0/8 [::1]/128 192.0.2.0/24 /etc/nets", [("table", "/etc/nets")]),
    ("mynetworks", "cidr:/etc/nets, !/etc/not", [("table", "/etc/nets")]),
    ("smtp_tls_session_cache_database", "btree:/d/scache", [("cache", "/d/scache"), ("cache", "/d/scache.db")]),
    ("maillog_file", "/var/log/postfix.log", []),
    ("proxy_read_maps", "hash:/a", []),  # lists tables of other parameters
    ("smtpd_milters", "unix:/run/m.sock", []),
]


@pytest.mark.parametrize(("name", "value", "expected"), NAMED)
def test_files_that_a_parameter_names(name: str, value: str, expected: list[tuple[str, str]]) -> None:
    instance = Instance("", "", True, "/etc/postfix", parameters={name: value})
    found = [(purpose, path) for parameter, purpose, path in files.names_in(instance) if parameter == name]
    assert found == expected


def test_files_that_a_service_names() -> None:
    service = Service("s", "inet", "n", "-", "n", "-", "-", "smtpd", parameters={"smtpd_tls_key_file": "/other"})
    instance = Instance("", "", True, "/etc/postfix", parameters={"smtpd_tls_key_file": "/k"}, services=(service,))
    assert [path for name, _purpose, path in files.names_in(instance) if name.endswith("key_file")] == ["/k", "/other"]


def test_mode_owner_and_links(tmp_path: Path) -> None:
    host = FakeHost(tmp_path, "nested")
    for path, mode in (("/etc/postfix/custom/rsa.pem", 0o640), ("/etc/postfix/custom/sni.lmdb", 0o600)):
        host.put(path, "secret").chmod(mode)
    os.symlink("rsa.pem", f"{host.root}/etc/postfix/custom/ecdsa.pem")
    os.symlink("gone", f"{host.root}/etc/postfix/custom/sni")
    found = {one.path.rpartition("/custom/")[2]: one for one in files.find(host) or ()}
    rsa, ecdsa, sni, table = found["rsa.pem"], found["ecdsa.pem"], found["sni"], found["aliases.pgsql"]
    own = Path(host.root).stat()
    assert (rsa.purpose, rsa.exists, rsa.type, rsa.mode, rsa.target) == ("key", True, "file", "0640", None)
    assert (rsa.owner, own.st_uid) == (Path(host.root).owner(), os.getuid())
    assert rsa.named_by == ("smtpd_tls_chain_files", "tlsproxy_tls_chain_files")[: len(rsa.named_by)]
    assert (ecdsa.mode, ecdsa.target) == ("0640", "rsa.pem")
    assert (sni.exists, sni.target, sni.mode) == (False, "gone", None)
    assert (found["sni.lmdb"].purpose, found["sni.lmdb"].mode) == ("key", "0600")
    assert (table.purpose, table.exists) == ("passwords", False)
    assert host.reasons() == {}
    assert "secret" not in repr(found)


PRIVATE = "-----BEGIN EC PRIVATE KEY-----\nMHcC\n"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n"


@pytest.mark.parametrize(
    ("content", "purpose"),
    [(PRIVATE, "key"), (CERTIFICATE, "certificate"), (CERTIFICATE + PRIVATE, "key"), ("", "key"), ("junk", "key")],
)
def test_file_with_a_key_is_told_from_one_with_certificates(tmp_path: Path, content: str, purpose: str) -> None:
    host = FakeHost(tmp_path, "nested")
    host.put("/etc/postfix/custom/rsa.pem", content)
    found = {one.path: one.purpose for one in files.find(host) or ()}
    assert found["/etc/postfix/custom/rsa.pem"] == purpose


def test_a_file_that_may_not_be_looked_at_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = FakeHost(tmp_path, "debian")
    real = os.stat

    def refuse(path: str, **options: bool) -> os.stat_result:
        if str(path).endswith("/main.cf"):
            raise PermissionError(13, "Permission denied")
        return real(path, **options)

    monkeypatch.setattr(os, "stat", refuse)
    (main,) = [one for one in files.find(host) or () if one.path == "/etc/postfix/main.cf"]
    assert (main.exists, main.mode) == (None, None)
    assert host.reasons()["files./etc/postfix/main.cf"].startswith(
        "/etc/postfix/main.cf cannot be read: Permission denied."
    )


#: What doveconf -n prints, and the files in it.
DOVECOT = [
    (
        "passdb {\n  args = scheme=sha512-crypt /etc/dovecot/users\n  driver = passwd-file\n}",
        "passwords",
        "/etc/dovecot/users",
    ),
    ("passdb passwd-file {\n  passwd_file_path = /etc/dovecot/users\n}", "passwords", "/etc/dovecot/users"),
    ("ssl_key = </etc/dovecot/key.pem", "key", "/etc/dovecot/key.pem"),
    ("ssl_server_key_file = /etc/dovecot/key.pem", "key", "/etc/dovecot/key.pem"),
    ("ssl_cert = </etc/dovecot/cert.pem", "certificate", "/etc/dovecot/cert.pem"),
]


@pytest.mark.parametrize(("said", "purpose", "path"), DOVECOT)
def test_files_of_dovecot(tmp_path: Path, said: str, purpose: str, path: str) -> None:
    host = FakeHost(tmp_path, "debian", doveconf=said)
    host.put(path).chmod(stat.S_IRUSR)
    (found,) = [one for one in files.find(host) or () if one.named_by == ("Dovecot",)]
    assert (found.path, found.purpose, found.mode) == (path, purpose, "0400")
