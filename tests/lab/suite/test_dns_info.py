# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``mail_dns_info`` against BIND: what it sees is what dig sees, and what it proposes can be published and then passes.

The name server gets a zone of its own, which takes dynamic updates, and loses it at the end.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.plays import BUILD, LAB, VENV

ZONE = "facts.test"
HOST = f"mail.{ZONE}"
#: Checks that a zone without DNSSEC can pass. BIND in the lab does not validate, and no web server has a policy.
CHECKS = ["a", "mx", "spf", "helo_spf", "dkim", "dmarc", "tls_rpt", "caa", "authority"]

ADD = f"""
cat >/var/cache/bind/{ZONE} <<'END'
$TTL 60
@ SOA ns.lab.test. hostmaster.lab.test. 1 3600 600 86400 60
@ NS ns.lab.test.
END
chown bind: /var/cache/bind/{ZONE}
cp -p /etc/bind/named.conf /etc/bind/named.conf.kept
echo 'zone "{ZONE}" {{ type primary; file "/var/cache/bind/{ZONE}"; allow-update {{ any; }}; }};' >>/etc/bind/named.conf
named-checkconf && systemctl restart named
"""
REMOVE = f"""
mv /etc/bind/named.conf.kept /etc/bind/named.conf
rm -f /var/cache/bind/{ZONE} /var/cache/bind/{ZONE}.jnl
systemctl restart named
"""


class Site(t.NamedTuple):
    """The address of the name server, the egress address, and the public key of the DKIM selector ``s1``."""

    ns: str
    address: str
    public_key: str


@pytest.fixture(scope="module")
def site(hosts: dict[str, t.Any]) -> t.Iterator[Site]:
    address = hosts["relay"].check_output("hostname -I").strip()
    key = hosts["client"].check_output("openssl genrsa 2048 2>/dev/null | openssl rsa -pubout 2>/dev/null")
    hosts["ns"].check_output(ADD)
    try:
        yield Site(f"{address.rpartition('.')[0]}.2", address, key)
    finally:
        hosts["ns"].check_output(REMOVE)


def ask(site: Site, **options: t.Any) -> dict[str, t.Any]:
    """Run the module on the controller and return its result."""
    given = {
        "domain": ZONE,
        "hostname": HOST,
        "addresses": [site.address],
        "checks": CHECKS,
        "dkim": [{"selector": "s1", "public_key": site.public_key}],
        "nameservers": [site.ns],
        "on_finding": "ignore",
        **options,
    }
    command = [str(VENV / "ansible"), "localhost", "-m", "mailops.smtp.mail_dns_info", "-a", json.dumps(given)]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(BUILD / "collections"), "ANSIBLE_NOCOLOR": "true"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout.split("=> ", 1)[1]))


def publish(records: list[dict[str, t.Any]], ns: str) -> None:
    """Publish the records that are not right, as nsupdate takes them."""
    lines = [f"server {ns}"]
    for one in records:
        if one["type"] != "PTR" and one["right"] is False:
            lines += [f"zone {one['zone']}", f"update delete {one['record']} {one['type']}"]
            lines += [f"update add {one['record']} {one['ttl']} {one['type']} {value}" for value in one["value"]]
            lines.append("send")
    command = ["ssh", "-F", str(LAB / "ssh_config"), "client", "nsupdate"]
    done = subprocess.run(
        command, input="\n".join([*lines, ""]), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def failures(result: dict[str, t.Any]) -> list[str]:
    return [one["control"] for one in result["findings"] if one["status"] not in ("pass", "not_applicable")]


def test_records_that_are_proposed_can_be_published_and_then_pass(site: Site) -> None:
    first = ask(site)
    assert {"MR-DNS-01", "MR-SPF-01", "MR-DKIM-01", "MR-DMARC-01"} <= set(failures(first))
    assert {one["zone"] for one in first["records"] if one["type"] != "PTR"} == {ZONE}
    publish(first["records"], site.ns)
    second = ask(site)
    assert failures(second) == []
    assert all(one["right"] for one in second["records"] if one["type"] != "PTR")
    print(f"{second['questions']} questions in {second['seconds']} s")
    assert second["questions"] <= 60
    assert second["seconds"] <= 3


def test_dig_sees_the_same(site: Site, hosts: dict[str, t.Any]) -> None:
    """After the records were published: two witnesses agree."""
    facts = ask(site, checks=[*CHECKS, "ptr"])["evidence"]["facts"]

    def dig(name: str, rdtype: str) -> list[str]:
        output = hosts["client"].check_output(f"dig +short @{site.ns} {shlex.quote(name)} {rdtype}")
        return sorted(line.replace('" "', "").strip('"') for line in output.splitlines())

    assert [f"{one['preference']} {one['host']}." for one in facts["mx"]] == dig(ZONE, "MX")
    assert facts["hosts"][0]["ipv4"] == dig(HOST, "A")
    assert facts["spf"]["records"] == dig(ZONE, "TXT")
    assert facts["dkim"][0]["records"] == dig(f"s1._domainkey.{ZONE}", "TXT")
    assert [facts["dmarc"]["record"]] == dig(f"_dmarc.{ZONE}", "TXT")
    assert facts["tls_rpt"]["records"] == dig(f"_smtp._tls.{ZONE}", "TXT")
    reverse = ".".join(reversed(site.address.split("."))) + ".in-addr.arpa"
    assert [f"{name}." for name in facts["egress"][0]["names"]] == dig(reverse, "PTR")
    [serial] = [line.split()[2] for line in dig(ZONE, "SOA")]
    assert [str(one["serial"]) for one in facts["authority"]["servers"]] == [serial]


def test_name_server_that_is_gone_is_not_a_missing_record(site: Site, hosts: dict[str, t.Any]) -> None:
    hosts["ns"].check_output("systemctl stop named")
    try:
        result = ask(site, timeout=2)
    finally:
        hosts["ns"].check_output("systemctl start named")
    assert {one["status"] for one in result["findings"]} <= {"error", "not_checked"}
    assert result["evidence"]["unknown"]
    assert result["seconds"] < 4
