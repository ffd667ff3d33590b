# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets of providers that host mail for a customer's domain, as data."""

from __future__ import annotations

from .provider import Citation, Limits, Provider, Secret, implicit, starttls

_ISPDB = "https://github.com/thunderbird/autoconfig/blob/master/ispdb"
_ZOHO_REGIONS = {
    "us": "com",
    "eu": "eu",
    "in": "in",
    "au": "com.au",
    "jp": "jp",
    "cn": "com.cn",
    "sa": "sa",
}

HOSTING: tuple[Provider, ...] = (
    Provider(
        name="google_workspace_relay",
        aliases=("workspace_relay", "gmail_relay", "google_relay"),
        title="Google Workspace SMTP relay",
        host="smtp-relay.gmail.com",
        endpoints=starttls(587),
        login="none if the relay allows your IP address, or the full address of a Workspace user",
        secrets=(Secret.APP_PASSWORD,),
        login_advice="In the Admin console, under Gmail, Routing, SMTP relay service, either add the IP address that"
        " this host sends from, or require SMTP authentication and use a user's app password.",
        limits=Limits(messages_per_day=10_000, recipients_per_day=10_000),
        notes="The limits are for each user. The relay refuses clients that send localhost in EHLO: set ehlo_name to"
        " the public name of this host.",
        citations=(
            Citation(
                "https://support.google.com/a/answer/2956491",
                "2026-11",
                "host endpoints login messages_per_day recipients_per_day",
            ),
            Citation("https://prospeo.io/s/gmail-smtp-relay-server", "2026-11", "secrets", secondary=True),
            Citation("https://github.com/passbolt/passbolt_help/issues/59", "2026-11", "notes", secondary=True),
        ),
    ),
    Provider(
        name="microsoft365",
        aliases=("microsoft_365", "office365", "office_365", "outlook365", "m365", "o365", "exchange_online"),
        title="Microsoft 365, Exchange Online",
        host="smtp.office365.com",
        endpoints=starttls(587, 25),
        login="the full address of the licensed mailbox",
        secrets=(Secret.OAUTH2, Secret.PASSWORD),
        login_advice="Use OAuth2 (option oauth). Microsoft turns passwords (basic authentication) off by default at the"
        " end of December 2026: an administrator can turn them on again in a tenant that exists by then; a tenant"
        " created later cannot use them by default. Microsoft will announce the date of their removal in the second"
        " half of 2027. Authenticated SMTP must be on for the mailbox (Microsoft 365 admin center, Active users, Mail,"
        " Manage email apps) and for the tenant, and security defaults block passwords.",
        mechanisms=("LOGIN", "XOAUTH2"),
        oauth="microsoft",
        limits=Limits(connections=3, messages_per_minute=30, recipients_per_day=10_000),
        notes="The envelope sender must be the mailbox of the login, or one that it may send as. The limit of three"
        " connections is for all hosts together: a play with many forks needs one task that sends a list, or"
        " throttle: 1.",
        citations=(
            Citation(
                "https://learn.microsoft.com/en-us/exchange/mail-flow-best-practices/"
                "how-to-set-up-a-multifunction-device-or-application-to-send-email-using-microsoft-365-or-office-365",
                "2026-11",
                "host endpoints login notes",
            ),
            Citation(
                "https://techcommunity.microsoft.com/blog/exchange/"
                "updated-exchange-online-smtp-auth-basic-authentication-deprecation-timeline/4489835",
                "2026-11",
                "secrets",
            ),
            Citation(
                "https://learn.microsoft.com/exchange/client-developer/legacy-protocols/"
                "how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth",
                "2026-11",
                "oauth",
            ),
            Citation("https://github.com/wneessen/go-mail/issues/130", "2026-11", "mechanisms", secondary=True),
            Citation(
                "https://techcommunity.microsoft.com/blog/exchange/"
                "changes-coming-to-the-smtp-authenticated-submission-client-protocol/607825",
                "2026-11",
                "connections recipients_per_day",
            ),
            Citation(
                "https://northcentral.teamdynamix.com/TDClient/1980/Portal/KB/ArticleDet?ID=70527",
                "2026-11",
                "messages_per_minute",
                secondary=True,
            ),
        ),
    ),
    Provider(
        name="aliyun_enterprise",
        aliases=("aliyun_qiye", "alibaba_mail"),
        title="Alibaba Mail, enterprise (阿里企业邮箱)",
        host="smtp.qiye.aliyun.com",
        endpoints=implicit(465),
        login="the full address",
        secrets=(Secret.PASSWORD, Secret.APP_PASSWORD),
        login_advice="The administrator must allow third-party clients for the mailbox. If the security password for"
        " third-party clients (三方客户端安全密码) is on, use that and not the login password.",
        citations=(
            Citation(
                "https://help.aliyun.com/en/document_detail/36687.html", "2026-11", "host endpoints login secrets"
            ),
        ),
    ),
    Provider(
        name="tencent_exmail",
        aliases=("exmail", "qqex"),
        title="Tencent Exmail (腾讯企业邮箱)",
        host="smtp.exmail.qq.com",
        endpoints=implicit(465),
        login="the full address",
        secrets=(Secret.PASSWORD, Secret.APP_PASSWORD),
        login_advice="Turn on IMAP/SMTP in the settings of the mailbox. If secure login (安全登录) is on, use a client"
        " password created there and not the login password.",
        notes="The envelope sender must be the address of the login; a relay has sender: login for that.",
        citations=(
            Citation("https://www.67wa.com/127803.html", "2026-11", "host endpoints login secrets", secondary=True),
            Citation("https://github.com/gshang2017/docker/issues/18", "2026-11", "notes", secondary=True),
        ),
    ),
    Provider(
        name="zoho",
        aliases=("zoho_mail",),
        title="Zoho Mail, free and personal",
        host="smtp.zoho.{region}",
        regions=_ZOHO_REGIONS,
        endpoints=(*implicit(465), *starttls(587)),
        login="the full address",
        secrets=(Secret.PASSWORD, Secret.APP_PASSWORD),
        login_advice="The region must be the one in which the account was created, as the address of the web mail"
        " shows. With two-factor authentication, use an application-specific password. For paid plans, use zoho_pro.",
        citations=(
            Citation(
                "https://postigo.net/smtp/zoho", "2026-11", "host regions endpoints login secrets", secondary=True
            ),
        ),
    ),
    Provider(
        name="zoho_pro",
        aliases=("zohopro", "zoho_workplace"),
        title="Zoho Mail, paid plans with your own domain",
        host="smtppro.zoho.{region}",
        regions=_ZOHO_REGIONS,
        endpoints=(*implicit(465), *starttls(587)),
        login="the full address",
        secrets=(Secret.PASSWORD, Secret.APP_PASSWORD),
        login_advice="The region must be the one in which the account was created, as the address of the web mail"
        " shows. With two-factor authentication, use an application-specific password. For free plans, use zoho.",
        citations=(
            Citation(
                "https://postigo.net/smtp/zoho", "2026-11", "host regions endpoints login secrets", secondary=True
            ),
        ),
    ),
    Provider(
        name="ovh",
        aliases=("ovhcloud", "ovh_mx_plan"),
        title="OVHcloud MX Plan",
        host="ssl0.ovh.net",
        endpoints=(*implicit(465), *starttls(587)),
        login="the full address",
        secrets=(Secret.PASSWORD,),
        login_advice="Use the full address and the password of the mailbox, set in the OVHcloud Control Panel."
        " Email Pro and Exchange use other hosts: set them with host.",
        citations=(
            Citation(
                "https://github.com/ovh/docs/blob/master/pages/web/emails/email_generalities/guide.en-gb.md",
                "2026-11",
                "host endpoints",
            ),
            Citation(
                "https://github.com/ovh/docs/blob/master/pages/web/emails/how_to_configure_mail_macos/guide.en-gb.md",
                "2026-11",
                "login secrets",
            ),
        ),
    ),
    Provider(
        name="ionos",
        aliases=("1und1", "1and1"),
        title="IONOS",
        host="smtp.ionos.{region}",
        regions={"com": "com", "de": "de", "es": "es"},
        endpoints=(*implicit(465), *starttls(587)),
        login="the full address",
        secrets=(Secret.PASSWORD,),
        login_advice="Use the full address and the password of the mailbox, not those of the IONOS customer account.",
        citations=(Citation(f"{_ISPDB}/ionos.de", "2026-11", "host regions endpoints login secrets", secondary=True),),
    ),
    Provider(
        name="protonmail",
        aliases=("proton", "proton_mail"),
        title="Proton Mail, SMTP submission",
        host="smtp.protonmail.ch",
        endpoints=starttls(587),
        login="the address of your own domain for which the token was created",
        secrets=(Secret.SMTP_KEY,),
        login_advice="Proton does not accept the account password: create an SMTP token for the address, in its"
        " settings under IMAP/SMTP. That requires a plan with SMTP submission and an address of your own domain.",
        notes="Mail sent over SMTP submission is not end-to-end encrypted.",
        citations=(
            Citation(
                "https://github.com/nodemailer/nodemailer/blob/master/lib/well-known/services.json",
                "2026-11",
                "host endpoints",
                secondary=True,
            ),
            Citation("https://proton.me/support/smtp-submission", "2026-11", "login secrets notes"),
        ),
    ),
    Provider(
        name="migadu",
        title="Migadu",
        host="smtp.migadu.com",
        endpoints=implicit(465),
        login="the full address",
        secrets=(Secret.PASSWORD,),
        login_advice="Use the full address of a mailbox or identity and its password, not those of the Migadu admin.",
        citations=(Citation(f"{_ISPDB}/migadu.com.xml", "2026-11", "host endpoints login secrets", secondary=True),),
    ),
    Provider(
        name="mailbox_org",
        title="mailbox.org",
        host="smtp.mailbox.org",
        endpoints=(*implicit(465), *starttls(587)),
        login="the main address of the mailbox",
        secrets=(Secret.PASSWORD, Secret.APP_PASSWORD),
        login_advice="Use the main address and not an alias. With two-factor authentication, use an application"
        " password, created under All settings, Security.",
        citations=(
            Citation(
                "https://kb.mailbox.org/en/business/e-mail/e-mail-configuration/",
                "2026-11",
                "host endpoints login secrets",
            ),
        ),
    ),
)
