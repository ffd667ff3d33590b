# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The meaning of a log line of Postfix, and what to do. Replies of the next server are explained as for a session."""

from __future__ import annotations

import re
import typing as t
from dataclasses import replace

from .._providers.hints import hint
from .._providers.presets import provider_of_host
from .._smtp.errors import Stage
from .._smtp.reply import Reply

if t.TYPE_CHECKING:
    from .log import Hop


class Meaning(t.NamedTuple):
    """Advice about a hop.

    :param lasting: whether every attempt fails until the cause is removed.
    """

    advice: str
    lasting: bool = False


class _Known(t.NamedTuple):
    """A text of Postfix itself, rather than of the next server.

    :param text: a pattern to search for in the text of the delivery, or in the complaints about its connection.
    """

    text: str
    advice: str
    lasting: bool = False


_REPLY = re.compile(
    r"(?:host|server) (\S+?)(?:\[\S*\])? (said|refused to talk to me): (\d{3})[ -](.*?)(?: \(in reply to (.+)\))?\Z"
)
#: The names of commands in the log of smtp(8) (smtp_proto.c, smtp_trouble.c).
_STAGES = {
    "EHLO command": Stage.EHLO,
    "HELO command": Stage.EHLO,
    "STARTTLS command": Stage.STARTTLS,
    "MAIL FROM command": Stage.MAIL,
    "RCPT TO command": Stage.RCPT,
    "DATA command": Stage.DATA,
    "end of DATA command": Stage.END_OF_DATA,
}
_NAME = (
    "Check the spelling of the next server's name, or of the recipient's domain if mail goes by MX, and query this"
    " host's name servers for it."
)
_PATH = "Check its address and port, and the firewalls in between; many networks block port 25 but not 587 and 465."
_SUSPENDED = "delivery temporarily suspended: "
_AGAIN = (
    " Postfix did not try again, because an earlier attempt had failed: once the cause is removed, run postqueue -f."
)
_ONE_SENDER = " On a relay, relay_upstream.sender: login does so for all mail."
_FULL = "Free space in the file system that holds this host's queue, but delete no file below /var/spool/postfix."

# The patterns match what Postfix 3.7 and 3.10 log.
KNOWN: tuple[_Known, ...] = (
    # Finding and reaching the next server
    _Known(
        r"Host not found, try again|Temporary failure in name resolution", "The name server does not answer. " + _NAME
    ),
    _Known(
        r"Host or domain name not found|Host not found|Name or service not known|No address associated",
        "The DNS has no such name, or no address for it. " + _NAME,
        True,
    ),
    _Known(r"does not accept mail \(nullMX\)", "The domain accepts no mail (RFC 7505): check its spelling.", True),
    _Known(
        r"loops back to (myself|itself)",
        "The next server is this host itself: configure another upstream, or do not relay mail for this domain.",
        True,
    ),
    _Known(
        r"too many hops|mail forwarding loop",
        "The message is in a loop: find the two servers that send it to each other in its Received fields, and remove"
        " one of the two routes.",
        True,
    ),
    _Known(r"Connection refused", "No server listens on that port. " + _PATH),
    _Known(
        r"Connection timed out|No route to host|Network is unreachable",
        "The server cannot be reached. "
        + _PATH
        + " If the address is IPv6 and this host has no IPv6, set inet_protocols to ipv4.",
    ),
    # TLS (TLS_README)
    _Known(
        r"num=62|hostname mismatch",
        "The certificate does not carry the name under which Postfix contacted the server: use a name from the"
        " certificate.",
        True,
    ),
    _Known(
        r"certificate has expired",
        "The server's certificate has expired: notify its administrator, and check this host's clock.",
        True,
    ),
    _Known(
        r"certificate is not yet valid", "The server's certificate is not valid yet: check this host's clock.", True
    ),
    _Known(
        r"self-signed certificate|unable to get (local )?issuer certificate|certificate verification failed",
        "This host does not trust the authority of the server's certificate. Ask its administrator which one it is;"
        " then trust that one for this server alone, with ca_file of the upstream (smtp_tls_CAfile).",
        True,
    ),
    _Known(
        r"[Cc]ertificate not (verified|trusted)",
        "The server's certificate does not prove its identity: its name or its authority is not the expected one."
        " Compare them: openssl s_client -starttls smtp -connect HOST:PORT.",
        True,
    ),
    _Known(
        r"TLS is required, but was not offered",
        "TLS is required, and the server does not offer it, or a device in between removes STARTTLS: try its other port"
        " (587, or 465 with implicit TLS), or ask its administrator.",
        True,
    ),
    _Known(
        r"TLS is required, but our TLS engine",
        "TLS does not start on this host: look above this line in its log for the file that Postfix could not read.",
        True,
    ),
    _Known(
        r"protocol version|unsupported protocol|handshake failure|TLS handshake",
        "The two sides have no TLS version or cipher in common, or the port uses the other TLS mode: 465 is for"
        " implicit TLS, 587 and 25 are for STARTTLS.",
    ),
    _Known(
        r"no TLSA records|non DNSSEC|TLSA lookup",
        "DANE is required, and the domain's signed TLSA records are not available: check that this host's name server"
        " validates DNSSEC, and ask the domain's administrator.",
    ),
    # Logins (SASL_README)
    _Known(
        r"no mechanism available|No worthy mechs",
        "This host supports no login mechanism of the server: install the SASL modules (libsasl2-modules, on Red Hat"
        " cyrus-sasl-plain), and check that smtp_sasl_security_options allows what the server offers over TLS.",
        True,
    ),
    _Known(
        r"offered no compatible authentication mechanisms",
        "This host and the server have no login mechanism in common: check the mechanisms that the configuration allows"
        " (smtp_sasl_mechanism_filter), and whether the server offers logins on this port at all.",
        True,
    ),
    _Known(r"SASL authentication failed", "The login failed: check the user name and password of the upstream.", True),
    # In the middle of a session
    _Known(
        r"lost connection with .* while (performing the EHLO|receiving the initial)",
        "The server closed the connection at once: it may refuse this host's address, expect implicit TLS (port 465),"
        " or not be an SMTP server.",
    ),
    _Known(
        r"message may be sent more than once",
        "The connection was lost during the transmission, so the server may have it: check there before you send the"
        " message again.",
    ),
    _Known(
        r"lost connection with",
        "The server, or a firewall in between, ended the session: check the server's log for this time.",
    ),
    _Known(
        r"timed out while receiving the initial",
        "The port is open, but the server sends no greeting: it may expect implicit TLS (port 465), or be overloaded.",
    ),
    _Known(
        r"conversation with .* timed out",
        "The server stopped responding: check its log for this time. If this always happens during the content, check"
        " the network path for a smaller MTU.",
    ),
    _Known(
        r"message size \d+ exceeds size limit",
        "The message is larger than the next server accepts: send a smaller one or a link, or have its limit raised.",
        True,
    ),
    _Known(r"SMTPUTF8 is required", "The next server accepts only ASCII addresses: use their ASCII form.", True),
    _Known(
        r"Relay access denied",
        "The next server does not relay mail from this host: configure a user name and password, or ask its"
        " administrator to allow this host's address.",
        True,
    ),
    _Known(
        r"unverified address|[Aa]ddress verification",
        "The next server verifies the recipient with a further server and has no result yet: retry later, and check"
        " its log.",
    ),
    # This host
    _Known(
        r"mail transport unavailable|unknown (or unreachable )?(mail )?transport",
        "master.cf has no such service, or it does not start: compare the transport's name with master.cf, and look"
        " for warnings of master and qmgr in the log.",
        True,
    ),
    _Known(
        r"local delivery is disabled",
        "This host stores no mail for the recipient's domain: send it elsewhere with an alias or a route.",
        True,
    ),
    _Known(r"[Uu]nknown user|User unknown", "There is no such mailbox: check the spelling of the recipient.", True),
    _Known(r"queue file write error|[Ii]nsufficient system storage|No space left", _FULL),
    _Known(
        r"mail system configuration error|unsupported dictionary",
        "Postfix cannot use its configuration: look for fatal and warning lines above this one in the log.",
        True,
    ),
    _Known(
        r"[Cc]ommand (died|time limit)",
        "The program that receives the message failed: run it by hand as its user, with a message on standard input.",
        True,
    ),
)
_FATES = {
    "held": (
        "The message is on hold: a rule (the line names it after 'hold:') or postsuper -h put it there. If it may"
        " leave, release it with postsuper -H."
    ),
    "discarded": "A rule of this host discarded the message: the line names the rule.",
    "deleted": "An administrator deleted the message from the queue (postsuper -d).",
    "expired": "The message could not be delivered for as long as Postfix keeps it (maximal_queue_lifetime).",
}


def explain(hop: Hop) -> Meaning:
    """Explain the log line of a hop. The advice is empty if the hop succeeded or the line is not known."""
    if hop.status == "sent":
        return Meaning("")
    if hop.status in _FATES:
        return Meaning(_FATES[hop.status], True)
    if hop.text.startswith(_SUSPENDED):
        advice, lasting = explain(replace(hop, text=hop.text[len(_SUSPENDED) :]))
        return Meaning((advice + _AGAIN).strip(), lasting)
    said = _REPLY.search(hop.text)
    if said:
        advice = _of_reply(hop, *said.groups())
        if advice:
            return Meaning(advice, _is_lasting(said.group(3), hop.text))
    for text in ("\n".join(hop.complaints), hop.text):
        known = next((known for known in KNOWN if text and re.search(known.text, text)), None)
        if known:
            return Meaning(known.advice, known.lasting or hop.status == "bounced")
    return Meaning("", hop.status == "bounced")


def _of_reply(hop: Hop, host: str, verb: str, code: str, text: str, command: str | None) -> str:
    if "SASL authentication failed" in hop.text:
        stage = Stage.AUTH
    else:
        stage = Stage.GREETING if verb != "said" else _STAGES.get(command or "", Stage.RCPT)
    # smtp(8) joins the lines of a reply, each with its code.
    lines = tuple(re.split(rf" {code}[ -]", text))
    advice = hint(Reply(int(code), lines), stage, provider_of_host(host))
    return advice + _ONE_SENDER if "envelope_from" in advice else advice


def _is_lasting(code: str, text: str) -> bool:
    """Whether a reply is permanent: a 5yz, except as the greeting, which Postfix treats as temporary."""
    return code.startswith("5") and "refused to talk to me" not in text
