# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of DKIM keys: what the role gives to users, the program of the host and mail_dns_info mean the same."""

from __future__ import annotations

import re
import typing as t

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from ansible_collections.mailops.smtp.plugins.module_utils._module.dns_options import ARGUMENT_SPEC, mail_system
from ansible_collections.mailops.smtp.plugins.module_utils._relay.dkim_records import make_records
from ansible_collections.mailops.smtp.plugins.module_utils._signing.keys import public_half
from ansible_collections.mailops.smtp.plugins.module_utils._signing.records import compare


def keys_of(folder: t.Any, kind: str) -> tuple[str, str]:
    """Make a key, and return its path and its public half as the program of the host reads it."""
    made: t.Any = ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else rsa.generate_private_key(65537, 2048)
    path = folder / f"{kind}.key"
    form, style = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(made.private_bytes(form, style, serialization.NoEncryption()))
    return str(path), public_half(str(path), kind)


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_record_has_what_each_reader_needs(kind: str, tmp_path: t.Any) -> None:
    public = keys_of(tmp_path, kind)[1]
    key = {"selector": "r1", "domain": "a.test", "public_key": public}
    told = {"name": "r1._domainkey.a.test", "state": "waiting", "keep_until": "", "told": "is not published"}
    (record,) = make_records([{**key, **told}])
    assert record == {
        **{name: key[name] for name in ("selector", "domain")},
        **told,
        "key": key,
        "text": f"v=DKIM1; k={kind}; p={public}",
        "line": record["line"],
    }
    name, strings = record["line"].split(" 3600 IN TXT ")
    assert name == "r1._domainkey.a.test."
    parts = re.findall(r'"([^"]*)"', strings)
    assert "".join(parts) == record["text"]
    assert max(map(len, parts)) <= 255
    assert compare([record["text"]], kind, public) == "published"


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_mail_dns_info_takes_the_key_of_a_record(kind: str, tmp_path: t.Any) -> None:
    public = keys_of(tmp_path, kind)[1]
    told = dict.fromkeys(("name", "state", "keep_until", "told"), "")
    (record,) = make_records([{"selector": "r1", "domain": "b.test", "public_key": public, **told}])
    spec: dict[str, t.Any] = dict(ARGUMENT_SPEC)
    assert set(record["key"]) == set(spec["dkim"]["options"])
    defaults = {name: option.get("default") for name, option in spec.items()}
    system = mail_system({**defaults, "domain": "a.test", "dkim": [record["key"]]})
    (selector,) = system.selectors
    assert (selector.name, selector.domain) == ("r1", "b.test")
    assert selector.key is not None
    assert selector.key.published == public
