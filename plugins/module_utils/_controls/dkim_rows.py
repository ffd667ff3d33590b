# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of DKIM."""

from __future__ import annotations

from .control import RELAYS, Conflict, Control, Effect, Rows, from_dns, from_host, from_proof
from .finding import Severity
from .source import Source, each, rfc

_ED25519 = Source("TR-03182", "F-02", "It calls for an Ed25519 key beside the RSA key; one strong key passes.")

ROWS: Rows = (
    Control(
        id="MR-DKIM-01",
        title="The key of each selector is published, valid, not revoked and not in test mode",
        severity=Severity.HIGH,
        rationale="Receivers ignore a signature whose key they cannot find or use, as if the mail were not signed.",
        sources=(
            rfc(6376, "3.6.1"),
            Source("TR-03182", "F-01"),
            Source("SCuBA", "MS.EXO.3.1v1", "Other domains of the organization are not looked at."),
            Source("Google", "requirements for all senders: SPF or DKIM"),
        ),
        profiles=RELAYS,
        needs=(from_dns("dkim"),),
        by_hand="Publish the public key as a TXT record at SELECTOR._domainkey, without t=y.",
        variables=("relay_dkim",),
    ),
    Control(
        id="MR-DKIM-02",
        title="The key in the DNS belongs to the private key on the relay",
        severity=Severity.CRITICAL,
        rationale="After a change of keys on one side alone, every signature is invalid, and only receivers notice.",
        sources=(rfc(6376, "3.6.1"),),
        profiles=RELAYS,
        needs=(from_dns("dkim"), from_host("dkim")),
        by_hand="Publish the public part of the key with which the relay signs, or give the relay the key that is"
        " published.",
        variables=("relay_dkim",),
    ),
    Control(
        id="MR-DKIM-03",
        title="DKIM keys are RSA with 2048 bits or more, or Ed25519, and do not allow SHA-1",
        severity=Severity.MEDIUM,
        rationale="A short key can be broken, and then others can sign in the name of the domain.",
        sources=(rfc(8301, "3.2"), rfc(8463), Source("SP 800-177", "4-3"), Source("TR-03182", "F-01"), _ED25519),
        profiles=RELAYS,
        needs=(from_dns("dkim"),),
        by_hand="Make a key of 2048 bits under a new selector, publish it, and then sign with it.",
        variables=("relay_dkim",),
        conflicts=(
            Conflict(
                (_ED25519,),
                RELAYS,
                Effect.WAIVER,
                "Many receivers do not verify Ed25519 yet, and RFC 8301 does not call for it. Sign with both keys to"
                " meet this requirement.",
            ),
        ),
    ),
    Control(
        id="MR-DKIM-04",
        title="Only the signing program can read the private DKIM key",
        severity=Severity.HIGH,
        rationale="Whatever program can read the key can sign any mail in the name of the domain.",
        sources=(
            Source("SP 800-177", "4-4"),
            Source("SP 800-53", "SC-12", "How keys are made and destroyed is not looked at."),
        ),
        profiles=RELAYS,
        needs=(from_host("dkim", "files"),),
        by_hand="Give the key file the mode 0600, and the user of the signing program as its owner.",
        variables=("relay_dkim",),
    ),
    Control(
        id="MR-DKIM-05",
        title="Each relay signs with a selector and a key of its own",
        severity=Severity.LOW,
        rationale="If a key is stolen, only that of one relay has to be replaced.",
        sources=each("SP 800-177", "4-5", "4-10"),
        profiles=RELAYS,
        needs=(from_host("dkim"),),
        by_hand="Make a key for each relay, and publish each under a selector of its own.",
        variables=("relay_dkim",),
        level=2,
    ),
    Control(
        id="MR-DKIM-06",
        title="DKIM keys are replaced in time",
        severity=Severity.LOW,
        rationale="The longer a key is in use, the more likely it is that it was copied or broken.",
        sources=(Source("TR-03182", "03-M"),),
        profiles=RELAYS,
        needs=(from_host("dkim", "files"),),
        by_hand="Make a key under a new selector, sign with it, and revoke the old one a week later.",
        variables=("relay_dkim",),
        level=2,
    ),
    Control(
        id="MR-DKIM-07",
        title="Delivered mail has a valid DKIM signature that protects From against a second one",
        severity=Severity.HIGH,
        rationale="A signer that fails silently lets mail leave unsigned. If From is signed only once, another can be"
        " added without breaking the signature.",
        sources=(
            rfc(6376, "5.4", "8.15"),
            Source("TR-03182", "F-03"),
            Source("TR-03182", "F-04", "Only a signature with one of the published keys is looked for."),
            Source("Google", "requirements for 5,000 messages a day: SPF and DKIM"),
            Source("M3AAWG", "section 5.1", "It has more recommendations than that mail is signed."),
        ),
        profiles=RELAYS,
        needs=(from_proof("messages"),),
        by_hand="Let a milter such as OpenDKIM or rspamd sign (smtpd_milters, non_smtpd_milters), with From listed"
        " twice.",
        variables=("relay_dkim",),
    ),
)
