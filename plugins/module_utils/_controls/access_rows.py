# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of who may send: logins, and relaying without one."""

from __future__ import annotations

from .control import ALL, RELAYS, SUBMISSION, Conflict, Control, Effect, Rows, from_host, from_proof, from_smtp
from .finding import Severity
from .source import Source, rfc

_RELAY_RULES = tuple(
    Source(name, rule, "The control accepts other restrictions than permit_mynetworks and reject.")
    for name, rule in {
        "STIG RHEL 8": "RHEL-08-040290",
        "STIG RHEL 9": "RHEL-09-252050",
        "STIG RHEL 10": "RHEL-10-200692",
        "STIG Oracle Linux 8": "OL08-00-040290",
        "STIG Oracle Linux 9": "OL09-00-002425",
    }.items()
)
_RELAY_CONFLICT = Conflict(
    _RELAY_RULES,
    RELAYS,
    Effect.WAIVER,
    "The rule sets smtpd_client_restrictions to permit_mynetworks, reject, which refuses every client that logs in and"
    " every server that brings mail. The relay refuses to relay by smtpd_relay_restrictions instead. The rules of"
    " RHEL 9, RHEL 10 and Oracle Linux 9 allow other entries that are documented with the ISSO.",
)

ROWS: Rows = (
    Control(
        id="MR-AUTH-01",
        title="A login is neither offered nor accepted before TLS",
        severity=Severity.CRITICAL,
        rationale="A password that is sent in clear can be read on the way, and then used to send spam.",
        sources=(
            rfc(4954, "4"),
            Source("PCI DSS", "8.3.2", "Only logins over SMTP are looked at."),
            Source("SP 800-53", "IA-5", "Only the way of passwords over SMTP is looked at."),
        ),
        profiles=RELAYS,
        needs=(from_smtp("ehlo", "probes.auth_before_tls"), from_host("config")),
        by_hand="Set smtpd_tls_auth_only to yes, and smtpd_sasl_auth_enable to no where no login is needed.",
        variables=("relay_listeners[].tls",),
    ),
    Control(
        id="MR-AUTH-02",
        title="Only login mechanisms of the declared list are offered",
        severity=Severity.MEDIUM,
        rationale="Old mechanisms such as DIGEST-MD5 are weak, and each further one is another way in.",
        sources=(rfc(4954, "4"),),
        profiles=SUBMISSION,
        needs=(from_smtp("ehlo_in_tls"),),
        by_hand="Set smtpd_sasl_mechanism_filter, or the mechanisms of Dovecot (auth_mechanisms).",
    ),
    Control(
        id="MR-AUTH-03",
        title="A valid login is accepted on each listener that requires one",
        severity=Severity.CRITICAL,
        rationale="If users cannot log in, no mail is sent, and the other controls of logins prove nothing.",
        sources=(rfc(4954, "4"),),
        profiles=SUBMISSION,
        needs=(from_proof("logins"), from_smtp("login")),
        by_hand="Look in the log of Postfix and Dovecot for the reason, and correct the password file or the socket.",
        variables=("relay_users", "relay_listeners[].login"),
        conflicts=(
            Conflict(
                (Source("SCuBA", "MS.EXO.5.1v1"),),
                SUBMISSION,
                Effect.NOT_APPLICABLE,
                "The policy turns logins over SMTP off in Exchange Online. A submission relay is there to offer them.",
            ),
        ),
    ),
    Control(
        id="MR-AUTH-04",
        title="A wrong password and an unknown user get the same refusal, 535",
        severity=Severity.HIGH,
        rationale="A server that accepts any password is open to all. One that answers differently tells strangers"
        " which users exist.",
        sources=(rfc(4954, "6"),),
        profiles=SUBMISSION,
        needs=(from_proof("logins"), from_smtp("probes.login_replies")),
        by_hand="Let Dovecot verify the passwords, without a database that accepts any password or none.",
        variables=("relay_users[].password_hash",),
    ),
    Control(
        id="MR-AUTH-05",
        title="Listeners that require a login refuse mail without one",
        severity=Severity.HIGH,
        rationale="Submission ports are open to all networks. Without a required login, anyone could send.",
        sources=(rfc(6409, "4.3"),),
        profiles=SUBMISSION,
        needs=(from_proof("logins"), from_smtp("sender", "probes.relay")),
        by_hand="Set smtpd_client_restrictions of the submission services to permit_sasl_authenticated, reject.",
        variables=("relay_listeners[].login",),
    ),
    Control(
        id="MR-AUTH-06",
        title="A user cannot send with the address of another user",
        severity=Severity.MEDIUM,
        rationale="With one stolen password, mail could be sent in the name of everyone.",
        sources=(rfc(6409, "6.1"),),
        profiles=SUBMISSION,
        needs=(from_proof("logins"), from_host("config")),
        by_hand="List the addresses of each user in smtpd_sender_login_maps, and set reject_sender_login_mismatch.",
        variables=("relay_users[].senders",),
    ),
    Control(
        id="MR-RELAY-01",
        title="No known way to relay works for strangers",
        severity=Severity.CRITICAL,
        rationale="An open relay is found within hours, sends spam, and soon stands on every block list.",
        sources=_RELAY_RULES,
        profiles=RELAYS,
        needs=(from_smtp("probes.relay"),),
        by_hand="Set smtpd_relay_restrictions to permit_mynetworks, permit_sasl_authenticated,"
        " reject_unauth_destination, and remove checks that permit more.",
        variables=("relay_networks", "relay_domains", "relay_settings"),
        conflicts=(_RELAY_CONFLICT,),
    ),
    Control(
        id="MR-RELAY-02",
        title="Allowed networks are as small as possible, without public ranges",
        severity=Severity.HIGH,
        rationale="Every host in these networks can send without a login, so a wide one makes an open relay.",
        sources=(Source("SP 800-53", "CM-6", "Only settings of Postfix are looked at."),),
        profiles=ALL,
        needs=(from_host("config"),),
        by_hand="List in mynetworks the hosts that cannot log in, and loopback.",
        variables=("relay_networks",),
    ),
    Control(
        id="MR-RELAY-03",
        title="The relay restrictions of each listener end with a refusal",
        severity=Severity.HIGH,
        rationale="These restrictions hold on their own. If they end without a refusal, one wrong rule among those for"
        " recipients opens the relay.",
        sources=(*_RELAY_RULES, Source("SP 800-53", "CM-6", "Only settings of Postfix are looked at.")),
        profiles=ALL,
        needs=(from_host("config"),),
        by_hand="End smtpd_relay_restrictions with reject_unauth_destination or reject, in main.cf and in every service"
        " of master.cf that sets it.",
        variables=("relay_settings", "relay_services[].options"),
        conflicts=(_RELAY_CONFLICT,),
    ),
)
