# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded evidence is valid, complete and holds no secret; and the search for secrets finds what it should."""

from __future__ import annotations

import base64
import json
import typing as t
from pathlib import Path

import jsonschema
import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.compare import changes
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.forms import fields_of
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.reading import loads
from ansible_collections.mailops.smtp.tests.setup import evidence_page
from ansible_collections.mailops.smtp.tests.unit.support.evidence import SECRET_NAME, forbidden_in, recorded

RECORDED = pytest.mark.parametrize("file", recorded(), ids=lambda file: file.stem)


@pytest.fixture(scope="module")
def schema() -> t.Any:
    """The schema in the repository, which users have."""
    return jsonschema.Draft202012Validator(json.loads(evidence_page.SCHEMA.read_text(encoding="utf-8")))


@RECORDED
def test_recorded_document_is_valid(schema: t.Any, file: Path):
    errors = schema.iter_errors(json.loads(file.read_text(encoding="utf-8")))
    assert [f"{error.json_path}: {error.message[:200]}" for error in errors] == []


@RECORDED
def test_recorded_document_is_read_back_whole(file: Path):
    text = file.read_text(encoding="utf-8")
    evidence = loads(text)
    assert evidence.to_dict() == json.loads(text), "the module returned a field that no type declares"
    assert changes(evidence, evidence) == []


@RECORDED
def test_recorded_document_holds_no_secret_and_no_message(file: Path):
    assert forbidden_in(json.loads(file.read_text(encoding="utf-8"))) == []


def test_no_field_has_the_name_of_a_secret():
    fields = [(record, field) for record in evidence_page.records() for field in fields_of(record)]
    texts = [f"{record.__name__}.{field.name}" for record, field in fields if field.form.type is str]
    assert texts
    assert [name for name in texts if SECRET_NAME.search(name)] == []


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


PEM = "-----BEGIN {}PRIVATE KEY-----\nabc"
FORBIDDEN: list[t.Any] = [
    PEM.format(""),
    PEM.format("RSA "),
    PEM.format("ENCRYPTED "),
    PEM.format("OPENSSH "),
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj",
    "MIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn",
    "MHcCAQEEIBkgNj5eLwWWXhCEcYmE",
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg",
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v",
    "$6$rounds=5000$saltsalt$hash",
    "app:$y$j9T$abcdefghijkl",
    "$2b$12$abcdefghijklmnop",
    "$argon2id$v=19$m=65536,t=3,p=4$c29t",
    "app@example.com:{SCRAM-SHA-256}4096,c2FsdA==,c3RvcmVk",
    "{SHA512-CRYPT}$6$x",
    "C: AUTH PLAIN AGFwcABzZWNyZXQ=",
    "auth login c2VjcmV0cGFzcw==",
    "334 then " + encoded("\0app@example.com\0secret"),
    encoded("admin\0app@example.com\0secret").rstrip("="),
    encoded("user=app@example.com\1auth=Bearer ya29.token\1\1"),
    "Authorization: Bearer abcdefgh12345678",
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "smtp://app:secret@smtp.example.com:587",
    {"smtp_sasl_password_maps": "static:app:secret"},
    {"password": "secret"},
    {"bind_pw": "secret"},
    {"client": {"access_token": "secret"}},
    {"body": "Hello"},
    "The administrator of a mail server tests it with the Ansible collection mailops.smtp.",
    "220 hello\nSubject: Hello",
    "Received: from a by b",
    {"-----BEGIN PRIVATE KEY-----": 1},
    ["x", ("y", "DKIM-Signature: v=1; a=rsa-sha256")],
]


@pytest.mark.parametrize("value", FORBIDDEN, ids=repr)
def test_what_no_document_may_hold_is_found(value: t.Any):
    assert forbidden_in({"facts": [value]})


ALLOWED: list[t.Any] = [
    None,
    {"password_file": "/etc/postfix/sasl", "smtp_sasl_password_maps": "texthash:/etc/postfix/sasl"},
    {"password": None, "token": "", "secret": "********", "body": False},
    "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA",
    "-----BEGIN CERTIFICATE-----",
    "250-AUTH PLAIN LOGIN OAUTHBEARER XOAUTH2 SCRAM-SHA-256",
    "250-AUTH PLAIN OAUTHBEARER",
    "535 5.7.8 Error: authentication failed",
    "v=spf1 ip4:192.0.2.0/24 include:_spf.example.com -all",
    "mailto:reports@example.com",
    "https://mta-sts.example.com/.well-known/mta-sts.txt",
    "/^Subject: /",
    "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    "rc4:!aNULL:!eNULL@SECLEVEL=2",
    "$myhostname, localhost.$mydomain, $6",
    "permit_mynetworks, reject_unauth_destination",
]


@pytest.mark.parametrize("value", ALLOWED, ids=repr)
def test_what_a_document_may_hold_is_left_alone(value: t.Any):
    assert forbidden_in({"facts": [value]}) == []


@pytest.mark.parametrize("hidden", ["{}", "PLAIN {}", "x{}x"])
def test_secret_of_a_test_is_found_in_any_form(hidden: str):
    secret = "vRq9-kTz4/wLm2"
    forms = [secret, encoded(secret), encoded(f"\0u\0{secret}"), secret.encode().hex(), secret.replace("/", "%2F")]
    for form in forms:
        document = {"a": {"b": [hidden.format(form)]}}
        assert any("a.b[0]: a secret of this test" in one for one in forbidden_in(document, [secret])), form
