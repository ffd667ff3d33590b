# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Providers that host the mail of one's own domain, as data."""

from __future__ import annotations

from .provider import Limits, Provider, Secret, Source, implicit, starttls

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
        login="none when the relay knows your address, or the full address of a Workspace user",
        secrets=(Secret.APP_PASSWORD,),
        login_advice="In the Admin console, under Gmail, Routing, SMTP relay service, either add the address this host"
        " sends from, or require SMTP authentication and give a user's app password.",
        limits=Limits(messages_per_day=10_000, recipients_per_day=10_000),
        notes="The limits are for each user. The relay refuses clients that call themselves localhost: give an EHLO"
        " name of yours.",
        sources=(
            Source(
                "https://support.google.com/a/answer/2956491",
                "2026-11",
                "host endpoints login messages_per_day recipients_per_day",
            ),
            Source("https://prospeo.io/s/gmail-smtp-relay-server", "2026-11", "secrets"),
            Source("https://github.com/passbolt/passbolt_help/issues/59", "2026-11", "notes"),
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
        login_advice="Use OAuth2: Microsoft is ending passwords here, off by default after December 2026. Authenticated"
        " SMTP must be on for the mailbox (Microsoft 365 admin center, Active users, Mail, Manage email apps) and for"
        " the tenant, and security defaults block passwords.",
        mechanisms=("LOGIN", "XOAUTH2"),
        oauth="microsoft",
        limits=Limits(connections=3, messages_per_minute=30, recipients_per_day=10_000),
        notes="The envelope sender must be the mailbox of the login, or one it may send as. Three connections are for"
        " all hosts together: a play with many forks needs one task that sends a list, or throttle: 1.",
        sources=(
            Source(
                "https://learn.microsoft.com/en-us/exchange/mail-flow-best-practices/"
                "how-to-set-up-a-multifunction-device-or-application-to-send-email-using-microsoft-365-or-office-365",
                "2026-11",
                "host endpoints login notes",
            ),
            Source("https://github.com/wekan/wekan/issues/6668", "2026-11", "secrets oauth"),
            Source("https://github.com/wneessen/go-mail/issues/130", "2026-11", "mechanisms"),
            Source(
                "https://techcommunity.microsoft.com/blog/exchange/"
                "changes-coming-to-the-smtp-authenticated-submission-client-protocol/607825",
                "2026-11",
                "connections recipients_per_day",
            ),
            Source(
                "https://northcentral.teamdynamix.com/TDClient/1980/Portal/KB/ArticleDet?ID=70527",
                "2026-11",
                "messages_per_minute",
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
        login_advice="The administrator must allow third-party clients for the mailbox. Where the security password for"
        " third-party clients (三方客户端安全密码) is on, give that and not the login password.",
        sources=(
            Source("https://help.aliyun.com/en/document_detail/36687.html", "2026-11", "host endpoints login secrets"),
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
        login_advice="Switch on IMAP/SMTP in the settings of the mailbox. Where secure login (安全登录) is on, give a"
        " client password made there and not the login password.",
        notes="The envelope sender must be the address of the login.",
        sources=(
            Source("https://www.67wa.com/127803.html", "2026-11", "host endpoints login secrets"),
            Source("https://github.com/gshang2017/docker/issues/18", "2026-11", "notes"),
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
        login_advice="The region must be the one the account was made in, as the address of the web mail shows. With"
        " two-factor authentication, give an application-specific password. Paid plans are provider zoho_pro.",
        sources=(Source("https://postigo.net/smtp/zoho", "2026-11", "host regions endpoints login secrets"),),
    ),
    Provider(
        name="zoho_pro",
        aliases=("zohopro", "zoho_workplace"),
        title="Zoho Mail, paid plans with an own domain",
        host="smtppro.zoho.{region}",
        regions=_ZOHO_REGIONS,
        endpoints=(*implicit(465), *starttls(587)),
        login="the full address",
        secrets=(Secret.PASSWORD, Secret.APP_PASSWORD),
        login_advice="The region must be the one the account was made in, as the address of the web mail shows. With"
        " two-factor authentication, give an application-specific password. Free plans are provider zoho.",
        sources=(Source("https://postigo.net/smtp/zoho", "2026-11", "host regions endpoints login secrets"),),
    ),
    Provider(
        name="ovh",
        aliases=("ovhcloud", "ovh_mx_plan"),
        title="OVHcloud MX Plan",
        host="ssl0.ovh.net",
        endpoints=(*implicit(465), *starttls(587)),
        login="the full address",
        secrets=(Secret.PASSWORD,),
        login_advice="Give the full address and the password of the mailbox, set in the OVHcloud Control Panel."
        " Email Pro and Exchange have hosts of their own: name them with host.",
        sources=(Source("https://www.quai-des-entrepreneurs.com/ovh-mail", "2026-11", "host endpoints login secrets"),),
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
        login_advice="Give the full address and the password of the mailbox, not those of the IONOS customer account.",
        sources=(Source(f"{_ISPDB}/ionos.de", "2026-11", "host regions endpoints login secrets"),),
    ),
    Provider(
        name="protonmail",
        aliases=("proton", "proton_mail"),
        title="Proton Mail, SMTP submission",
        host="smtp.protonmail.ch",
        endpoints=starttls(587),
        login="the address of your own domain that the token was made for",
        secrets=(Secret.SMTP_KEY,),
        login_advice="Proton takes no account password: make an SMTP token for the address, in its settings under"
        " IMAP/SMTP. That needs a plan with SMTP submission and an address of your own domain.",
        notes="Mail sent so is not end-to-end encrypted.",
        sources=(
            Source(
                "https://github.com/nodemailer/nodemailer/blob/master/lib/well-known/services.json",
                "2026-11",
                "host endpoints",
            ),
            Source("https://proton.me/support/smtp-submission", "2026-11", "login secrets notes"),
        ),
    ),
    Provider(
        name="migadu",
        title="Migadu",
        host="smtp.migadu.com",
        endpoints=implicit(465),
        login="the full address",
        secrets=(Secret.PASSWORD,),
        login_advice="Give the full address of a mailbox or identity and its password, not those of the Migadu admin.",
        sources=(Source(f"{_ISPDB}/migadu.com.xml", "2026-11", "host endpoints login secrets"),),
    ),
    Provider(
        name="mailbox_org",
        title="mailbox.org",
        host="smtp.mailbox.org",
        endpoints=(*implicit(465), *starttls(587)),
        login="the main address of the mailbox",
        secrets=(Secret.PASSWORD, Secret.APP_PASSWORD),
        login_advice="Give the main address and not an alias. With two-factor authentication, give an application"
        " password, made under All settings, Security.",
        sources=(
            Source(
                "https://kb.mailbox.org/en/business/e-mail/e-mail-configuration/",
                "2026-11",
                "host endpoints login secrets",
            ),
        ),
    ),
)
