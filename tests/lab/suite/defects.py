# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Defects that are planted on the relay or in its zone, one at a time, and the controls that each has to turn.

A change of a file that the role deployed always turns MR-HOST-06 as well.
"""

from __future__ import annotations

import shlex
import typing as t

DRIFT = "MR-HOST-06"
RELAY, CLIENT = "relay", "client"
#: The command returns before master(8) has read the configuration, which it logs.
RELOAD = (
    "began=$(date +%s.%N); postfix reload 2>/dev/null; export began; timeout 90 sh -c "
    "'until journalctl -q --since @$began -t postfix/master -g reload | grep -q .; do sleep 0.05; done'"
)
RESTART = "systemctl restart postfix"


class Defect(t.NamedTuple):
    """One row.

    :param turns: the controls that pass before, and fail then.
    :param ask: what is asked again: see ``audits.audit``.
    :param slow: the slow active tests that it concerns.
    :param lost: the controls that cannot be decided then, or have nothing to judge.
    :param repair: beside bringing back all files of /etc, which is done after each row on the relay.
    """

    name: str
    plant: str
    turns: str
    ask: str = "host"
    slow: str = ""
    lost: str = ""
    repair: str = ""
    on: str = RELAY


def main(reload: str = RELOAD, /, **parameters: str) -> str:
    """Set parameters in main.cf."""
    return f"postconf -e {_pairs('', parameters)} && {reload}"


def service(name: str, /, reload: str = RELOAD, **parameters: str) -> str:
    """Set parameters of a service in master.cf."""
    return f"postconf -P {_pairs(f'{name}/', parameters)} && {reload}"


def _pairs(before: str, parameters: t.Mapping[str, str]) -> str:
    return " ".join(shlex.quote(f"{before}{name}={value}") for name, value in parameters.items())


def records(*changes: str) -> str:
    """Change the zone by lines of nsupdate; a text of records is replaced as a whole."""
    return "\n".join(changes)


#: Postfix does not serve with permit alone, nor with a refusal behind it.
OPEN = "check_sender_access,static:OK,reject_unauth_destination"
P587, P465, P25 = "587/inet", "465/inet", "25/inet"
UPSTREAM = "to-smtp-provider-test-587"

RELAYING: tuple[Defect, ...] = (
    Defect(
        "everyone may relay",
        main(mynetworks="0.0.0.0/0"),
        f"MR-RELAY-01 MR-RELAY-02 MR-SMTP-06 {DRIFT}",  # limits exempt mynetworks
        "host 25",
        "relay",
    ),
    Defect("a network that was not declared", main(mynetworks="127.0.0.0/8 10.98.0.0/16"), f"MR-RELAY-02 {DRIFT}"),
    Defect("a network of the Internet", main(mynetworks="127.0.0.0/8 193.0.0.0/21"), f"MR-RELAY-02 {DRIFT}"),
    Defect("a network wider than any site", service(P25, mynetworks="10.0.0.0/7"), f"MR-RELAY-02 {DRIFT}"),
    Defect(
        "restrictions that let everyone in",
        main(smtpd_relay_restrictions=OPEN),
        f"MR-RELAY-01 MR-RELAY-03 {DRIFT}",
        "host 25",
        "relay",
    ),
    Defect(
        "a rule that says OK to everyone",
        main(smtpd_relay_restrictions="check_client_access static:OK, reject_unauth_destination"),
        f"MR-RELAY-01 MR-RELAY-03 {DRIFT}",
        "host 25",
        "relay",
    ),
    Defect(
        "a list of strangers that may relay",
        main(smtpd_relay_restrictions="permit_mynetworks, permit_dnswl_client list.test, reject_unauth_destination"),
        f"MR-RELAY-03 {DRIFT}",
    ),
    Defect(
        "restrictions of a listener that let everyone in",
        service(P587, smtpd_relay_restrictions=OPEN),
        f"MR-RELAY-03 {DRIFT}",
        "host 587",
    ),
    Defect(
        "a listener for logins that lets everyone in",
        service(P587, smtpd_relay_restrictions=OPEN, smtpd_client_restrictions="", smtpd_sender_restrictions=""),
        f"MR-RELAY-01 MR-RELAY-03 MR-AUTH-05 MR-AUTH-06 {DRIFT}",
        "host 587 login",
        "relay",
    ),
)

LOGINS: tuple[Defect, ...] = (
    Defect(
        "users may take any sender",
        service(P587, smtpd_sender_restrictions=""),
        f"MR-AUTH-06 {DRIFT}",
        "host 587 login",
    ),
    Defect(
        "users may take any sender on the other listener",
        service(P465, smtpd_sender_restrictions="reject_unknown_sender_domain"),
        f"MR-AUTH-06 {DRIFT}",
        "host 465 login",
    ),
    Defect(
        "logins in clear",
        service(P587, smtpd_tls_auth_only="no", smtpd_tls_security_level="may"),
        f"MR-AUTH-01 MR-TLS-03 {DRIFT}",  # suites of a level that is not mandatory
        "host 587",
    ),
    Defect(
        "passwords in clear",
        service(
            P587, smtpd_tls_auth_only="no", smtpd_tls_security_level="may", smtpd_sasl_security_options="noanonymous"
        ),
        f"MR-AUTH-01 MR-TLS-03 {DRIFT}",  # suites of a level that is not mandatory
        "host 587",
    ),
    Defect(
        "an old mechanism",
        "sed -i 's/^auth_mechanisms = .*/& cram-md5/' /etc/dovecot/dovecot.conf && systemctl restart dovecot",
        f"MR-AUTH-02 {DRIFT}",
        "host 587 465",
        repair="systemctl restart dovecot",
    ),
    Defect(
        "a user who is gone",
        "sed -i '/^app@/d' /etc/dovecot/relay_users && systemctl restart dovecot",
        f"MR-AUTH-03 {DRIFT}",
        "host login",
        lost="MR-AUTH-04 MR-AUTH-06",
        repair="systemctl restart dovecot",
    ),
    Defect(
        "any password will do",
        "sed -i '/^passdb passwd-file/i passdb static {\\n  fields {\\n    nopassword = yes\\n  }\\n}'"
        " /etc/dovecot/dovecot.conf && systemctl restart dovecot",
        f"MR-AUTH-04 {DRIFT}",
        "host login",
        repair="systemctl restart dovecot",
    ),
)

TLS: tuple[Defect, ...] = (
    Defect(
        "old versions",
        main(smtpd_tls_protocols=">=TLSv1", tls_medium_cipherlist="DEFAULT:@SECLEVEL=0"),
        f"MR-TLS-02 {DRIFT}",
        "host 25",
    ),
    Defect("no newest version", main(smtpd_tls_protocols=">=TLSv1.2, <=TLSv1.2"), f"MR-TLS-02 {DRIFT}", "host 25"),
    Defect(
        "no newest version where logins are taken",
        service(P587, smtpd_tls_mandatory_protocols=">=TLSv1.2,<=TLSv1.2"),
        f"MR-TLS-02 {DRIFT}",
        "host 587",
    ),
    Defect(
        "suites without a certificate",
        service(P587, smtpd_tls_mandatory_exclude_ciphers="MD5"),
        f"MR-TLS-03 {DRIFT}",
        "host 587",
    ),
    Defect(
        "no STARTTLS",
        service(P25, smtpd_tls_security_level="none"),
        f"MR-TLS-01 {DRIFT}",
        "host 25",
    ),
    Defect(
        "TLS too late",
        service(P465, smtpd_tls_wrappermode="no"),
        f"MR-TLS-01 {DRIFT}",
        "host 465",
        lost="MR-AUTH-01 MR-AUTH-02 MR-DNS-05 MR-RELAY-01 MR-SMTP-02 MR-SMTP-03 MR-TLS-02 MR-TLS-03 MR-TLS-04"
        " MR-TLS-05 MR-TLS-06",
    ),
)

#: A client that verifies says nothing more, so that these are not known.
UNTRUSTED = "MR-AUTH-02 MR-DNS-05 MR-RELAY-01"
#: By the file of the certificate that the fixture makes.
CERTIFICATES: tuple[Defect, ...] = tuple(
    Defect(
        f"a certificate that is {what}",
        f"cp /run/defects/{file}.pem /etc/postfix/relay.pem && {RELOAD}",
        f"{turns} {DRIFT}",
        "host 25 587 465",
        lost=lost,
    )
    for file, what, turns, lost in (
        ("soon", "about to expire", "MR-TLS-05", ""),
        ("expired", "expired", "MR-TLS-04 MR-TLS-05", UNTRUSTED),
        ("early", "not valid yet", "MR-TLS-04 MR-TLS-05", UNTRUSTED),
        ("other", "for another name", "MR-TLS-04 MR-DNS-05", "MR-AUTH-02 MR-RELAY-01"),
        ("self", "signed by itself", "MR-TLS-04", UNTRUSTED),
    )
)

ANSWERS: tuple[Defect, ...] = (
    Defect("VRFY", main(disable_vrfy_command="no"), f"MR-SMTP-02 {DRIFT}", "host 25"),
    Defect("XCLIENT", main(smtpd_authorized_xclient_hosts="0.0.0.0/0"), f"MR-SMTP-02 {DRIFT}", "host 25"),
    Defect(
        "ETRN",
        main(smtpd_discard_ehlo_keywords="silent-discard, dsn", smtpd_discard_ehlo_keyword_address_maps=""),
        f"MR-SMTP-02 {DRIFT}",
        "host 25",
    ),
    Defect(
        "a product in the greeting", main(smtpd_banner="$myhostname ESMTP Postfix"), f"MR-SMTP-03 {DRIFT}", "host 25"
    ),
    Defect(
        "a version in the greeting",
        main(smtpd_banner="$myhostname ESMTP Mail 3.10.4"),
        f"MR-SMTP-03 {DRIFT}",
        "host 25",
    ),
    Defect("no limit for the size", main(message_size_limit="0"), f"MR-SMTP-05 {DRIFT}", "host 25"),
    Defect("no limit for connections", main(smtpd_client_connection_count_limit="0"), f"MR-SMTP-06 {DRIFT}"),
    Defect(
        "no limit for connections of a listener",
        service(P587, smtpd_client_connection_count_limit="0"),
        f"MR-SMTP-06 {DRIFT}",
    ),
    Defect("limits for no one", main(smtpd_client_event_limit_exceptions="0.0.0.0/0"), f"MR-SMTP-06 {DRIFT}"),
    Defect("line feeds alone", main(smtpd_forbid_bare_newline="no"), f"MR-SMTP-01 {DRIFT}"),
    Defect(
        "line feeds alone for everyone",
        main(smtpd_forbid_bare_newline_exclusions="0.0.0.0/0"),
        f"MR-SMTP-01 {DRIFT}",
    ),
    Defect(
        "commands too early",
        main(smtpd_forbid_unauth_pipelining="no"),
        f"MR-SMTP-01 {DRIFT}",
        "host 25",
        "early_talk",
    ),
    Defect("another name in the greeting", main(smtpd_banner="mail.other.test ESMTP"), f"MR-DNS-05 {DRIFT}", "host 25"),
    Defect("another name of the host", main(myhostname="mail.sender.test"), f"MR-DNS-04 MR-DNS-05 {DRIFT}", "host 25"),
    Defect(
        "another name with EHLO",
        service(f"{UPSTREAM}/unix", smtp_helo_name="mail.sender.test"),
        f"MR-DNS-04 {DRIFT}",
    ),
)

FILES: tuple[Defect, ...] = (
    Defect("a key that everyone can read", "chmod 0644 /etc/postfix/relay.pem", f"MR-TLS-08 {DRIFT}"),
    Defect(
        "a key that a group can read",
        "chgrp mail /etc/postfix/relay.pem; chmod 0640 /etc/postfix/relay.pem",
        f"MR-TLS-08 {DRIFT}",
        repair="chgrp root /etc/postfix/relay.pem",
    ),
    Defect("a key of Postfix", "chown postfix /etc/postfix/relay.pem", "MR-TLS-08"),
    Defect(
        "a password that everyone can read",
        f"chmod 0644 /etc/postfix/relay_login_{UPSTREAM}",
        f"MR-HOST-04 {DRIFT}",
    ),
    Defect("users that everyone can read", "chmod 0644 /etc/dovecot/relay_users", f"MR-HOST-04 {DRIFT}"),
    Defect("a DKIM key that everyone can read", "chmod 0644 /etc/dkimkeys/s1.private", "MR-DKIM-04"),
    Defect("a DKIM key of another user", "chown postfix /etc/dkimkeys/s1.private", "MR-DKIM-04"),
    Defect("an old DKIM key", "touch -d '2 years ago' /etc/dkimkeys/s1.private", "MR-DKIM-06"),
    Defect("a new DKIM key", "cp /run/defects/other.private /etc/dkimkeys/s1.private", "MR-DKIM-02"),
    Defect("a file that was edited", "echo '# by hand' >>/etc/postfix/relay_commands", DRIFT),
    Defect("a file that was removed", "rm /etc/postfix/relay_closed", DRIFT),
    Defect("main.cf with a comment", "echo '# by hand' >>/etc/postfix/main.cf", DRIFT),
    Defect(
        "a unit that was edited",
        "echo '# by hand' >>/etc/systemd/system/postfix.service.d/10-mailops-relay.conf",
        DRIFT,
        repair="sed -i '/^# by hand/d' /etc/systemd/system/postfix.service.d/10-mailops-relay.conf",
    ),
)

HOST: tuple[Defect, ...] = (
    Defect("a parameter that does not exist", main(no_such_parameter="yes"), f"MR-HOST-03 {DRIFT}"),
    Defect(
        "Postfix does not run",
        "systemctl stop postfix",
        "MR-HOST-01 MR-HOST-03",
        lost="MR-HOST-02",
        repair="systemctl start postfix",
    ),
    Defect(
        "Postfix does not start", "systemctl disable -q postfix", "MR-HOST-03", repair="systemctl enable -q postfix"
    ),
    Defect(
        "one more listener",
        f"postconf -Me '2525/inet=2525 inet n - n - - smtpd' && {RELOAD}",
        f"MR-HOST-01 {DRIFT}",
    ),
    Defect(
        "a listener that is missing",
        f"postconf -MX 465/inet && {RESTART}",
        f"MR-HOST-01 {DRIFT}",
        lost="MR-HOST-02",
        repair=RESTART,
    ),
    Defect(
        "loopback alone",
        main(RESTART, inet_interfaces="loopback-only"),
        f"MR-HOST-01 {DRIFT}",
        lost="MR-SMTP-06",
        repair=RESTART,
    ),
    Defect(
        "a port of another program",
        "systemd-run -q --unit other-listener python3 -m http.server 2525; "
        "timeout 90 sh -c 'until ss -Hltn sport = 2525 | grep -q .; do sleep 0.1; done'",
        "MR-HOST-01",
        repair="systemctl stop other-listener",
    ),
    Defect(
        "the password of the upstream in clear",
        service(f"{UPSTREAM}/unix", smtp_tls_security_level="may"),
        f"MR-HOST-04 MR-DANE-03 {DRIFT}",
    ),
    Defect(
        "no TLS to the upstream",
        service(f"{UPSTREAM}/unix", smtp_tls_security_level="none"),
        f"MR-HOST-04 MR-DANE-03 {DRIFT}",
    ),
    Defect(
        "a level that needs DNSSEC",
        service(f"{UPSTREAM}/unix", smtp_tls_security_level="dane-only", smtp_dns_support_level="enabled"),
        f"MR-DANE-03 {DRIFT}",
    ),
    Defect(
        "mail to root goes in a circle",
        f"printf '%s\\n' 'root postmaster@relay.sender.test' 'postmaster@relay.sender.test root@relay.sender.test'"
        f" 'root@relay.sender.test postmaster@relay.sender.test' >/etc/postfix/relay_aliases && {RELOAD}",
        f"MR-HOST-05 {DRIFT}",
    ),
)

RULES = "nft -f /run/defects/rules.nft"
FIREWALL: tuple[Defect, ...] = (
    Defect("no rules", "nft delete table inet relay", "MR-HOST-02", lost="MR-RELAY-01", repair=RULES),
    Defect(
        "a rule that lets another network in",
        "nft insert rule inet relay input tcp dport 465 ip saddr 192.0.2.0/24 accept",
        "MR-HOST-02",
        repair=RULES,
    ),
    Defect(
        "a rule that shuts a port", "nft insert rule inet relay input tcp dport 587 drop", "MR-HOST-02", repair=RULES
    ),
)

BLOCK = "nft add table inet block && nft add chain inet block out '{ type filter hook output priority 0; }'"
#: The time of arrival is in a record of the file: its type, its length, and seconds.
OLDER = """
import pathlib, re, time
for path in pathlib.Path("/var/spool/postfix/deferred").rglob("*"):
    if path.is_file():
        path.write_bytes(re.sub(rb"(?<=T.)\\d{10}(?= )", b"%d" % (time.time() - 8 * 3600), path.read_bytes(), count=1))
"""
QUEUE: tuple[Defect, ...] = (
    Defect(
        "mail that waits for hours",
        f"{BLOCK} && nft add rule inet block out tcp dport 587 ip daddr $UPSTREAM reject with tcp reset"
        " && printf 'Subject: x\\n\\nx\\n' | sendmail -f root inbox@dest.test"
        " && for i in $(seq 50); do find /var/spool/postfix/deferred -type f | grep -q . && break; sleep 0.1; done"
        " && nft delete table inet block"
        f" && python3 -c {shlex.quote(OLDER)}",
        "MR-E2E-03",
        repair="postsuper -d ALL 2>/dev/null",
    ),
    Defect(
        "mail that does not leave",
        f"{BLOCK} && nft add rule inet block out tcp dport 587 ip daddr $UPSTREAM reject with tcp reset",
        "MR-E2E-01",
        "proof",
        repair="nft delete table inet block; postsuper -d ALL 2>/dev/null",
    ),
)

#: What the zone has, by name and type; the fixture adds it, and each row brings it back.
ZONE: dict[str, list[str]] = {
    "sender.test MX": ["10 relay.sender.test."],
    "sender.test TXT": ['"v=spf1 a:relay.sender.test -all"'],
    "relay.sender.test TXT": ['"v=spf1 a -all"'],
    "relay.sender.test A": ["$RELAY"],
    "_dmarc.sender.test TXT": ['"v=DMARC1; p=reject; rua=mailto:dmarc@sender.test"'],
    "s1._domainkey.sender.test TXT": ["$DKIM"],
    "sender.test CAA": ['0 issue "ca.test"'],
    "$REVERSE PTR": ["relay.sender.test."],
}


def _dns(name: str, where: str, values: t.Sequence[str], turns: str, lost: str = "", ask: str = "dns") -> Defect:
    lines = [f"update delete {where}", *(f"update add {_with_ttl(where)} {value}" for value in values), "send"]
    old = [f"update add {_with_ttl(where)} {value}" for value in ZONE.get(where, ())]
    repair = [lines[0], *old, "send"]
    return Defect(name, "\n".join(lines), turns, ask, lost=lost, repair="\n".join(repair), on="ns")


def _with_ttl(where: str) -> str:
    name, kind = where.split()
    return f"{name} 60 {kind}"


SPF, DMARC, KEY = "sender.test TXT", "_dmarc.sender.test TXT", "s1._domainkey.sender.test TXT"
RECORDS: tuple[Defect, ...] = (
    _dns("no mail server", "sender.test MX", [], "MR-DNS-01 MR-DMARC-03"),
    _dns("a mail server that does not exist", "sender.test MX", ["10 gone.nowhere.test."], "MR-DNS-01"),
    _dns("a reverse name of another", "$REVERSE PTR", ["other.sender.test."], "MR-DNS-03"),
    _dns("no reverse name", "$REVERSE PTR", [], "MR-DNS-03"),
    _dns("an address for IPv6 where none listens", "relay.sender.test AAAA", ["fd00::10"], "MR-DNS-06"),
    _dns("another authority", "sender.test CAA", ['0 issue "other.test"'], "MR-DNS-10"),
    _dns("no SPF", SPF, [], "MR-SPF-01 MR-SPF-02", "MR-SPF-03 MR-SPF-04"),
    _dns(
        "two SPF records",
        SPF,
        ['"v=spf1 -all"', '"v=spf1 mx -all"'],
        *("MR-SPF-01 MR-SPF-02", "MR-SPF-03 MR-SPF-04"),
    ),
    _dns("SPF without the relay", SPF, ['"v=spf1 ip4:192.0.2.1 -all"'], "MR-SPF-02"),
    _dns("SPF for everyone", SPF, ['"v=spf1 a:relay.sender.test +all"'], "MR-SPF-04"),
    _dns(
        "SPF with too many lookups",
        SPF,
        ['"v=spf1 a:relay.sender.test ' + " ".join(["a:relay.sender.test"] * 10) + ' -all"'],
        "MR-SPF-03 MR-SPF-04",
    ),
    _dns("no SPF for the EHLO name", "relay.sender.test TXT", [], "MR-SPF-05"),
    _dns("no DMARC", DMARC, [], "MR-DMARC-01", "MR-DMARC-02 MR-DMARC-03 MR-DMARC-05"),
    _dns("DMARC that asks for nothing", DMARC, ['"v=DMARC1; p=none; rua=mailto:d@sender.test"'], "MR-DMARC-02"),
    _dns("DMARC without reports", DMARC, ['"v=DMARC1; p=reject"'], "MR-DMARC-03"),
    _dns(
        "DMARC with a tag that is gone",
        DMARC,
        ['"v=DMARC1; p=reject; pct=100; rua=mailto:d@sender.test"'],
        "MR-DMARC-05",
    ),
    _dns("no DKIM key", KEY, [], "MR-DKIM-01", "MR-DKIM-02 MR-DKIM-03"),
    _dns("a DKIM key that was revoked", KEY, ['"v=DKIM1; p="'], "MR-DKIM-01", "MR-DKIM-02 MR-DKIM-03"),
    _dns("a DKIM key of another", KEY, ["$OTHER"], "MR-DKIM-02"),
    _dns("a short DKIM key", KEY, ["$SHORT"], "MR-DKIM-02 MR-DKIM-03"),
)

DEFECTS: tuple[Defect, ...] = (
    *(*RELAYING, *LOGINS, *TLS, *CERTIFICATES, *ANSWERS, *FILES, *HOST, *FIREWALL, *QUEUE, *RECORDS),
)
