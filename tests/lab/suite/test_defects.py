# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each defect of ``defects.py``, planted on a relay that passes, turns exactly its controls.

The relay is asked once as a whole. For a defect only what it concerns is asked again, and all is judged together.
"""

from __future__ import annotations

import datetime
import subprocess
import typing as t
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ansible_collections.mailops.smtp.tests.lab.suite import audits
from ansible_collections.mailops.smtp.tests.lab.suite.audits import Asked, audit
from ansible_collections.mailops.smtp.tests.lab.suite.defects import CLIENT, DEFECTS, RELAY, ZONE, Defect
from ansible_collections.mailops.smtp.tests.lab.suite.plays import LAB

NAME = "relay.sender.test"
#: Controls that the lab cannot show, and why.
NOT_SHOWN = {
    "MR-DNS-02": "the domain sends mail",
    "MR-DNS-07": "no zone of the lab is signed",
    "MR-DNS-08": "the name server of the lab does not validate",
    "MR-DNS-09": "the lab has no block list",
    "MR-DKIM-05": "only one relay is judged",
    "MR-DKIM-07": "no server of the lab signs, so no mailbox is looked in",
    "MR-DMARC-04": "no server of the lab judges DMARC",
    "MR-E2E-02": "no server of the lab judges SPF, DKIM and DMARC",
    "MR-STS-01": "the host is not an MX host",
    "MR-STS-02": "the host is not an MX host",
    "MR-DANE-01": "the host is not an MX host",
    "MR-DANE-02": "the host is not an MX host",
    "MR-SMTP-01": "no message is sent to try false ends of one, so that only its defects show",
    "MR-SMTP-04": "the host is not an MX host",
}

PREPARE = """
set -e
rm -rf /run/defects/kept && mkdir -p /run/defects/kept /etc/dkimkeys
cp /run/defects/s1.private /etc/dkimkeys/s1.private && chmod 0600 /etc/dkimkeys/s1.private
echo 's1._domainkey.sender.test sender.test:s1:/etc/dkimkeys/s1.private' >/etc/opendkim.keytable
echo 'KeyTable refile:/etc/opendkim.keytable' >/etc/opendkim.conf
cp -a --parents /etc/postfix /etc/dovecot /etc/dkimkeys /run/defects/kept
{ printf '%s\\n' 'add table inet relay' 'delete table inet relay'; nft list table inet relay; } >/run/defects/rules.nft
chmod 0700 /run/defects
"""
RESTORE = """
cp -a /run/defects/kept/etc/. /etc/
postfix reload 2>/dev/null
true
"""
CLEAN = "rm -rf /run/defects /etc/dkimkeys /etc/opendkim.keytable /etc/opendkim.conf"

#: The name server takes updates of these zones while the table is worked through.
OPEN_ZONES = """
set -e
cp -p /etc/bind/named.conf /etc/bind/named.conf.kept
for zone in sender.test %(reverse)s; do
  cp /etc/bind/zones/$zone /var/cache/bind/$zone && chown bind: /var/cache/bind/$zone
  sed -i "s,file \\"/etc/bind/zones/$zone\\",file \\"/var/cache/bind/$zone\\"; allow-update { any; }," \\
    /etc/bind/named.conf
done
named-checkconf && systemctl restart named
"""
CLOSE_ZONES = """
mv /etc/bind/named.conf.kept /etc/bind/named.conf
rm -f /var/cache/bind/sender.test* /var/cache/bind/*.in-addr.arpa*
systemctl restart named
"""


class Site(t.NamedTuple):
    """The lab, prepared for defects."""

    variables: audits.Values
    #: What stands for the placeholders of the table.
    words: dict[str, str]


def _certificates(folder: Path) -> None:
    """Certificates of the lab's authority for the relay, each with its key, as Postfix has them in one file."""
    authority = trustme.CA.from_pem((LAB / "pki/ca.pem").read_bytes(), (LAB / "pki/ca.key").read_bytes())
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    kinds: dict[str, tuple[str, dict[str, t.Any]]] = {
        "soon": (NAME, {"not_after": now + 5 * day}),
        "expired": (NAME, {"not_before": now - 60 * day, "not_after": now - day}),
        "early": (NAME, {"not_before": now + day, "not_after": now + 60 * day}),
        "other": ("mail.other.test", {"not_after": now + 60 * day}),
    }
    for file, (name, when) in kinds.items():
        leaf = authority.issue_cert(name, common_name=name, **when)
        pem = [leaf.private_key_pem, *leaf.cert_chain_pems, authority.cert_pem]
        (folder / f"{file}.pem").write_bytes(b"".join(one.bytes() for one in pem))
    own = trustme.CA(organization_name="relay").issue_cert(NAME, common_name=NAME, not_after=now + 60 * day)
    (folder / "self.pem").write_bytes(own.private_key_pem.bytes() + own.cert_chain_pems[0].bytes())


def _dkim_key(bits: int) -> tuple[bytes, str]:
    """A private key, and the record of its public half, in strings that a zone takes."""
    key = rsa.generate_private_key(65537, bits)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    text = f"v=DKIM1; k=rsa; p={''.join(public.decode().splitlines()[1:-1])}"
    return private, " ".join(f'"{text[start : start + 200]}"' for start in range(0, len(text), 200))


def _update(lines: str, words: t.Mapping[str, str]) -> None:
    """Change the zones by lines of nsupdate."""
    script = f"server {words['$NS']}\n{_filled(lines, words)}\n"
    command = ["ssh", "-F", str(LAB / "ssh_config"), CLIENT, "nsupdate"]
    done = subprocess.run(command, input=script, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr + script


def _filled(text: str, words: t.Mapping[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(word, value)
    return text


@pytest.fixture(scope="module")
def site(
    relay: t.Any, hosts: dict[str, t.Any], passwords: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[Site]:
    folder = tmp_path_factory.mktemp("defects")
    prefix = relay.check_output("hostname -I").strip().rpartition(".")[0]
    reverse = ".".join(reversed(prefix.split(".")))
    _certificates(folder)
    keys = {"s1": _dkim_key(2048), "other": _dkim_key(2048), "short": _dkim_key(1024)}
    for name, (private, _record) in keys.items():
        (folder / f"{name}.private").write_bytes(private)
    words = {
        "$NS": f"{prefix}.2",
        "$RELAY": f"{prefix}.10",
        "$UPSTREAM": f"{prefix}.20",
        "$OUTSIDER": f"{prefix}.66",
        "$REVERSE": f"10.{reverse}.in-addr.arpa",
        "$DKIM": keys["s1"][1],
        "$OTHER": keys["other"][1],
        "$SHORT": keys["short"][1],
    }
    relay.check_output("mkdir -p -m 0700 /run/defects")
    for path in folder.iterdir():
        audits.put(RELAY, f"/run/defects/{path.name}", path.read_bytes())
    relay.check_output(PREPARE)
    hosts["ns"].check_output(OPEN_ZONES % {"reverse": f"{reverse}.in-addr.arpa"})
    audits.install(RELAY, CLIENT, "outsider")
    try:
        for where, values in ZONE.items():
            name, kind = where.split()
            lines = [f"update delete {where}", *(f"update add {name} 60 {kind} {one}" for one in values), "send"]
            _update("\n".join(lines), words)
        yield Site(_variables(prefix, passwords), words)
    finally:
        hosts["ns"].check_output(CLOSE_ZONES)
        relay.check_output(RESTORE + CLEAN)


def _variables(prefix: str, passwords: dict[str, str]) -> audits.Values:
    """What the inventory of an audit has."""
    account = {"username": "app@sender.test", "password": passwords["app@sender.test"]}
    return {
        "inventory_hostname": RELAY,
        "compliance_address": NAME,
        "compliance_vantages": [CLIENT, "outsider"],
        "compliance_recipient": "inbox@dest.test",
        "compliance_accounts": [{**account, "other_sender": "boss@sender.test"}],
        "compliance_dns": {"nameservers": [f"{prefix}.2"], "certificate_authority": "ca.test"},
        "compliance_probes": [
            *("banner", "auth_before_tls", "commands", "size", "login_replies", "tls", *audits.SLOW[:-1]),
        ],
        "relay_hostname": NAME,
        "relay_networks": [f"{prefix}.40"],
        "relay_listeners": [{"port": 25}, {"port": 587}, {"port": 465, "from": [f"{prefix}.40"]}],
    }


@pytest.fixture(scope="module")
def baseline(site: Site) -> Asked:
    return audit(site.variables)


def sentences(asked: Asked, status: str) -> list[str]:
    return [f"{one.control} {one.message}" for one in asked.judged.findings if one.status.value == status]


def test_relay_of_this_collection_fails_no_control(baseline: Asked) -> None:
    """And what is not decided is what the lab cannot show."""
    states = baseline.states
    assert sentences(baseline, "fail") == []
    assert sentences(baseline, "error") == []
    assert {name for name, state in states.items() if state != "pass"} == set(NOT_SHOWN) | {"MR-DNS-06"}


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda one: one.name.replace(" ", "-"))
def test_defect_turns_its_controls(site: Site, baseline: Asked, hosts: dict[str, t.Any], defect: Defect) -> None:
    before = baseline.states
    try:
        _plant(hosts, site, defect)
        after = audit(site.variables, defect.ask.split(), baseline, defect.slow.split())
    finally:
        _repair(hosts, site, defect)
    states = after.states
    turned = {name for name, state in states.items() if state == "fail" != before[name]}
    lost = {name for name, state in states.items() if state not in ("pass", "fail") and state != before[name]}
    differs = f"turned {sorted(turned)}, lost {sorted(lost)}"
    detail = "\n".join([differs, *sentences(after, "fail"), *sentences(after, "error")])
    assert (turned, lost) == (set(defect.turns.split()), set(defect.lost.split())), detail


def _plant(hosts: dict[str, t.Any], site: Site, defect: Defect) -> None:
    if defect.on == "ns":
        _update(defect.plant, site.words)
    else:
        hosts[defect.on].check_output(_filled(defect.plant, site.words))


def _repair(hosts: dict[str, t.Any], site: Site, defect: Defect) -> None:
    if defect.on == "ns":
        _update(defect.repair, site.words)
    else:
        hosts[defect.on].check_output(f"{RESTORE}\n{_filled(defect.repair, site.words) or 'true'}")


def test_relay_is_as_it_was(site: Site, baseline: Asked) -> None:
    """Nothing is left of any defect."""
    assert audit(site.variables).states == baseline.states
