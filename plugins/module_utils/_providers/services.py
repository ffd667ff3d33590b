# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets of services that send mail for applications, as data."""

from __future__ import annotations

from .provider import Citation, Limits, Provider, Secret, implicit, starttls

_SES_REGIONS = (
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
    *("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3"),
    *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
    *("us-gov-east-1", "us-gov-west-1"),
)

SERVICES: tuple[Provider, ...] = (
    Provider(
        name="ses",
        aliases=("amazon_ses", "aws_ses"),
        title="Amazon SES",
        host="email-smtp.{region}.amazonaws.com",
        regions={region: region for region in _SES_REGIONS},
        endpoints=(*starttls(587, 2587, 25), *implicit(465, 2465)),
        login="the SMTP user name that the SES console shows",
        secrets=(Secret.SMTP_KEY,),
        login_advice="SES does not accept an AWS access key: create SMTP credentials in the SES console, in the same"
        " region. They work only in that region.",
        limits=Limits(recipients_per_message=50, message_size=40_000_000),
        notes="An account in the sandbox sends at most 200 messages per day and one per second, and only to verified"
        " addresses. EC2 blocks port 25.",
        citations=(
            Citation("https://docs.aws.amazon.com/ses/latest/DeveloperGuide/smtp-connect.html", "2026-11", "endpoints"),
            Citation(
                "https://github.com/nodemailer/nodemailer/blob/master/lib/well-known/services.json",
                "2026-11",
                "regions",
                secondary=True,
            ),
            Citation("https://postigo.net/smtp/amazon-ses", "2026-11", "host", secondary=True),
            Citation("https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html", "2026-11", "login secrets"),
            Citation("https://docs.aws.amazon.com/ses/latest/dg/quotas.html", "2026-11", "message_size notes"),
            Citation(
                "https://docs.aws.amazon.com/sdkfornet1/latest/apidocs/html/"
                "M_Amazon_SimpleEmail_AmazonSimpleEmailService_SendRawEmail.htm",
                "2026-11",
                "recipients_per_message",
            ),
        ),
    ),
    Provider(
        name="aliyun_directmail",
        aliases=("directmail", "alibaba_directmail"),
        title="Alibaba Cloud DirectMail (阿里云邮件推送)",
        host="smtpdm{region}",
        regions={
            "cn-hangzhou": ".aliyun.com",
            "ap-southeast-1": "-ap-southeast-1.aliyuncs.com",
            "us-east-1": "-us-east-1.aliyuncs.com",
            "eu-central-1": "-eu-central-1.aliyuncs.com",
        },
        endpoints=(*implicit(465), *starttls(80, 25)),
        login="the sender address configured in the DirectMail console",
        secrets=(Secret.SMTP_KEY,),
        login_advice="Set an SMTP password for the sender address in the DirectMail console, under Sender Addresses,"
        " in this region. The user name and the envelope sender are that address.",
        mechanisms=("LOGIN",),
        notes="The envelope sender must be the address of the login; a relay has sender: login for that. Alibaba Cloud"
        " hosts cannot use port 25.",
        citations=(
            Citation(
                "https://www.alibabacloud.com/help/en/direct-mail/smtp-endpoints",
                "2026-11",
                "host regions endpoints notes",
            ),
            Citation(
                "https://help.aliyun.com/en/direct-mail/user-guide/send-emails-using-smtp",
                "2026-11",
                "login secrets mechanisms",
            ),
        ),
    ),
    Provider(
        name="sendgrid",
        aliases=("twilio_sendgrid",),
        title="Twilio SendGrid",
        host="smtp.sendgrid.net",
        endpoints=(*starttls(587, 2525, 25), *implicit(465)),
        login="the word apikey, for every account",
        secrets=(Secret.SMTP_KEY,),
        login_advice="The user name is the word apikey, the password an API key (it begins with SG.) that may send"
        " mail. The ID of the key is not the key.",
        mechanisms=("PLAIN", "LOGIN"),
        limits=Limits(connections=10_000, messages_per_connection=5_000, message_size=31_457_280),
        citations=(
            Citation(
                "https://www.twilio.com/docs/sendgrid/for-developers/sending-email/integrating-with-the-smtp-api",
                "2026-11",
                "host endpoints login secrets connections messages_per_connection",
            ),
            Citation(
                "https://github.com/mautic/mautic/issues/8721", "2026-11", "mechanisms message_size", secondary=True
            ),
        ),
    ),
    Provider(
        name="mailgun",
        title="Mailgun",
        host="smtp{region}.mailgun.org",
        regions={"us": "", "eu": ".eu"},
        endpoints=(*starttls(587, 2525, 25), *implicit(465)),
        login="the SMTP user of the sending domain, such as postmaster@mg.example.com",
        secrets=(Secret.SMTP_KEY,),
        login_advice="Mailgun does not accept an API key for SMTP: reset the password of the SMTP credentials of this"
        " domain, under Sending, Domain settings. The region must be the one in which the domain was created.",
        limits=Limits(message_size=25_000_000),
        citations=(
            Citation(
                "https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/send-smtp.md",
                "2026-11",
                "endpoints secrets",
            ),
            Citation(
                "https://documentation.mailgun.com/docs/mailgun/user-manual/smtp-protocol/standard-email-clients.md",
                "2026-11",
                "host login",
            ),
            Citation("https://smtptester.org/guides/mailgun-smtp-test/", "2026-11", "regions", secondary=True),
            Citation(
                "https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages",
                "2026-11",
                "message_size",
            ),
        ),
    ),
    Provider(
        name="postmark",
        aliases=("postmarkapp",),
        title="Postmark",
        host="{region}.postmarkapp.com",
        regions={"transactional": "smtp", "broadcast": "smtp-broadcasts"},
        default_region="transactional",
        endpoints=starttls(587, 2525, 25),
        login="the server API token, or the access key of an SMTP token",
        secrets=(Secret.SMTP_KEY,),
        login_advice="Use the server API token both as user name and as password, or the access key and secret key of"
        " an SMTP token. Do not use the account API token. SMTP must be on for the server.",
        mechanisms=("CRAM-MD5", "DIGEST-MD5", "PLAIN"),
        limits=Limits(recipients_per_message=50, message_size=10_000_000),
        notes="The region is the type of the message stream. A custom stream needs the header X-PM-Message-Stream.",
        citations=(
            Citation(
                "https://postmarkapp.com/support/article/811-what-are-the-smtp-details-api-tokens-i-should-be-using",
                "2026-11",
                "host regions endpoints login secrets notes",
            ),
            Citation("https://postmarkapp.com/developer/user-guide/send-email-with-smtp", "2026-11", "mechanisms"),
            Citation("https://postmarkapp.com/developer", "2026-11", "recipients_per_message message_size"),
        ),
    ),
    Provider(
        name="brevo",
        aliases=("sendinblue",),
        title="Brevo",
        host="smtp-relay.brevo.com",
        endpoints=(*implicit(465), *starttls(587, 2525)),
        login="the SMTP login shown under SMTP & API",
        secrets=(Secret.SMTP_KEY,),
        login_advice="Brevo accepts neither an API key nor the account password for SMTP: use the SMTP login and an"
        " SMTP key, both from https://app.brevo.com/settings/keys/smtp.",
        citations=(
            Citation("https://developers.brevo.com/docs/smtp-integration", "2026-11", "endpoints secrets"),
            Citation("https://developers.brevo.com/docs/node-smtp-relay-example.md", "2026-11", "host login"),
        ),
    ),
    Provider(
        name="resend",
        title="Resend",
        host="smtp.resend.com",
        endpoints=(*implicit(465, 2465), *starttls(587, 2587, 25)),
        login="the word resend, for every account",
        secrets=(Secret.SMTP_KEY,),
        login_advice="The user name is the word resend, the password an API key (it begins with re_).",
        citations=(Citation("https://resend.com/docs/send-with-smtp.md", "2026-11", "host endpoints login secrets"),),
    ),
    Provider(
        name="smtp2go",
        title="SMTP2GO",
        host="mail{region}.smtp2go.com",
        regions={"global": "", "us": "-us", "eu": "-eu", "au": "-au"},
        default_region="global",
        endpoints=(*starttls(2525, 8025, 587, 80, 25), *implicit(465, 8465, 443)),
        login="the name of an SMTP user",
        secrets=(Secret.SMTP_KEY,),
        login_advice="Use the name and password of an SMTP user, created under Sending, SMTP Users, not those of the"
        " SMTP2GO account.",
        citations=(
            Citation(
                "https://developers.smtp2go.com/docs/smtp-relay", "2026-11", "host regions endpoints login secrets"
            ),
        ),
    ),
    Provider(
        name="mailjet",
        title="Mailjet",
        host="in-v3.mailjet.com",
        endpoints=(*starttls(587), *implicit(465)),
        login="the API key",
        secrets=(Secret.SMTP_KEY,),
        login_advice="The user name is the API key and the password the secret key, both from the API key page. A"
        " sub-account has its own pair of keys.",
        citations=(
            Citation("https://rubydoc.info/gems/mailjet/Mailjet/Mailer", "2026-11", "host login secrets"),
            Citation("https://smtptester.org/guides/mailjet-smtp-test/", "2026-11", "endpoints", secondary=True),
        ),
    ),
    Provider(
        name="sparkpost",
        title="SparkPost",
        host="smtp{region}.sparkpostmail.com",
        regions={"us": "", "eu": ".eu"},
        endpoints=starttls(587, 2525),
        login="the word SMTP_Injection, for every account",
        secrets=(Secret.SMTP_KEY,),
        login_advice="The user name is the word SMTP_Injection, the password an API key with the permission Send via"
        " SMTP, created in this region.",
        mechanisms=("LOGIN",),
        limits=Limits(messages_per_connection=100),
        citations=(
            Citation(
                "https://developers.sparkpost.com/api/smtp/",
                "2026-11",
                "host regions endpoints login secrets mechanisms messages_per_connection",
            ),
        ),
    ),
    Provider(
        name="mailersend",
        title="MailerSend",
        host="smtp.mailersend.net",
        endpoints=starttls(587),
        login="the generated name of an SMTP user",
        secrets=(Secret.SMTP_KEY,),
        login_advice="Use the generated name and password of an SMTP user, under Domains, Manage, SMTP, not those of"
        " the account and not an API token.",
        notes="The sender must be in a verified domain.",
        citations=(
            Citation(
                "https://github.com/nodemailer/nodemailer/blob/master/lib/well-known/services.json",
                "2026-11",
                "host",
                secondary=True,
            ),
            Citation("https://developers.mailersend.com/smtp-relay.html", "2026-11", "endpoints"),
            Citation("https://www.mailersend.com/help/smtp-relay", "2026-11", "login secrets notes"),
        ),
    ),
    Provider(
        name="mailtrap",
        title="Mailtrap Email Sending",
        host="live.smtp.mailtrap.io",
        endpoints=starttls(587),
        login="the word api, for every account",
        secrets=(Secret.SMTP_KEY,),
        login_advice="The user name is the word api, the password an API token of a verified sending domain. The login"
        " of a testing inbox does not work here.",
        citations=(Citation("https://mailtrap.io/smtp-service/", "2026-11", "host endpoints login secrets"),),
    ),
)
