# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choice of a mechanism, validation of credentials and removal of their secrets from text.

Covers _sasl/choice.py, _sasl/credentials.py and _sasl/scrubbing.py.
"""

from __future__ import annotations

import base64
import json
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._sasl import choice
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.choice import (
    MECHANISMS,
    NoUsableMechanism,
    choose_mechanism,
    gs2_for,
)
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.credentials import Credentials, InvalidCredentials
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.mechanisms import ExchangeContext, Gs2
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.reply import Reply
from ansible_collections.mailops.smtp.plugins.module_utils._x509.signature import ChannelBinding

PASSWORD = Credentials("user", "hunter2-secret")
TOKEN = Credentials("user", token="ya29.secret-token")
CERTIFICATE = Credentials("")
BINDING = ChannelBinding("tls-server-end-point", b"hash")
ALL = [mechanism.name for mechanism in MECHANISMS]

#: offered, credentials, binding -> chosen
CHOICES = [
    (ALL, PASSWORD, BINDING, "SCRAM-SHA-256-PLUS"),
    (ALL, PASSWORD, None, "SCRAM-SHA-256"),
    (["SCRAM-SHA-256", "SCRAM-SHA-1-PLUS"], PASSWORD, BINDING, "SCRAM-SHA-1-PLUS"),
    (["SCRAM-SHA-1", "PLAIN"], PASSWORD, BINDING, "SCRAM-SHA-1"),
    (["LOGIN", "PLAIN", "CRAM-MD5"], PASSWORD, None, "CRAM-MD5"),
    (["LOGIN", "PLAIN"], PASSWORD, None, "PLAIN"),
    (["XOAUTH2", "LOGIN", "EXTERNAL"], PASSWORD, None, "LOGIN"),
    (ALL, TOKEN, BINDING, "OAUTHBEARER"),
    (["LOGIN", "XOAUTH2"], TOKEN, None, "XOAUTH2"),
    (ALL, CERTIFICATE, None, "EXTERNAL"),
    (["SCRAM-SHA-256", "PLAIN"], Credentials("user", "\u0627\u0031"), None, "PLAIN"),  # SASLprep prohibits it
    (["SCRAM-SHA-256", "PLAIN"], Credentials("user", ""), None, "PLAIN"),
]


@pytest.mark.parametrize(("offered", "credentials", "binding", "chosen"), CHOICES)
def test_strongest_mechanism_that_fits_is_chosen(
    offered: list[str], credentials: Credentials, binding: ChannelBinding | None, chosen: str
) -> None:
    assert choose_mechanism(offered, credentials, channel_binding=binding).name == chosen


NO_CHOICES = [
    (["GSSAPI"], PASSWORD, None, "offers GSSAPI; with a password this client supports SCRAM"),
    ([], PASSWORD, None, "offers no mechanism"),
    (["SCRAM-SHA-256-PLUS"], PASSWORD, None, "offers SCRAM-SHA-256-PLUS"),
    (["PLAIN", "EXTERNAL"], TOKEN, None, "with an OAuth2 token this client supports OAUTHBEARER, XOAUTH2"),
    (["XOAUTH2"], PASSWORD, None, "offers XOAUTH2"),
    (["PLAIN"], CERTIFICATE, None, "with a client certificate this client supports EXTERNAL"),
    (["PLAIN"], PASSWORD, "LOGIN", "LOGIN was asked for; the server offers PLAIN"),
    (["PLAIN"], PASSWORD, "NTLM\x07", r"NTLM\? was asked for; this client supports SCRAM"),
    (["XOAUTH2"], PASSWORD, "XOAUTH2", "it needs an OAuth2 token"),
    (["PLAIN"], TOKEN, "PLAIN", "it needs a password"),
    (["SCRAM-SHA-1-PLUS"], PASSWORD, "SCRAM-SHA-1-PLUS", "RFC 5929"),
    (["SCRAM-SHA-1"], Credentials("user", ""), "SCRAM-SHA-1", "it needs a password"),
    (["SCRAM-SHA-1"], Credentials("user", "\ue000"), "SCRAM-SHA-1", "it cannot carry the password"),
]


@pytest.mark.parametrize(("offered", "credentials", "forced", "words"), NO_CHOICES)
def test_error_names_the_offer_and_the_supported_mechanisms(
    offered: list[str], credentials: Credentials, forced: str | None, words: str
) -> None:
    with pytest.raises(NoUsableMechanism, match=words):
        choose_mechanism(offered, credentials, forced=forced)


@pytest.mark.parametrize("name", ["LOGIN", "login", "EXTERNAL", "SCRAM-SHA-1"])
def test_forced_mechanism_is_chosen_in_any_case(name: str) -> None:
    assert choose_mechanism(ALL, PASSWORD, forced=name, channel_binding=BINDING).name == name.upper()


def test_mechanism_is_skipped_on_a_host_without_its_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_has_digest", lambda name: name != "md5")
    assert choose_mechanism(["CRAM-MD5", "PLAIN"], PASSWORD).name == "PLAIN"
    with pytest.raises(NoUsableMechanism, match="does not provide md5"):
        choose_mechanism(["CRAM-MD5"], PASSWORD, forced="CRAM-MD5")


#: mechanism, offered, binding -> GS2 header (RFC 5802 section 6)
BOUND = [
    ("SCRAM-SHA-256-PLUS", ["SCRAM-SHA-256-PLUS"], BINDING, Gs2("p=tls-server-end-point", b"hash")),
    ("SCRAM-SHA-256", ["SCRAM-SHA-256"], BINDING, Gs2("y")),
    ("SCRAM-SHA-256", ["SCRAM-SHA-256"], None, Gs2("n")),
    ("SCRAM-SHA-256", ["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"], BINDING, Gs2("n")),  # forced
]


@pytest.mark.parametrize(("name", "offered", "binding", "gs2"), BOUND)
def test_gs2_header_announces_the_channel_binding(
    name: str, offered: list[str], binding: ChannelBinding | None, gs2: Gs2
) -> None:
    mechanism = choose_mechanism(offered, PASSWORD, forced=name, channel_binding=binding)
    assert gs2_for(mechanism, offered, binding) == gs2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("user", "one", "two"), "both a password and a token are set"),
        (("user", "secret\n"), "at its end: a line break"),
        (("user", "sec\0ret"), "the password contains a control character"),
        (("us\rer", "secret"), "the user name contains a control character"),
        (("user", "sec\ud800ret"), "control character"),
        (("user", None, "to ken"), "the token is empty or contains"),
        (("user", None, "to\x01ken"), "the token is empty or contains"),
        (("user", None, ""), "the token is empty or contains"),
    ],
)
def test_credentials_that_no_mechanism_can_carry_are_refused_without_the_secret(
    arguments: tuple[str, ...], words: str
) -> None:
    with pytest.raises(InvalidCredentials, match=words) as caught:
        Credentials(*arguments)
    assert "ret" not in str(caught.value).replace("secret", "")
    assert "ken" not in str(caught.value).replace("token", "")


@pytest.mark.parametrize("credentials", [PASSWORD, TOKEN, Credentials("tok-en-1234", "tok-en-1234")])
def test_repr_shows_no_secret(credentials: Credentials) -> None:
    secret = credentials.password or credentials.token or ""
    assert secret not in repr(credentials)
    assert secret not in str([credentials])
    assert pickle.loads(pickle.dumps(credentials)) == credentials  # noqa: S301


def first_data(name: str, credentials: Credentials) -> bytes:
    mechanism = next(mechanism for mechanism in MECHANISMS if mechanism.name == name)
    exchange = mechanism.start(credentials, ExchangeContext("mx.example.com", 587))
    response = next(exchange)
    if mechanism.initial:
        return response.data
    exchange.send(b"")
    return exchange.send(b"").data


SENT = [("PLAIN", PASSWORD), ("LOGIN", PASSWORD), ("XOAUTH2", TOKEN), ("OAUTHBEARER", TOKEN)]


@pytest.mark.parametrize(("name", "credentials"), SENT)
def test_sent_response_is_scrubbed_from_an_echo(name: str, credentials: Credentials) -> None:
    data = first_data(name, credentials)
    secret = credentials.password or credentials.token or ""
    echoes = [base64.b64encode(data).decode(), data.decode(), json.dumps(data.decode()), data.hex()]
    shown = Reply(535, tuple(f"bad {echo}" for echo in echoes)).rewritten(credentials.scrub_text)
    assert secret not in shown.text
    assert secret.encode().hex() not in shown.text
    assert all("********" in line for line in shown.lines)
    assert base64.b64encode(data).decode()[-12:-4] not in shown.text


@pytest.mark.parametrize("echo", ["Correct Horse", "CORRECT HORSE", "correct+horse", "CORRECT%20HORSE"])
def test_a_secret_is_masked_in_upper_and_lower_case(echo: str) -> None:
    text = Credentials("user", "Correct Horse").scrub_text(f"500 unknown command: {echo}.")
    assert text == "500 unknown command: ********."


@settings(deadline=None)  # a busy machine must not fail the test
@given(
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=60),
    st.binary(max_size=7),
    st.binary(max_size=7),
)
def test_base64_of_a_secret_is_masked_at_any_offset(secret: str, before: bytes, after: bytes) -> None:
    credentials = Credentials("user", secret)
    blob = base64.b64encode(before + secret.encode() + after).decode()
    url_safe = base64.urlsafe_b64encode(before + secret.encode() + after).decode()
    for text in (blob, url_safe, f"x {secret} y"):
        assert "********" in credentials.scrub_text(text)
        assert blob[4 * (len(before) // 3 + 1) :][:8] not in credentials.scrub_text(text)
