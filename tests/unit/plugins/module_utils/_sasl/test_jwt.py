# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON Web Tokens of an application's certificate and of a service account, as a token server reads them."""

from __future__ import annotations

import base64
import datetime
import email.utils
import json
import time
import typing as t
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from ansible_collections.mailops.smtp.plugins.module_utils._oauth.request import private_keys, token_client
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.jwt import ClientCertificate
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.oauth import Grant, InvalidTokenClient, TokenRefused

URL = "https://login.example.com/token"
USER = "relay@example.com"
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def pem(key: Key, password: bytes | None = None) -> str:
    hidden = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, hidden).decode()


def certificate(key: Key, days: int = 90) -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "relay")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - datetime.timedelta(100))
    signed = builder.not_valid_after(now + datetime.timedelta(days)).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


KEY = rsa.generate_private_key(65537, 2048)
OTHER = rsa.generate_private_key(65537, 2048)
SHORT = rsa.generate_private_key(65537, 1024)  # noqa: S505 - it must be refused
CURVE = ec.generate_private_key(ec.SECP256R1())
ACCOUNT = {
    "type": "service_account",
    "client_email": "mail@project.iam.gserviceaccount.com",
    "private_key": pem(KEY),
    "private_key_id": "k1",
}
BY_CERTIFICATE = {"token_url": URL, "client_id": "app", "certificate": certificate(KEY), "private_key": pem(KEY)}
BY_ACCOUNT = {"provider": "google", "service_account": json.dumps(ACCOUNT)}


def fields(options: t.Mapping[str, t.Any]) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(token_client(options, USER).request().body.decode()))


def opened(jwt: str, scheme: padding.AsymmetricPadding) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """Verify a JWT, and return its header and its claims."""
    parts = jwt.split(".")
    head, claims, signature = (base64.urlsafe_b64decode(part + "==") for part in parts)
    KEY.public_key().verify(signature, ".".join(parts[:2]).encode(), scheme, hashes.SHA256())
    return json.loads(head), json.loads(claims)


@pytest.mark.parametrize("joined", [False, True], ids=["two files", "one file"])
def test_certificate_proves_the_client(joined: bool) -> None:
    options: dict[str, t.Any] = dict(BY_CERTIFICATE)
    if joined:
        options["certificate"] += options.pop("private_key")
    form = fields(options)
    jwt = form.pop("client_assertion")
    assert form == {
        "grant_type": "client_credentials",
        "client_id": "app",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }
    head, claims = opened(jwt, padding.PSS(padding.MGF1(hashes.SHA256()), 32))
    digest = x509.load_pem_x509_certificate(options["certificate"].encode()).fingerprint(hashes.SHA256())
    assert head == {"typ": "JWT", "alg": "PS256", "x5t#S256": base64.urlsafe_b64encode(digest).decode().rstrip("=")}
    assert (claims["aud"], claims["iss"], claims["sub"]) == (URL, "app", "app")
    assert claims["nbf"] <= time.time() < claims["exp"] <= time.time() + 600
    assert (
        claims["jti"]
        != opened(fields(options)["client_assertion"], padding.PSS(padding.MGF1(hashes.SHA256()), 32))[1]["jti"]
    )


@pytest.mark.parametrize("account", [json.dumps(ACCOUNT), ACCOUNT], ids=["text", "mapping"])
def test_service_account_acts_for_the_user(account: t.Any) -> None:
    form = fields({"provider": "google", "service_account": account})
    head, claims = opened(form.pop("assertion"), padding.PKCS1v15())
    assert form == {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}
    assert head == {"typ": "JWT", "alg": "RS256", "kid": "k1"}
    assert (claims["iss"], claims["sub"]) == (ACCOUNT["client_email"], USER)
    assert claims["scope"] == "https://mail.google.com/"
    assert claims["aud"] == "https://oauth2.googleapis.com/token"


#: What YAML or an editor may do to the lines of a key.
FORMS: list[t.Callable[[str], str]] = [
    lambda text: text.replace("\n", " "),
    lambda text: text.replace("\n", ""),
    lambda text: text.replace("\n", "\r\n"),
    lambda text: text.replace("\n", "\n    "),
]


@pytest.mark.parametrize("form", FORMS, ids=["folded", "joined", "CRLF", "indented"])
def test_lines_of_a_key_do_not_matter(form: t.Callable[[str], str]) -> None:
    key = form(BY_CERTIFICATE["private_key"])
    opened(
        fields({**BY_CERTIFICATE, "private_key": key})["client_assertion"],
        padding.PSS(padding.MGF1(hashes.SHA256()), 32),
    )
    account = "\ufeff" + json.dumps({**ACCOUNT, "private_key": form(ACCOUNT["private_key"])})
    options = {"provider": "google", "service_account": account}
    opened(fields(options)["assertion"], padding.PKCS1v15())
    assert form(ACCOUNT["private_key"]) in list(private_keys(options)), "the key would not be hidden"


def test_service_account_asks_for_google_s_scope_anywhere() -> None:
    form = fields({"token_url": "https://login.example.com/token", "service_account": json.dumps(ACCOUNT)})
    assert opened(form["assertion"], padding.PKCS1v15())[1]["scope"] == "https://mail.google.com/"


#: options, words of the error
BAD = [
    ({**BY_CERTIFICATE, "private_key": pem(OTHER)}, "private_key is not the key of certificate"),
    ({**BY_CERTIFICATE, "private_key": "/etc/relay/key.pem"}, "private_key is a path; .* lookup"),
    ({**BY_CERTIFICATE, "certificate": "~/app.crt"}, "certificate is a path"),
    ({**BY_CERTIFICATE, "certificate": "files/app.pem"}, "certificate is a path"),
    ({**BY_CERTIFICATE, "private_key": pem(KEY, b"x")}, "private_key has a pass phrase"),
    ({**BY_CERTIFICATE, "private_key": "nonsense"}, "private_key has no private key in PEM"),
    ({**BY_CERTIFICATE, "private_key": pem(CURVE), "certificate": certificate(CURVE)}, "private_key is not RSA"),
    ({**BY_CERTIFICATE, "private_key": pem(SHORT)}, "private_key is rsa with 1024 bits"),
    ({**BY_CERTIFICATE, "certificate": pem(KEY)}, "certificate has no certificate in PEM"),
    ({**BY_CERTIFICATE, "certificate": None}, "private_key needs certificate"),
    ({**BY_CERTIFICATE, "client_secret": "s3cret"}, "client_secret and certificate are both set"),
    ({**BY_CERTIFICATE, "certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}, "be read"),
    ({**BY_ACCOUNT, "service_account": "key.json"}, "service_account is a path"),
    ({**BY_ACCOUNT, "service_account": "{"}, "service_account is not JSON"),
    ({**BY_ACCOUNT, "service_account": {**ACCOUNT, "type": "authorized_user"}}, "another type"),
    ({**BY_ACCOUNT, "service_account": {"installed": {}}}, "lacks client_email"),
    ({**BY_ACCOUNT, "service_account": {**ACCOUNT, "private_key": "x"}}, "service_account: private_key has no"),
    ({**BY_ACCOUNT, "grant": "refresh_token", "refresh_token": "r"}, "service_account does not fit grant"),
    ({"provider": "google", "grant": "service_account"}, "needs service_account"),
    ({**BY_ACCOUNT, "provider": "microsoft", "tenant": "x"}, "microsoft does not support grant service_account"),
]


@pytest.mark.parametrize(("options", "words"), BAD, ids=[one[1] for one in BAD])
def test_what_cannot_sign_is_named(options: t.Mapping[str, t.Any], words: str) -> None:
    with pytest.raises(InvalidTokenClient, match=words) as caught:
        token_client(options, USER)
    assert "PRIVATE" not in str(caught.value).replace("-----BEGIN PRIVATE KEY-----", "")


def test_service_account_needs_a_user() -> None:
    with pytest.raises(InvalidTokenClient, match="needs username"):
        token_client(BY_ACCOUNT)


def test_expired_certificate_is_named() -> None:
    with pytest.raises(InvalidTokenClient, match="certificate expired on 20"):
        token_client({**BY_CERTIFICATE, "certificate": certificate(KEY, -1)}).request()


def test_host_without_openssl_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(InvalidTokenClient, match="install openssl"):
        token_client(BY_CERTIFICATE).request()


#: seconds that this host is ahead, words
CLOCKS = [(3660, "61 min ahead of"), (-600, "10 min behind"), (5, "check client_id")]


@pytest.mark.parametrize(("ahead", "words"), CLOCKS)
def test_clock_that_is_off_is_told(ahead: int, words: str) -> None:
    date = email.utils.formatdate(time.time() - ahead, usegmt=True)
    body = json.dumps({"error": "invalid_client", "error_description": "AADSTS700024"}).encode()
    with pytest.raises(TokenRefused, match=words):
        token_client(BY_CERTIFICATE).read_answer(401, body, date)


def test_refusal_shows_no_jwt_and_no_key() -> None:
    client = token_client(BY_ACCOUNT, USER)
    jwt = urllib.parse.parse_qs(client.request().body.decode())["assertion"][0]
    with pytest.raises(TokenRefused, match="key still exists") as caught:
        client.read_answer(400, json.dumps({"error": "invalid_grant", "error_description": f"bad {jwt}"}).encode())
    assert not any(part in str(caught.value) for part in jwt.split("."))
    assert "PRIVATE" not in repr(client)
    assert ACCOUNT["private_key"] in list(private_keys(BY_ACCOUNT))


def test_grant_follows_from_the_proof() -> None:
    assert token_client(BY_ACCOUNT, USER).grant is Grant.SERVICE_ACCOUNT
    assert token_client(BY_CERTIFICATE).grant is Grant.CLIENT_CREDENTIALS
    assert token_client({**BY_CERTIFICATE, "refresh_token": "r"}).grant is Grant.REFRESH_TOKEN
    assert isinstance(token_client(BY_CERTIFICATE).signer, ClientCertificate)
