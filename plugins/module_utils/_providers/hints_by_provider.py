# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hints for replies known from providers, as data. The first entry that fits is used."""

from __future__ import annotations

from .._smtp.errors import Stage
from .provider import KnownReply

_MICROSOFT = ("microsoft365", "outlook")
_GOOGLE = ("gmail", "google_workspace_relay")
_NETEASE = ("163", "126")
_GOOGLE_CODES = "https://support.google.com/a/answer/3726730"
_SES_CODES = "https://docs.aws.amazon.com/ses/latest/DeveloperGuide/smtp-response-codes.html"
_NETEASE_CODES = "https://biecuoliao.com/pa/MBRrwEM.html"
_MICROSOFT_FIXES = "https://docs.bookyourpto.com/features/smtp-troubleshoot"

#: The text of an entry without providers is specific to one provider.
BY_PROVIDER: tuple[KnownReply, ...] = (
    # Microsoft 365 and Outlook.com
    KnownReply(
        "Authenticated SMTP is off for the whole tenant: have an administrator turn it on in the Exchange admin center"
        " under Settings, Mail flow, or for this mailbox only, which overrides the setting of the tenant.",
        _MICROSOFT_FIXES,
        enhanced=("5.7.139",),
        text=r"disabled for the tenant",
    ),
    KnownReply(
        "Authenticated SMTP is off for this mailbox: have an administrator turn it on in the Microsoft 365 admin center"
        " under Active users, Mail, Manage email apps.",
        _MICROSOFT_FIXES,
        enhanced=("5.7.139",),
        text=r"disabled for the mailbox",
    ),
    KnownReply(
        "The tenant's security defaults refuse passwords: log in with OAuth2 (option oauth), or have an administrator"
        " exempt this account with a Conditional Access policy.",
        _MICROSOFT_FIXES,
        enhanced=("5.7.139",),
        text=r"security defaults|locked by your organization",
    ),
    KnownReply(
        "This account does not accept passwords: log in with OAuth2 (XOAUTH2; option oauth). Microsoft 365 turns"
        " passwords off by default at the end of December 2026; an administrator of a tenant that exists by then can"
        " turn them on again until Microsoft removes them.",
        "https://support.microsoft.com/en-us/office/pop-imap-and-smtp-settings-8361e398-8af4-4e97-b147-6c6c4ac95353",
        enhanced=("5.7.139",),
        text=r"basic authentication is disabled",
    ),
    KnownReply(
        "Microsoft refused the login for one of three reasons: Authenticated SMTP is off for the mailbox or the"
        " tenant, security defaults or Conditional Access refuse it, or the password is wrong. Log in with OAuth2"
        " (option oauth), or have an administrator check them.",
        _MICROSOFT_FIXES,
        enhanced=("5.7.139",),
    ),
    KnownReply(
        "Microsoft has removed passwords for sending: log in with OAuth2 (option oauth), or send through a connector,"
        " Azure Communication Services or your own relay.",
        "https://techcommunity.microsoft.com/t5/exchange-team-blog/"
        "exchange-online-to-retire-basic-auth-for-client-submission-smtp/ba-p/4114750",
        enhanced=("5.7.30",),
        text=r"basic authentication is not supported",
    ),
    KnownReply(
        "The server requires a login before mail: set username and an OAuth2 token or a password, and check that"
        " Authenticated SMTP is on for the mailbox.",
        _MICROSOFT_FIXES,
        enhanced=("5.7.57",),
        text=r"not authenticated",
    ),
    KnownReply(
        "The password or token is wrong, or Authenticated SMTP is off for the mailbox. With OAuth2, the user name must"
        " be a mailbox that the token is good for: that of the user who consented (SMTP.Send), or for an application"
        " (SMTP.SendAsApp) one that New-ServicePrincipal and Add-MailboxPermission opened to it. New-ServicePrincipal"
        " takes the object ID of the Enterprise application; with that of the app registration this reply remains.",
        "https://emailwarmup.com/blog/email-errors/how-to-fix-535-5-7-3-authentication-unsuccessful-office-365-oauth",
        codes=(535,),
        enhanced=("5.7.3",),
        providers=_MICROSOFT,
    ),
    KnownReply(
        "Microsoft accepted the token but cannot open the mailbox: give the service principal FullAccess to it with"
        " Add-MailboxPermission, and set username to that mailbox. A new permission takes up to an hour.",
        "https://github.com/simonrob/email-oauth2-proxy/issues/271",
        codes=(430,),
        enhanced=("4.2.0",),
        text=r"STOREDRV",
    ),
    KnownReply(
        "The mailbox of the login is full, and Microsoft keeps a copy of each message in its Sent Items: empty it, or"
        " have an administrator turn the copies off.",
        "https://learn.microsoft.com/en-us/exchange/troubleshoot/email-delivery/ndr/non-delivery-reports-in-exchange-online",
        enhanced=("5.2.2",),
        providers=_MICROSOFT,
    ),
    KnownReply(
        "The tenant rejects mail that comes without a login to its own address (RejectDirectSend): send through"
        " provider microsoft365 with OAuth2, or have an administrator make a connector for this host's address.",
        "https://techcommunity.microsoft.com/blog/exchange/introducing-more-control-over-direct-send-in-exchange-online/4408790",
        enhanced=("5.7.68",),
        text=r"direct send",
    ),
    KnownReply(
        "Microsoft accepts three simultaneous connections per mailbox, from all hosts together: send them as messages"
        " of one task, use fewer connections, or throttle the play.",
        "https://techcommunity.microsoft.com/blog/exchange/"
        "changes-coming-to-the-smtp-authenticated-submission-client-protocol/607825",
        enhanced=("4.3.2",),
        text=r"concurrent connection|sender thread limit",
    ),
    KnownReply(
        "This login may not send as that address: set from to the mailbox itself, or have an administrator grant it"
        " Send As.",
        "https://learn.microsoft.com/en-us/exchange/troubleshoot/email-delivery/ndr/non-delivery-reports-in-exchange-online",
        text=r"SendAsDenied|not have permissions? to send as this sender",
    ),
    # Gmail and Google Workspace
    KnownReply(
        "Google requires an app password in place of the account password: turn on 2-Step Verification and create one"
        " at https://myaccount.google.com/apppasswords, or log in with OAuth2.",
        _GOOGLE_CODES,
        codes=(534, 535),
        enhanced=("5.7.9",),
        text=r"application-specific password",
    ),
    KnownReply(
        "Google requires the user to log in with a web browser first. Do that from this network, or log in with an app"
        " password or OAuth2.",
        _GOOGLE_CODES,
        codes=(534,),
        enhanced=("5.7.14", "5.7.9"),
        text=r"web browser|accounts\.google\.com",
    ),
    KnownReply(
        "Google did not accept the user name and password: use the full address and an app password (16 letters, no"
        " spaces), not the account password. With OAuth2, the user name must be the mailbox of the token, and its scope"
        " https://mail.google.com/.",
        _GOOGLE_CODES,
        codes=(535,),
        enhanced=("5.7.8",),
        text=r"username and password not accepted|gsmtp",
    ),
    KnownReply(
        "The daily quota of this Google account is used up: wait up to 24 hours, or send through a relay or a sending"
        " service.",
        "https://support.google.com/a/answer/2956491",
        enhanced=("5.4.5",),
        text=r"daily .*(limit|quota)",
    ),
    KnownReply(
        "The daily relay quota of this Google Workspace is used up: wait up to 24 hours.",
        "https://support.google.com/a/answer/2956491",
        text=r"(daily|peak) SMTP relay limit exceeded",
    ),
    KnownReply(
        "Google's relay refuses the name in EHLO, often localhost: set ehlo_name to the public name of this host.",
        "https://github.com/passbolt/passbolt_help/issues/59",
        codes=(421,),
        text=r"try again later, closing connection",
        providers=_GOOGLE,
        stages=(Stage.GREETING, Stage.EHLO, Stage.MAIL),
    ),
    KnownReply(
        "Google slows down mail from this host's address because of unsolicited mail: set messages_per_minute, wait an"
        " hour, and check SPF, DKIM and the reverse name.",
        _GOOGLE_CODES,
        codes=(421, 450),
        text=r"unusual rate of unsolicited mail",
    ),
    KnownReply(
        "The server requires authentication of the sender's domain: publish SPF for the address that the mail is sent"
        " from, or sign it with DKIM for the domain in From.",
        _GOOGLE_CODES,
        enhanced=("5.7.26", "4.7.26"),
    ),
    # NetEase 163 and 126
    KnownReply(
        "SMTP is not turned on for this mailbox: turn on POP3/SMTP/IMAP in its web mail, and use the authorisation"
        " code (授权码) as the password.",
        "https://github.com/open-falcon/mail-provider/issues/6",
        codes=(550,),
        text=r"user has no permission",
    ),
    KnownReply(
        "NetEase treats the message as spam: use a more specific subject and text, avoid words like test, and send the"
        " same text less often.",
        _NETEASE_CODES,
        text=r"\bDT:SPM\b",
    ),
    KnownReply(
        "Too many failed logins: wait before you retry, and use the authorisation code (授权码) as the password.",
        _NETEASE_CODES,
        text=r"too much fail authentication",
    ),
    KnownReply(
        "NetEase received too many connections or messages from this address: use fewer connections, and wait.",
        _NETEASE_CODES,
        codes=(421, 450, 451),
        text=r"\b(HL:(ICC|IFC|REP|MEP)|MI:(DMC|SFQ)|RP:DRC)\b",
    ),
    # Sent by 163, 126, QQ, Exmail and other providers with the same mail systems.
    KnownReply(
        "The envelope sender must be the address of the login: set from or envelope_from to the username.",
        "https://github.com/xuxueli/xxl-job/issues/3858",
        codes=(501, 550, 553),
        text=r"mail from must equal authorized user|mail from address must be same as authorization user",
    ),
    KnownReply(
        "The sender must be a mailbox of this provider: set from to the address of the login.",
        "https://github.com/ruanyf/weather-action/issues/5",
        codes=(553,),
        text=r"local user only",
        providers=_NETEASE,
    ),
    # QQ and Exmail
    KnownReply(
        "QQ requires an authorisation code (授权码) in place of the password: turn on SMTP in the account settings of"
        " its web mail. The reply is the same if the code was revoked, or after too many logins in a short time.",
        "https://github.com/louislam/uptime-kuma/issues/3434",
        codes=(535,),
        text=r"authorization code|service\.mail\.qq\.com",
    ),
    KnownReply(
        "The server requires a login before mail: use the full address and the authorisation code or client password.",
        "https://github.com/ltb-project/self-service-password/issues/436",
        codes=(503,),
        text=r"need EHLO and AUTH first",
    ),
    # Amazon SES
    KnownReply(
        "SES sends only from verified identities, and in the sandbox only to verified ones: verify the address or"
        " domain in this region, or request production access from AWS to leave the sandbox.",
        "https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html",
        codes=(554,),
        text=r"message rejected: email address is not verified",
    ),
    KnownReply(
        "The sending rate or daily quota of the SES account is used up: set messages_per_minute, or request a"
        " higher quota from AWS.",
        _SES_CODES,
        codes=(454,),
        text=r"throttling failure",
    ),
    KnownReply(
        "SES has too many connections from this account: use fewer connections, or increase attempts.",
        _SES_CODES,
        codes=(421,),
        text=r"too many concurrent SMTP connections",
        providers=("ses",),
    ),
    # Other services
    KnownReply(
        "SendGrid does not know this API key: use the key itself (it begins with SG.), not its ID, and the word apikey"
        " as user name.",
        "https://github.com/sendgrid/docs/issues/3947",
        codes=(401, 535),
        text=r"authorization grant is invalid",
    ),
    KnownReply(
        "The credits of the SendGrid account are used up: upgrade its plan, or wait for the next period.",
        "https://github.com/mautic/mautic/issues/8721",
        codes=(451,),
        text=r"maximum credits exceeded",
    ),
    KnownReply(
        "SendGrid sends only from verified senders: verify the address or domain of From under Sender Authentication.",
        "https://github.com/sahat/hackathon-starter/issues/1083",
        codes=(550,),
        text=r"verified sender identity",
    ),
    KnownReply(
        "A Mailgun sandbox domain sends only to authorised recipients: add this one, or send from your own domain.",
        "https://smtptester.org/guides/mailgun-smtp-test/",
        text=r"(sandbox subdomains|free accounts) are for test purposes only",
    ),
    KnownReply(
        "The recipient is on Postmark's suppression list after a bounce or a complaint: reactivate it in the message"
        " stream, or remove it.",
        "https://postmarkapp.com/developer/webhooks/smtp-api-error",
        text=r"marked as inactive|inactive recipient",
    ),
    KnownReply(
        "Yandex treats the message as spam, or the mailbox has sent too much: wait 24 hours without sending.",
        "https://yandex.com/support/mail/web/letter/create/send-many-letters.html",
        codes=(550, 554),
        text=r"spam limit exceeded|rejected under suspicion of spam",
        providers=("yandex",),
    ),
)
