# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hints: real replies of servers get their advice, and no provider gets the advice for another.

Covers _providers/hints.py and its tables.
"""

from __future__ import annotations

import re

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._providers.hints import hint
from ansible_collections.mailops.smtp.plugins.module_utils._providers.hints_by_code import BY_CODE
from ansible_collections.mailops.smtp.plugins.module_utils._providers.hints_by_provider import BY_PROVIDER
from ansible_collections.mailops.smtp.plugins.module_utils._providers.presets import PROVIDERS
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.errors import Stage
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.reply import Reply, ReplyParser

EVERY_NAME = (None, *PROVIDERS)


def parsed(text: str) -> Reply:
    """Parse a reply whose lines are separated by ``|``."""
    parser = ReplyParser()
    replies = [parser.feed(line.encode() + b"\r\n") for line in text.split("|")]
    assert replies[-1] is not None
    return replies[-1]


# reply, stage, provider (None: the text is specific), words of the hint
BY_ONE = [
    # Microsoft
    (
        (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit"
            " https://aka.ms/smtp_auth_disabled for more information. [AM0PR01CA0123.eurprd01.prod.exchangelabs.com]"
        ),
        Stage.AUTH,
        None,
        "off for the whole tenant",
    ),
    (
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.",
        Stage.AUTH,
        None,
        "off for this mailbox",
    ),
    (
        (
            "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy."
            " Contact your administrator."
        ),
        Stage.AUTH,
        None,
        "security defaults",
    ),
    (
        "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
        Stage.AUTH,
        None,
        "XOAUTH2; option oauth",
    ),
    (
        (
            "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated"
            " successfully. Contact your administrator."
        ),
        Stage.AUTH,
        None,
        "three reasons",
    ),
    (
        "550 5.7.30 Basic authentication is not supported for Client Submission.",
        Stage.AUTH,
        None,
        "has removed passwords",
    ),
    ("530 5.7.57 Client not authenticated to send mail.", Stage.MAIL, None, "requires a login before mail"),
    (
        "530 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM",
        Stage.MAIL,
        None,
        "requires a login before mail",
    ),
    ("535 5.7.3 Authentication unsuccessful", Stage.AUTH, "microsoft365", "object ID of the Enterprise application"),
    (
        "430 4.2.0 STOREDRV; mailbox logon failure; MapiExceptionLogonFailed; cannot open mailbox",
        Stage.AUTH,
        None,
        "FullAccess",
    ),
    (
        "554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException",
        Stage.DATA,
        "microsoft365",
        "Sent Items",
    ),
    (
        "550 5.7.68 TenantInboundAttribution; Direct Send not allowed for this organization from unauthorized sources",
        Stage.RCPT,
        None,
        "RejectDirectSend",
    ),
    (
        "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more.",
        Stage.MAIL,
        None,
        "three simultaneous connections",
    ),
    (
        "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded",
        Stage.END_OF_DATA,
        None,
        "three simultaneous connections",
    ),
    (
        "554 5.2.252 SendAsDenied; a@example.com not allowed to send as b@example.com;",
        Stage.END_OF_DATA,
        None,
        "Send As",
    ),
    (
        "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
        Stage.END_OF_DATA,
        None,
        "Send As",
    ),
    # Google
    (
        (
            "535-5.7.8 Username and Password not accepted. For more information, go to|535 5.7.8 "
            " https://support.google.com/mail/?p=BadCredentials 5b1f17b1804b1-38b - gsmtp"
        ),
        Stage.AUTH,
        None,
        "16 letters",
    ),
    (
        (
            "534-5.7.9 Application-specific password required. For more information, go to|534 5.7.9 "
            " https://support.google.com/mail/?p=InvalidSecondFactor - gsmtp"
        ),
        Stage.AUTH,
        None,
        "in place of the account password",
    ),
    (
        (
            "534-5.7.14 <https://accounts.google.com/signin/continue>|534-5.7.14 Please log in via your web browser"
            " and|534-5.7.14 then try again.|534 5.7.14  https://support.google.com/mail/answer/78754 - gsmtp"
        ),
        Stage.AUTH,
        None,
        "web browser",
    ),
    (
        (
            "550-5.4.5 Daily user sending limit exceeded. For more information on Gmail|550 5.4.5 sending limits go to"
            " https://support.google.com/a/answer/166852 - gsmtp"
        ),
        Stage.MAIL,
        None,
        "daily quota",
    ),
    ("550 5.4.5 Daily SMTP relay limit exceeded for user.", Stage.MAIL, None, "daily quota"),
    ("550 5.7.1 Daily SMTP relay limit exceeded for customer.", Stage.MAIL, None, "relay quota"),
    (
        (
            "421-4.7.0 Try again later, closing connection. (EHLO)|421 4.7.0 https://support.google.com/a/answer/3221692"
            " - gsmtp"
        ),
        Stage.EHLO,
        "google_workspace_relay",
        "ehlo_name",
    ),
    (
        (
            "421-4.7.0 Our system has detected an unusual rate of unsolicited mail originating|421-4.7.0 from your IP"
            " address. To protect our users from spam, mail sent from|421 4.7.0 your IP address has been temporarily"
            " rate limited. - gsmtp"
        ),
        Stage.END_OF_DATA,
        None,
        "slows down",
    ),
    (
        (
            "550-5.7.26 This mail has been blocked because the sender is unauthenticated.|550 5.7.26 Gmail requires all"
            " senders to authenticate with either SPF or DKIM. - gsmtp"
        ),
        Stage.END_OF_DATA,
        None,
        "publish SPF",
    ),
    # NetEase
    ("535 Error: authentication failed", Stage.AUTH, "163", "authorisation code"),
    ("535 Error: authentication failed", Stage.AUTH, "126", "authorisation code"),
    ("550 User has no permission", Stage.AUTH, None, "not turned on"),
    (
        "554 DT:SPM 163 smtp13,EcCowABHTnIbq3hcYHqZBw--.5253S2 1551412001,please see http://mail.163.com/help/help_spam",
        Stage.END_OF_DATA,
        None,
        "treats the message as spam",
    ),
    ("451 Requested mail action not taken: too much fail authentication", Stage.AUTH, None, "failed logins"),
    ("421 HL:ICC 163 smtp10,x 1551412001", Stage.GREETING, None, "NetEase received too many"),
    ("553 Mail from must equal authorized user", Stage.MAIL, None, "address of the login"),
    ("553 Local user only,163 smtp5,HdxpCgA3f+63sTNhtiNZDA--.2001S2 1630777785", Stage.MAIL, "163", "of this provider"),
    # Tencent
    (
        (
            "535 Login Fail. Please enter your authorization code to login. More information in"
            " http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=28&&no=1001256"
        ),
        Stage.AUTH,
        None,
        "QQ requires an authorisation code",
    ),
    ("503 Error: need EHLO and AUTH first !", Stage.MAIL, None, "requires a login before mail"),
    ("501 mail from address must be same as authorization user", Stage.MAIL, None, "address of the login"),
    # Sending services
    (
        (
            "554 Message rejected: Email address is not verified. The following identities failed the check in region"
            " US-EAST-1: a@example.com"
        ),
        Stage.END_OF_DATA,
        None,
        "sandbox",
    ),
    ("454 Throttling failure: Maximum sending rate exceeded.", Stage.END_OF_DATA, None, "SES account is used up"),
    ("454 Throttling failure: Daily message quota exceeded.", Stage.END_OF_DATA, None, "SES account is used up"),
    ("421 Too many concurrent SMTP connections; please try again later.", Stage.GREETING, "ses", "SES has too many"),
    ("535 Authentication Credentials Invalid", Stage.AUTH, "ses", "does not accept an AWS access key"),
    ("535 Authentication failed: Bad username / password", Stage.AUTH, "sendgrid", "the word apikey"),
    (
        "535 Authentication failed: The provided authorization grant is invalid, expired, or revoked",
        Stage.AUTH,
        None,
        "not its ID",
    ),
    ("401 The provided authorization grant is invalid, expired, or revoked", Stage.AUTH, None, "not its ID"),
    ("451 Authentication failed: Maximum credits exceeded", Stage.AUTH, None, "credits"),
    (
        (
            "550 The from address does not match a verified Sender Identity. Mail cannot be sent until this error is"
            " resolved."
        ),
        Stage.END_OF_DATA,
        None,
        "Sender Authentication",
    ),
    ("535 Authentication failed", Stage.AUTH, "mailgun", "Mailgun does not accept an API key"),
    (
        (
            "554 Sandbox subdomains are for test purposes only. Please add your own domain or add the address to"
            " authorized recipients"
        ),
        Stage.END_OF_DATA,
        None,
        "sandbox domain",
    ),
    (
        "406 You tried to send to a recipient that has been marked as inactive.",
        Stage.END_OF_DATA,
        None,
        "suppression list",
    ),
    ("554 5.7.1 [2] Message rejected under suspicion of SPAM", Stage.END_OF_DATA, "yandex", "24 hours"),
]

# reply, stage, words of the hint
BY_ANY_SERVER = [
    ("530 5.7.0 Must issue a STARTTLS command first", Stage.AUTH, "tls to starttls"),
    ("530 Must issue a STARTTLS command first.", Stage.MAIL, "tls to starttls"),
    ("538 5.7.11 Encryption required for requested authentication mechanism", Stage.AUTH, "tls to starttls"),
    ("421 4.7.1 smtp.provider.test Error: No client certificate presented", Stage.EHLO, "set client_cert"),
    ("530 5.7.0 Authentication required", Stage.MAIL, "requires a login"),
    ("530 5.5.1 Access denied", Stage.MAIL, "requires a login or TLS first"),
    ("503 5.5.4 Error: send AUTH command first", Stage.MAIL, "set username and password"),
    ("550 5.7.1 Log in first", Stage.MAIL, "set username and password"),
    ("550 5.7.1 Sender rejected", Stage.MAIL, "from (sender) or envelope_from to an address that the login (username)"),
    ("550 Administrative prohibition", Stage.MAIL, "does not accept this sender"),
    ("553 5.1.8 sorry", Stage.MAIL, "does not accept this sender"),
    ("553 5.7.1 <a@b.test>: Sender address rejected: not owned by user jo", Stage.MAIL, "login (username) may not use"),
    ("550 5.7.1 You are not allowed to send from this address", Stage.MAIL, "login (username) may not use"),
    ("552 Requested mail action aborted", Stage.MAIL, "larger than the server accepts"),
    ("552 5.3.4 too big", Stage.MAIL, "larger than the server accepts"),
    ("452 Requested action not taken", Stage.MAIL, "out of space"),
    ("451 4.3.1 Insufficient resources", Stage.MAIL, "out of space"),
    ("550 Authentication is required for relay", Stage.RCPT, "requires a login"),
    ("535 5.7.8 Error: authentication failed: (reason unavailable)", Stage.AUTH, "did not accept user name"),
    ("535 Authentication credentials invalid", Stage.AUTH, "did not accept user name"),
    ("535 5.7.3 Authentication unsuccessful", Stage.AUTH, "did not accept user name"),
    ("534 5.7.9 Authentication mechanism is too weak", Stage.AUTH, "too weak"),
    ("454 4.7.0 Temporary authentication failure: Connection lost", Stage.AUTH, "cannot check logins"),
    ("432 4.7.12 A password transition is needed", Stage.AUTH, "username and password"),
    ("504 5.7.4 Unrecognized authentication type", Stage.AUTH, "set auth_mechanism"),
    ("450 4.2.0 <a@example.org>: Recipient address rejected: Greylisted", Stage.RCPT, "greylisting"),
    ("451 4.7.1 Greylisting in action, please come back in 00:05:00", Stage.RCPT, "greylisting"),
    ("451 4.7.1 Please try again later", Stage.RCPT, "greylisting"),
    ("450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]", Stage.RCPT, "PTR"),
    ("550 5.7.25 The IP address sending this message does not have a PTR record.", Stage.END_OF_DATA, "PTR"),
    ("452 4.2.2 The recipient's inbox is out of storage space.", Stage.RCPT, "mailbox is full"),
    ("552 5.2.2 Over quota", Stage.END_OF_DATA, "mailbox is full"),
    ("452 4.5.3 Error: too many recipients", Stage.RCPT, "accepts no more recipients"),
    ("452 Too many recipients received this hour", Stage.RCPT, "accepts no more recipients"),
    ("452 4.3.1 Insufficient system storage", Stage.MAIL, "out of space"),
    ("552 5.3.4 Message size exceeds fixed limit", Stage.MAIL, "larger than"),
    ("552 Message size exceeds maximum permitted", Stage.END_OF_DATA, "larger than"),
    (
        "550 5.1.1 <x@example.org>: User unknown in relay recipient table",
        Stage.RCPT,
        "no such mailbox",
    ),
    ("550 No such user here", Stage.RCPT, "no such mailbox"),
    ("550 Requested action not taken: mailbox unavailable", Stage.RCPT, "no such mailbox"),
    ("556 5.1.10 Recipient address has null MX", Stage.RCPT, "accepts no mail"),
    ("550 5.7.1 Unable to relay", Stage.RCPT, "does not relay mail"),
    ("554 5.7.1 <x@example.org>: Relay access denied", Stage.RCPT, "does not relay mail"),
    ("553 5.7.1 <b@example.com>: Sender address rejected: not owned by user a", Stage.RCPT, "an address of the login"),
    (
        "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
        Stage.RCPT,
        "block list",
    ),
    ("504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname", Stage.RCPT, "ehlo_name"),
    ("501 Syntactically invalid EHLO argument(s)", Stage.EHLO, "ehlo_name"),
    ("501 5.5.4 Invalid domain name", Stage.EHLO, "ehlo_name"),
    ("550 Bad HELO - Host impersonating domain name", Stage.RCPT, "ehlo_name"),
    ("450 4.7.1 <x>: Helo command rejected: Host not found", Stage.RCPT, "ehlo_name"),
    ("450 4.1.8 <a@nowhere.example>: Sender address rejected: Domain not found", Stage.RCPT, "not in the DNS"),
    ("550 5.7.23 SPF validation failed", Stage.END_OF_DATA, "SPF"),
    ("550 5.6.7 Non-ASCII recipient", Stage.RCPT, "ASCII form"),
    ("550 High probability of spam", Stage.END_OF_DATA, "as spam"),
    ("450 4.2.1 The user you are trying to contact is receiving mail too quickly.", Stage.RCPT, "slow down"),
    ("421 4.7.0 mx.example.org Error: too many connections from 192.0.2.1", Stage.GREETING, "fewer connections"),
    ("421 4.7.0 Temporarily deferred", Stage.GREETING, "limits this host's address"),
    ("421 4.3.2 Service shutting down", Stage.MAIL, "not available at the moment"),
]

NO_HINT = [
    ("250 2.0.0 Ok: queued as 4XyZ", Stage.END_OF_DATA),
    ("235 2.7.0 Authentication successful", Stage.AUTH),
    ("354 End data with <CR><LF>.<CR><LF>", Stage.DATA),
    ("500 5.5.2 Error: bad syntax", Stage.MAIL),
    ("503 5.5.1 Error: nested MAIL command", Stage.MAIL),
    ("451 4.3.0 Temporary lookup failure", Stage.QUIT),
]


@pytest.mark.parametrize(("text", "stage", "provider", "words"), BY_ONE)
def test_reply_of_a_provider_gets_its_hint(text, stage, provider, words):
    assert words in hint(parsed(text), stage, provider)


@pytest.mark.parametrize(("text", "stage", "words"), BY_ANY_SERVER)
def test_reply_of_any_server_gets_its_hint(text, stage, words):
    assert words in hint(parsed(text), stage)


@pytest.mark.parametrize(("text", "stage"), NO_HINT)
def test_other_reply_has_no_hint(text, stage):
    assert [hint(parsed(text), stage, name) for name in EVERY_NAME if hint(parsed(text), stage, name)] == []


@pytest.mark.parametrize(("text", "stage", "provider", "words"), BY_ONE)
def test_no_provider_gets_the_advice_for_another(text, stage, provider, words):
    """If the text is specific, all providers get the same hint; if not, the others do not get it."""
    hints = {name: hint(parsed(text), stage, name) for name in EVERY_NAME}
    if provider is None:
        assert len(set(hints.values())) == 1
        return
    related = {"163": ("126",), "126": ("163",), "microsoft365": ("outlook",), "qq": ("tencent_exmail",)}
    related["google_workspace_relay"] = ("gmail",)
    mine = (provider, *related.get(provider, ()))
    assert {name: advice for name, advice in hints.items() if advice == hints[provider] and name not in mine} == {}


@pytest.mark.parametrize("name", PROVIDERS)
def test_refused_login_gets_the_login_advice_of_the_provider(name):
    assert hint(parsed("535 5.7.8 no"), Stage.AUTH, name) == PROVIDERS[name].login_advice
    assert hint(parsed("530 5.7.0 Must issue a STARTTLS command first"), Stage.AUTH, name) != (
        PROVIDERS[name].login_advice
    )


def test_alias_gets_the_same_hint_as_the_name():
    reply = parsed("535 Error: authentication failed")
    assert hint(reply, Stage.AUTH, "netease_163") == hint(reply, Stage.AUTH, "163")
    assert hint(reply, Stage.AUTH, "unknown") == hint(reply, Stage.AUTH)


#: reply, stage, provider -> whether the client's own advice replaces the other hints
OWN_ADVICE = [
    ("535 5.7.8 Error: authentication failed", Stage.AUTH, None, True),
    ("535 5.7.8 Error: authentication failed", Stage.AUTH, "gmail", True),
    ("550 5.7.1 not allowed", Stage.AUTH, None, True),
    (
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
        Stage.AUTH,
        "microsoft365",
        False,
    ),
    ("454 4.7.0 Temporary authentication failure", Stage.AUTH, None, False),
    ("530 5.7.0 Must issue a STARTTLS command first", Stage.AUTH, None, False),
    ("550 5.1.1 User unknown", Stage.RCPT, None, False),
]


@pytest.mark.parametrize(("text", "stage", "name", "used"), OWN_ADVICE)
def test_advice_of_the_client_replaces_what_a_refused_login_means_in_general(text, stage, name, used):
    """The client knows what it tried: a token, a certificate, a login with channel binding."""
    general = hint(parsed(text), stage, name)
    assert hint(parsed(text), stage, name, "Check the token.") == ("Check the token." if used else general)


KNOWN = [*BY_PROVIDER, *BY_CODE]


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.advice[:40])
def test_every_entry_is_complete_and_matches_a_real_reply(known):
    assert known.advice.endswith(".")
    assert re.match(r"https://\S+$|RFC \d+ section \d", known.source)
    assert known.codes or known.enhanced or known.text
    assert [name for name in known.providers if name not in PROVIDERS] == []
    assert all(400 <= code < 600 for code in known.codes)
    asked = [(text, stage, name) for text, stage, name, dummy in BY_ONE] + [(*one[:2], None) for one in BY_ANY_SERVER]
    assert any(hint(parsed(text), stage, name) == known.advice for text, stage, name in asked)
