# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets of providers of personal mailboxes, as data."""

from __future__ import annotations

from .provider import Citation, Limits, Provider, Secret, implicit, starttls

_NODEMAILER = "https://github.com/nodemailer/nodemailer/blob/master/lib/well-known/services.json"
_ISPDB = "https://github.com/thunderbird/autoconfig/blob/master/ispdb"

MAILBOXES: tuple[Provider, ...] = (
    Provider(
        name="gmail",
        aliases=("googlemail", "google_mail", "google_workspace"),
        title="Gmail and Google Workspace mailboxes",
        host="smtp.gmail.com",
        endpoints=(*starttls(587), *implicit(465)),
        login="the full address, such as name@gmail.com",
        secrets=(Secret.APP_PASSWORD, Secret.OAUTH2),
        login_advice="Google does not accept the account password: turn on 2-Step Verification, create an app password"
        " at https://myaccount.google.com/apppasswords and use its 16 letters without spaces, or use OAuth2.",
        mechanisms=("XOAUTH2",),
        oauth="google",
        limits=Limits(messages_per_day=500),
        notes="The limit of 500 messages per day is for gmail.com; Workspace mailboxes may send 2,000.",
        citations=(
            Citation("https://developers.google.cn/gmail/oauth_overview", "2026-11", "host endpoints"),
            Citation(
                "https://codeopx.com/email/guides/gmail", "2026-11", "login messages_per_day notes", secondary=True
            ),
            Citation("https://prospeo.io/s/setup-smtp-gmail", "2026-11", "secrets", secondary=True),
            Citation("https://developers.google.com/gmail/xoauth2_protocol", "2026-11", "mechanisms oauth"),
        ),
    ),
    Provider(
        name="outlook",
        aliases=("outlook_com", "hotmail", "live"),
        title="Outlook.com, Hotmail and Live",
        host="smtp-mail.outlook.com",
        endpoints=starttls(587),
        login="the full address, such as name@outlook.com",
        secrets=(Secret.OAUTH2,),
        login_advice="Outlook.com no longer accepts passwords: log in with OAuth2 (XOAUTH2), and allow POP and IMAP in"
        " its settings under Mail, Forwarding and IMAP.",
        oauth="microsoft",
        citations=(
            Citation(
                "https://support.microsoft.com/en-us/office/pop-imap-and-smtp-settings-8361e398-8af4-4e97-b147-6c6c4ac95353",
                "2026-11",
                "host endpoints login secrets oauth",
            ),
        ),
    ),
    Provider(
        name="163",
        aliases=("netease_163", "163_com"),
        title="NetEase 163 (网易)",
        host="smtp.163.com",
        endpoints=implicit(465, 994),
        login="the full address, such as name@163.com",
        secrets=(Secret.AUTHORISATION_CODE,),
        login_advice="163 does not accept the account password: turn on POP3/SMTP/IMAP in the settings of its web mail"
        " and use the authorisation code (授权码) that it then shows.",
        notes="The envelope sender must be the address of the login; a relay has sender: login for that.",
        citations=(
            Citation(
                "https://support.websoft9.com/docs/smtps", "2026-11", "host endpoints login secrets", secondary=True
            ),
            Citation("https://github.com/xuxueli/xxl-job/issues/3858", "2026-11", "notes", secondary=True),
        ),
    ),
    Provider(
        name="126",
        aliases=("netease_126", "126_com"),
        title="NetEase 126 (网易)",
        host="smtp.126.com",
        endpoints=implicit(465),
        login="the full address, such as name@126.com",
        secrets=(Secret.AUTHORISATION_CODE,),
        login_advice="126 does not accept the account password: turn on POP3/SMTP/IMAP in the settings of its web mail"
        " and use the authorisation code (授权码) that it then shows.",
        citations=(
            Citation(_NODEMAILER, "2026-11", "host endpoints", secondary=True),
            Citation("https://support.websoft9.com/docs/smtps", "2026-11", "login secrets", secondary=True),
        ),
    ),
    Provider(
        name="qq",
        aliases=("qq_mail", "qqmail"),
        title="QQ Mail (QQ邮箱)",
        host="smtp.qq.com",
        endpoints=(*implicit(465), *starttls(587)),
        login="the full address, such as 123456@qq.com",
        secrets=(Secret.AUTHORISATION_CODE,),
        login_advice="QQ does not accept the account password: turn on POP3/IMAP/SMTP in the account settings of its"
        " web mail and use the 16 letters of the authorisation code (授权码).",
        limits=Limits(messages_per_day=500),
        notes="The envelope sender must be the address of the login; a relay has sender: login for that.",
        citations=(
            Citation(
                "https://cloud.kd.cn/ask/9658.html",
                "2026-11",
                "host endpoints secrets messages_per_day",
                secondary=True,
            ),
            Citation("https://www.russky.net/zixun/189553.html", "2026-11", "login", secondary=True),
            Citation(
                "https://github.com/nodeSolidServer/node-solid-server/issues/1281", "2026-11", "notes", secondary=True
            ),
        ),
    ),
    Provider(
        name="aliyun",
        aliases=("aliyun_personal",),
        title="Aliyun Mail, personal (阿里云邮箱)",
        host="smtp.aliyun.com",
        endpoints=implicit(465),
        login="the full address, such as name@aliyun.com",
        secrets=(Secret.PASSWORD,),
        login_advice="Use the full address and the password of the mailbox, and check that its settings allow SMTP. For"
        " mailboxes of your own domain, use provider aliyun_enterprise, and for DirectMail aliyun_directmail.",
        citations=(
            Citation(_NODEMAILER, "2026-11", "host endpoints", secondary=True),
            Citation("https://www.yunzhuji.net/aliyun/271458.html", "2026-11", "login secrets", secondary=True),
        ),
    ),
    Provider(
        name="icloud",
        aliases=("icloud_mail", "me_com"),
        title="iCloud Mail",
        host="smtp.mail.me.com",
        endpoints=starttls(587),
        login="the full iCloud address, such as name@icloud.com",
        secrets=(Secret.APP_PASSWORD,),
        login_advice="iCloud does not accept the password of the Apple account: create an app-specific password at"
        " https://account.apple.com, which requires two-factor authentication.",
        limits=Limits(recipients_per_day=1000, message_size=20_000_000),
        citations=(
            Citation(
                "https://meshworld.in/blog/devops/email/icloud-smtp-server",
                "2026-11",
                "host endpoints login secrets",
                secondary=True,
            ),
            Citation("https://support.apple.com/kb/HT4863", "2026-11", "recipients_per_day message_size"),
        ),
    ),
    Provider(
        name="yahoo",
        aliases=("yahoo_mail", "ymail"),
        title="Yahoo Mail",
        host="smtp.mail.yahoo.com",
        endpoints=(*implicit(465), *starttls(587)),
        login="the full address, such as name@yahoo.com",
        secrets=(Secret.APP_PASSWORD,),
        login_advice="Yahoo does not accept the account password: turn on two-step verification, then create an app"
        " password under Account Security.",
        citations=(
            Citation(
                "https://xenocept.com/docs/email-setup/yahoo.html",
                "2026-11",
                "host endpoints login secrets",
                secondary=True,
            ),
        ),
    ),
    Provider(
        name="yandex",
        aliases=("yandex_mail",),
        title="Yandex Mail",
        host="smtp.yandex.ru",
        endpoints=implicit(465),
        login="the full address, such as name@yandex.ru",
        secrets=(Secret.APP_PASSWORD,),
        login_advice="Yandex does not accept the account password: allow mail clients in its settings under Email"
        " clients, and create an app password for mail at https://id.yandex.ru/security/app-passwords.",
        limits=Limits(messages_per_day=500, recipients_per_message=35, recipients_per_day=500),
        citations=(
            Citation(_NODEMAILER, "2026-11", "host endpoints", secondary=True),
            Citation(
                "https://github.com/caronc/apprise/blob/master/apprise/plugins/email/templates.py",
                "2026-11",
                "login",
                secondary=True,
            ),
            Citation(
                "https://yandex.com/support/passport/authorization/app-passwords.html",
                "2026-11",
                "secrets",
            ),
            Citation(
                "https://yandex.com/support/mail/web/letter/create/send-many-letters.html",
                "2026-11",
                "messages_per_day recipients_per_message recipients_per_day",
            ),
        ),
    ),
    Provider(
        name="gmx",
        title="GMX",
        host="mail.gmx.{region}",
        regions={"net": "net", "com": "com"},
        endpoints=(*implicit(465), *starttls(587)),
        login="the full address, such as name@gmx.net",
        secrets=(Secret.PASSWORD, Secret.APP_PASSWORD),
        login_advice="Allow POP3 and IMAP once in the settings of the mailbox. With two-factor authentication, use an"
        " application-specific password. Region net is for gmx.net, .de, .at and .ch, com for the other domains.",
        citations=(
            Citation(f"{_ISPDB}/gmx.net.xml", "2026-11", "host regions endpoints login", secondary=True),
            Citation("https://www.gmx.com/security/2fa/", "2026-11", "secrets"),
        ),
    ),
    Provider(
        name="fastmail",
        title="Fastmail",
        host="smtp.fastmail.com",
        endpoints=implicit(465),
        login="the full Fastmail address, including its domain",
        secrets=(Secret.APP_PASSWORD,),
        login_advice="Fastmail does not accept the account password: create an app password that may send mail, in its"
        " settings under Privacy & Security.",
        mechanisms=("PLAIN",),
        citations=(
            Citation(
                "https://www.fastmail.com/help/technical/servernamesandports.html",
                "2026-11",
                "host endpoints login secrets mechanisms",
            ),
        ),
    ),
)
