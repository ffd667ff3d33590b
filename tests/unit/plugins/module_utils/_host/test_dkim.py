# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DKIM keys of every program that signs: which it is told to use, and the public half of each."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import plain
from ansible_collections.mailops.smtp.plugins.module_utils._host import dkim
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._host.fakes import FakeHost

#: Files of a host, and the signer, domain, selector and path of every key.
CONFIGURED: list[tuple[dict[str, str], list[tuple[str | None, str | None, str | None, str]]]] = [
    ({}, []),
    (
        {"/etc/opendkim.conf": "# Domain x\nDomain example.com, example.net\nSelector mail # new\nKeyFile /k\n"},
        [("OpenDKIM", "example.com", "mail", "/k"), ("OpenDKIM", "example.net", "mail", "/k")],
    ),
    (
        {"/etc/opendkim.conf": "Domain /etc/domains\nSelector s\nKeyFile /k\n", "/etc/domains": "a.test\n# b\n"},
        [("OpenDKIM", "a.test", "s", "/k")],
    ),
    (
        {
            "/etc/opendkim.conf": "Domain a.test\nSelector s\nKeyFile /etc/dkimkeys/s.private\n",
            "/etc/dkimkeys/s.private": "",
            "/etc/dkimkeys/old.private": "",
            "/etc/opendkim/keys/b.test/s3.private": "",
        },
        [
            ("OpenDKIM", "a.test", "s", "/etc/dkimkeys/s.private"),
            (None, "b.test", "s3", "/etc/opendkim/keys/b.test/s3.private"),
            (None, None, "old", "/etc/dkimkeys/old.private"),
        ],
    ),
    (
        {
            "/etc/opendkim.conf": "KeyTable refile:/etc/opendkim/KeyTable\nSigningTable refile:/x\n",
            "/etc/opendkim/KeyTable": "s1._domainkey.a.test a.test:s1:/etc/k/a.private\n\nany %:s2:/etc/k/any\n",
        },
        [("OpenDKIM", "a.test", "s1", "/etc/k/a.private"), ("OpenDKIM", None, "s2", "/etc/k/any")],
    ),
    (
        {
            "/etc/relay-dkim/rspamd.conf": "",
            "/etc/relay-dkim/keys/a.test/r202611.key": "",
            "/etc/relay-dkim/keys/a.test/r202611-ed.key": "",
            "/etc/relay-dkim/keys/b.test/r202611.key": "",
        },
        [
            ("rspamd", "a.test", "r202611-ed", "/etc/relay-dkim/keys/a.test/r202611-ed.key"),
            ("rspamd", "a.test", "r202611", "/etc/relay-dkim/keys/a.test/r202611.key"),
            ("rspamd", "b.test", "r202611", "/etc/relay-dkim/keys/b.test/r202611.key"),
        ],
    ),
    (
        {"/etc/relay-dkim/opendkim.conf": "", "/etc/relay-dkim/keys/a.test/s.key": ""},
        [("OpenDKIM", "a.test", "s", "/etc/relay-dkim/keys/a.test/s.key")],
    ),
    (
        {"/etc/opendkim.conf": "KeyTable csl:one=a.test:s1:/a,two=b.test:s2:/b\n"},
        [("OpenDKIM", "a.test", "s1", "/a"), ("OpenDKIM", "b.test", "s2", "/b")],
    ),
    (
        {
            "/etc/dkimpy-milter/dkimpy-milter.conf": "Domain a.test\nSelector r\nKeyFile /r\n"
            "SelectorEd25519 e\nKeyFileEd25519 /e\n"
        },
        [("dkimpy-milter", "a.test", "r", "/r"), ("dkimpy-milter", "a.test", "e", "/e")],
    ),
    (
        {"/etc/rspamd/local.d/x": "", "/var/lib/rspamd/dkim/a.test.dkim.key": "", "/var/lib/rspamd/dkim/b.key": ""},
        [("rspamd", "a.test", "dkim", "/var/lib/rspamd/dkim/a.test.dkim.key")],
    ),
    (
        {
            "/etc/rspamd/local.d/dkim_signing.conf": """
                # comment; with { signs
                path = "/keys/$domain.$selector.key";
                selector = "main";
                domain {
                  a.test { selector = "own"; path = "/keys/own"; }
                  b.test { selectors [ { path: "/keys/1", selector: "s1" }, { path: "/keys/2", selector: "s2" } ] }
                  c.test { }
                }
            """,
            "/keys/c.test.main.key": "",
            "/keys/d.test.main.key": "",
        },
        [
            ("rspamd", "a.test", "own", "/keys/own"),
            ("rspamd", "b.test", "s1", "/keys/1"),
            ("rspamd", "b.test", "s2", "/keys/2"),
            ("rspamd", "c.test", "main", "/keys/c.test.main.key"),
            ("rspamd", "d.test", "main", "/keys/d.test.main.key"),
        ],
    ),
    (
        {
            "/etc/rspamd/override.d/dkim_signing.conf": 'selector_map = "/etc/sel"; path_map = "/etc/path";',
            "/etc/sel": "a.test s9\n",
            "/etc/path": "a.test /keys/$domain/$selector\n",
        },
        [("rspamd", "a.test", "s9", "/keys/a.test/s9")],
    ),
    ({"/etc/rspamd/local.d/dkim_signing.conf": "enabled = false;", "/var/lib/rspamd/dkim/a.dkim.key": ""}, []),
    (
        {"/etc/amavis/conf.d/50-user": "dkim_key('a.test', 'am', '/var/lib/dkim/a.pem');\n# dkim_key('b', 'c', 'd');"},
        [("amavis", "a.test", "am", "/var/lib/dkim/a.pem")],
    ),
]


@pytest.mark.parametrize(("files", "expected"), CONFIGURED)
def test_keys_that_programs_use(
    tmp_path: Path, files: dict[str, str], expected: list[tuple[str | None, str | None, str | None, str]]
) -> None:
    host = FakeHost(tmp_path)
    for path, content in files.items():
        host.put(path, content)
    assert [(key.signer, key.domain, key.selector, key.path) for key in dkim.configured(host)] == expected
    assert host.reasons() == {}


def openssl(*words: str) -> str:
    return subprocess.run(["openssl", *words], capture_output=True, check=True, text=True, timeout=60).stdout


def run(argv: list[str]) -> tuple[int, str, str]:
    done = subprocess.run(argv, capture_output=True, check=False, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


#: How openssl makes a key, with its algorithm and length.
KEYS = [
    (("genpkey", "-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:1024"), "rsa", 1024),
    (("genrsa", "-traditional", "2048"), "rsa", 2048),
    (("genpkey", "-algorithm", "ed25519"), "ed25519", 256),
]


@pytest.mark.parametrize(("command", "algorithm", "bits"), KEYS)
def test_public_half_equals_what_openssl_says(
    tmp_path: Path, command: tuple[str, ...], algorithm: str, bits: int
) -> None:
    host = FakeHost(tmp_path)
    host._run = run
    private = openssl(*command)
    path = host.put("/k", private)
    host.put("/etc/opendkim.conf", "Domain a.test\nSelector s\nKeyFile /k\n")
    (key,) = dkim.find(host)
    assert (key.key_type, key.key_bits) == (algorithm, bits)
    spki = base64.b64decode("".join(openssl("pkey", "-in", str(path), "-pubout").splitlines()[1:-1]))
    assert key.public_key == base64.b64encode(spki[-32:] if algorithm == "ed25519" else spki).decode()
    said = json.dumps(plain(key))
    # the first lines of a private key of RSA are its public half
    assert not any(line in said for line in re.findall(r"[A-Za-z0-9+/]{40,}", private)[-4:])


UNREADABLE: list[tuple[str | None, t.Any, str]] = [
    (None, None, "/k does not exist."),
    ("", None, "/k is empty."),
    ("no key", (1, "", "Could not read key of private key from /k"), "openssl failed: Could not read key"),
    ("no key", None, "openssl is not installed."),
    ("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----", None, "/k does not have a private key in PEM."),
    ("-----BEGIN PRIVATE KEY-----\n=\n-----END PRIVATE KEY-----", None, "/k does not have a private key in PEM."),
]


@pytest.mark.parametrize(("content", "answer", "reason"), UNREADABLE)
def test_key_that_cannot_be_read_is_unknown(tmp_path: Path, content: str | None, answer: t.Any, reason: str) -> None:
    host = FakeHost(tmp_path, **({"openssl": answer} if answer else {}))
    host.put("/etc/opendkim.conf", "Domain a.test\nSelector s\nKeyFile /k\n")
    if content is not None:
        host.put("/k", content)
    (key,) = dkim.find(host)
    assert (key.domain, key.public_key) == ("a.test", None)
    assert host.reasons()["dkim./k"].startswith(reason)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("dsn:mysql://user@host/db", "dsn is a kind of table that is not read."),
        ("/etc/missing", "/etc/missing does not exist."),
        ("csl:x=a.test:s:MIIEvQ", "OpenDKIM: a row for a.test has the key itself instead of its path."),
    ],
)
def test_table_that_is_not_read_is_unknown(tmp_path: Path, table: str, reason: str) -> None:
    host = FakeHost(tmp_path)
    host.put("/etc/opendkim.conf", f"KeyTable {table}\n")
    assert dkim.configured(host) == []
    assert host.reasons() == {"dkim": reason}
