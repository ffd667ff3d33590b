# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fact that postfix_info gathers equals what postconf, ss, stat, openssl and other programs say on the host.

Five configurations: the relay, the upstream, the destination, the package of Debian as it comes, and one that an
administrator wrote, with nested variables, two instances, OpenDKIM and rules of iptables.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import ipaddress
import json
import os
import re
import shlex
import subprocess
import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.plays import LAB, ROOT, VENV
from ansible_collections.mailops.smtp.tests.lab.suite.test_host import NOT_ROOT

pytestmark = pytest.mark.second_lab

Facts = dict[str, t.Any]
SECRET = "s3cret-of-this-host"

CLEAN = r"""
systemctl stop postfix postfix@second opendkim 2>/dev/null  # the package leaves Postfix running when it goes
apt-get purge -qq --yes postfix postfix-lmdb opendkim >/dev/null 2>&1
rm -rf /etc/aliases* /etc/postfix* /var/spool/postfix* /var/lib/postfix* /etc/opendkim* /etc/dkimkeys /etc/hostfacts
ip addr del 192.0.2.77/32 dev lo 2>/dev/null
iptables -F INPUT 2>/dev/null; iptables -P INPUT ACCEPT 2>/dev/null
true
"""
#: A Postfix as its package leaves it.
PACKAGE = "DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends postfix >/dev/null 2>&1"
#: One that an administrator has written.
BY_HAND = rf"""
DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends postfix opendkim iptables openssl \
  >/dev/null 2>&1
mkdir -p /etc/hostfacts /etc/dkimkeys
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 \
  -subj '/O=Lab, Inc/CN=host.outsider.test' \
  -addext 'subjectAltName=DNS:host.outsider.test,DNS:*.outsider.test,IP:192.0.2.77' \
  -keyout /etc/hostfacts/ec.key -out /etc/hostfacts/ec.pem 2>/dev/null
openssl genrsa -out /etc/dkimkeys/one.private 2048 2>/dev/null
openssl genpkey -algorithm ed25519 -out /etc/dkimkeys/two.private 2>/dev/null
chmod 0640 /etc/hostfacts/ec.key; chmod 0600 /etc/dkimkeys/*; chown opendkim: /etc/dkimkeys/*
printf '%s\n' 'one._domainkey.outsider.test outsider.test:one:/etc/dkimkeys/one.private' \
  'two._domainkey.outsider.test outsider.test:two:/etc/dkimkeys/two.private' >/etc/opendkim.keytable
echo 'KeyTable refile:/etc/opendkim.keytable' >/etc/opendkim.conf
ip addr add 192.0.2.77/32 dev lo
cat >/etc/postfix/main.cf <<'END'
compatibility_level = 3.6
myhostname = host.outsider.test
myorigin = $myhostname
mydestination = $myhostname, localhost
own = /etc/hostfacts
office = 192.0.2.0/24
nets = 127.0.0.0/8, ${{more?{{$more}}:{{10.1.0.0/16}}}}
mynetworks = $nets
  # the office
  $office
rules = permit_mynetworks, reject_unauth_destination
smtpd_relay_restrictions = $rules
smtpd_tls_chain_files = $own/ec.key, $own/ec.pem
alias_maps = hash:/etc/aliases
alias_database = $alias_maps
smtp_sasl_password_maps = hash:$own/passwords
own_password = {SECRET}
accounting = user=x password=$own_password
relayhost = [192.0.2.254]:587
defer_transports = smtp
multi_instance_enable = yes
multi_instance_wrapper = ${{command_directory}}/postmulti -p --
multi_instance_directories = /etc/postfix-second
END
cat >>/etc/postfix/master.cf <<'END'
10587 inet n - n - - smtpd
  -o syslog_name=postfix/own -o rules=permit_sasl_authenticated,reject
  -o {{ smtpd_client_restrictions = $rules }}
bulk unix - - n - - smtp -o smtp_bind_address=192.0.2.77 -o smtp_helo_name=bulk.outsider.test
END
echo '[192.0.2.254]:587 me:{SECRET}' >/etc/hostfacts/passwords; chmod 600 /etc/hostfacts/passwords
postmap /etc/hostfacts/passwords
printf '%s\n' 'postmaster: root' 'root: ops@dest.test' 'abuse: b' 'b: abuse' \
  'security: "|/bin/x {SECRET}", nobody' >/etc/aliases
newaliases
mkdir -p /etc/postfix-second /var/spool/postfix-second /var/lib/postfix-second
cp /etc/postfix/master.cf /etc/postfix/dynamicmaps.cf /etc/postfix-second/ 2>/dev/null
sed -i '/^smtp *inet/s/^smtp/127.0.0.1:2025/; /^10587/,$d' /etc/postfix-second/master.cf
chown postfix: /var/lib/postfix-second
cat >/etc/postfix-second/main.cf <<'END'
compatibility_level = 3.6
myhostname = second.outsider.test
multi_instance_name = postfix-second
multi_instance_group = out
multi_instance_enable = yes
queue_directory = /var/spool/postfix-second
data_directory = /var/lib/postfix-second
inet_interfaces = 127.0.0.1, 192.0.2.77
inet_protocols = ipv4
END
postfix -c /etc/postfix-second check
systemctl restart postfix
postfix status || postfix start
for number in 1 2 3; do printf 'Subject: x\n\nx\n' | sendmail -f root a$number@dest.test b@provider.test; done
iptables -A INPUT -i lo -j ACCEPT
iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
iptables -A INPUT -s 192.0.2.0/24 -p tcp -m multiport --dports 25,10587 -j ACCEPT
iptables -A INPUT -p tcp --dport 25 -j REJECT
sleep 2
"""
CONFIGURATIONS = ("relay", "upstream", "mx", "package", "by hand")


@pytest.fixture(scope="module")
def outsider(hosts: dict[str, t.Any]) -> t.Iterator[t.Any]:
    host = hosts["outsider"]
    host.check_output(CLEAN)
    yield host
    host.check_output(CLEAN)


@pytest.fixture(scope="module", params=CONFIGURATIONS)
def host(request: pytest.FixtureRequest, hosts: dict[str, t.Any]) -> t.Any:
    """A host with one of the configurations."""
    if request.param == "relay":
        return request.getfixturevalue("relay")
    if request.param in hosts:
        return hosts[request.param]
    own = request.getfixturevalue("outsider")
    own.check_output(CLEAN)
    own.check_output(PACKAGE if request.param == "package" else BY_HAND)
    return own


def gather(name: str, *options: str) -> Facts:
    """Run the module on a host, as a user would."""
    arguments = json.dumps({"gather": ["all"]})
    command = [str(VENV / "ansible"), name, *options, "-m", "mailops.smtp.postfix_info", "-a", arguments]
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "tests/ansible.cfg"),
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
        "ANSIBLE_NOCOLOR": "1",
    }
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180, check=False)
    verdict, arrow, result = done.stdout.partition("=> ")
    assert arrow, done.stderr + done.stdout
    assert "FAILED" not in verdict, done.stdout
    return dict(json.loads(result)["evidence"])


@pytest.fixture(scope="module")
def evidence(host: t.Any) -> Facts:
    found = gather(host.backend.hostname)
    (LAB / "logs").mkdir(exist_ok=True)
    (LAB / "logs" / f"host-facts-{host.backend.hostname}.json").write_text(json.dumps(found, indent=1))
    return found


@pytest.fixture(scope="module")
def facts(evidence: Facts) -> Facts:
    return dict(evidence["facts"])


def pairs(output: str) -> dict[str, str]:
    return {name.strip(): value.strip() for name, _sign, value in (one.partition("=") for one in output.splitlines())}


def test_everything_is_known_to_root(evidence: Facts) -> None:
    allowed = ("packages.updates", "firewall.chains", "aliases.", "listeners.")
    assert [one for one in evidence["unknown"] if not one["path"].startswith(allowed)] == []
    assert evidence["kind"] == "host"


def test_no_secret_leaves_the_host(evidence: Facts, passwords: dict[str, str]) -> None:
    text = json.dumps(evidence)
    for secret in [SECRET, *passwords.values()]:
        assert secret not in text
        assert base64.b64encode(secret.encode()).decode() not in text
    assert "PRIVATE KEY" not in text


def test_config_equals_postconf(host: t.Any, facts: Facts) -> None:
    directories = [one.split()[3] for one in host.check_output("postmulti -l").splitlines()]
    assert [one["config_directory"] for one in facts["config"]] == directories
    for instance in facts["config"]:
        postconf = f"postconf -c {instance['config_directory']}"
        said = pairs(host.check_output(f"{postconf} -x 2>/dev/null"))
        assert set(instance["own"]) == set(pairs(host.check_output(f"{postconf} -n 2>/dev/null")))
        for name, value in instance["parameters"].items():
            assert value == said[name] or "********" in value
        services = [one.split()[:8] for one in host.check_output(f"{postconf} -M").splitlines()]
        fields = ("name", "type", "private", "unprivileged", "chroot", "wakeup", "processes", "program")
        assert [[one[field] for field in fields] for one in instance["services"]] == services
        options = pairs(host.check_output(f"{postconf} -Px"))
        own = {
            f"{one['name']}/{one['type']}/{name}": one["parameters"][name]
            for one in instance["services"]
            for name in one["own"]
        }
        assert {name: value for name, value in own.items() if "********" not in value} == {
            name: options[name] for name in own if "********" not in own[name]
        }
        assert set(own) == set(options)


def test_parameter_that_refers_to_an_override(host: t.Any, facts: Facts) -> None:
    """Only Postfix itself can say what it does; so it is asked without the module's way to ask."""
    services = [one for one in facts["config"][0]["services"] if one["name"] == "10587"]
    for service in services:
        assert service["parameters"]["smtpd_relay_restrictions"] == "permit_sasl_authenticated,reject"
        assert (
            host.check_output("postconf -hx smtpd_relay_restrictions") == "permit_mynetworks, reject_unauth_destination"
        )


def test_listeners_equal_ss(host: t.Any, facts: Facts) -> None:
    said = set()
    for line in host.check_output("ss -H -l -n -t -p").splitlines():
        address, _colon, port = line.split()[3].rpartition(":")
        address = address.partition("%")[0].strip("[]")
        said.add(("::" if address == "*" else address, int(port), next(iter(re.findall(r'\(\("([^"]+)"', line)), None)))
    assert {(one["address"], one["port"], one["program"]) for one in facts["listeners"]} == said
    for one in facts["listeners"]:
        if one["address"] == "::":
            only = host.check_output(f"ss -H -l -n -t -e -6 'sport = :{one['port']}'")
            assert one["takes_ipv4"] is ("v6only:0" in only)
        if one["program"] == "master":
            assert "postfix" in one["unit"]


def test_egress_equals_the_routes_and_the_configuration(host: t.Any, facts: Facts) -> None:
    for one in facts["egress"]:
        if one["decided_by"] == "routes" and one["address"]:
            assert one["address"] in host.check_output("ip -o addr show")
        elif one["decided_by"].startswith("smtp_bind"):
            assert one["address"] == "192.0.2.77"
            assert one["helo_name"] == "bulk.outsider.test"
    smtp = [one for one in facts["egress"] if one["service"] == "smtp" and one["ip_version"] == 4]
    assert smtp[0]["helo_name"] == host.check_output("postconf -hx smtp_helo_name")


def test_files_equal_stat(host: t.Any, facts: Facts) -> None:
    there = [one for one in facts["files"] if one["exists"]]
    assert {"main.cf", "master.cf"} <= {one["path"].rpartition("/")[2] for one in there}
    paths = " ".join(shlex.quote(one["path"]) for one in there)
    said = host.check_output(f"stat -L -c '%n %U %G %a' {paths}").splitlines()
    assert [f"{one['path']} {one['owner']} {one['group']} {int(one['mode'], 8):o}" for one in there] == said
    for one in facts["files"]:
        assert one["exists"] is host.file(one["path"]).exists
    purposes = {one["path"]: one["purpose"] for one in facts["files"]}
    if "/etc/hostfacts/passwords" in purposes:
        assert purposes["/etc/hostfacts/passwords.db"] == "passwords"
        assert purposes["/etc/hostfacts/ec.key"] == "key"
        assert purposes["/etc/dkimkeys/one.private"] == "DKIM key"


def test_files_of_the_role_are_as_deployed(host: t.Any, facts: Facts) -> None:
    of_role = host.file("/var/lib/mailops/relay/manifest").exists
    assert bool(facts["managed"]) is of_role
    assert {one["state"] for one in facts["managed"]} <= {"unchanged"}
    for one in facts["managed"]:
        assert (
            int(host.check_output(f"stat -c %a {one['path']}"), 8)
            == int(one["mode"], 8)
            == int(one["deployed_mode"], 8)
        )


def test_certificates_equal_openssl(host: t.Any, facts: Facts) -> None:
    named = host.check_output("postconf -hx smtpd_tls_chain_files smtpd_tls_cert_file").replace(",", " ").split()
    assert set(named) <= {file["path"] for file in facts["certificates"]}
    for file in facts["certificates"]:
        pem = host.check_output(f"cat {file['path']}")
        blocks = re.findall(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", pem, re.DOTALL)
        assert len(file["chain"]) == len(blocks)
        for one, block in zip(file["chain"], blocks, strict=True):
            certificate = openssl(
                "x509", "-noout", "-subject", "-issuer", "-serial", "-nameopt", "RFC2253", given=block
            )
            assert [f"subject={one['subject']}", f"issuer={one['issuer']}", f"serial={one['serial'].upper()}"] == (
                certificate.splitlines()
            )
            names = openssl("x509", "-noout", "-ext", "subjectAltName", given=block)
            said = {name.strip().lower() for name in re.findall(r"DNS:([^,\s]+)", names)}
            said |= {str(ipaddress.ip_address(name)) for name in re.findall(r"IP Address:([^,\s]+)", names)}
            assert {name.lower() for name in one["names"]} == said
            public = openssl("x509", "-noout", "-pubkey", given=block)
            spki = base64.b64decode("".join(public.splitlines()[1:-1]))
            assert one["spki_sha256"] == hashlib.sha256(spki).hexdigest()


def openssl(*words: str, given: str) -> str:
    return subprocess.run(
        ["openssl", *words], input=given, capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


def test_dkim_keys_equal_openssl(host: t.Any, facts: Facts) -> None:
    for key in facts["dkim"]:
        public = "".join(host.check_output(f"openssl pkey -in {key['path']} -pubout").splitlines()[1:-1])
        assert public.endswith(key["public_key"])
    by_hand = {
        key["selector"]: (key["key_type"], key["key_bits"]) for key in facts["dkim"] if key["domain"] == "outsider.test"
    }
    assert by_hand in ({}, {"one": ("rsa", 2048), "two": ("ed25519", 256)})


def test_aliases_of_a_host_by_hand(host: t.Any, facts: Facts) -> None:
    if not host.file("/etc/hostfacts").exists:
        pytest.skip("aliases of the lab are tables in main.cf")
    first = {one["name"]: one for one in facts["aliases"] if not one["instance"]}
    for name in ("root", "postmaster"):
        assert first[name]["targets"] == [{"kind": "address", "value": "ops@dest.test"}]
    assert first["abuse"]["loops"] == ["abuse"]
    assert [one["kind"] for one in first["security"]["targets"]] == ["program", "mailbox"]
    assert host.check_output("postalias -q root hash:/etc/aliases") == "ops@dest.test"


def test_firewall_says_what_a_client_finds(facts: Facts, host: t.Any, hosts: dict[str, t.Any]) -> None:
    """Ports that listen: the client of the lab is admitted or not, as the facts say."""
    client = hosts["client"]
    name = host.check_output("hostname -f")
    address = ipaddress.ip_address(
        client.check_output(
            f"ip -o route get $(getent ahostsv4 {name} | awk '{{print $1; exit}}') | grep -oP 'src \\K\\S+'"
        )
    )
    for access in facts["firewall"]["ports"]:
        listens = [one for one in facts["listeners"] if one["port"] == access["port"] and one["address"] == "0.0.0.0"]
        if access["ip_version"] != 4 or not listens:
            continue
        verdict = access["others"]
        for word in ("accepts", "drops", "unknown"):
            if any(address in ipaddress.ip_network(one) for one in access[word]):
                verdict = {"accepts": "accept", "drops": "drop", "unknown": "unknown"}[word]
        opened = client.run(f"timeout 3 bash -c '</dev/tcp/{name}/{access['port']}'").rc == 0
        assert verdict == ("accept" if opened else "drop"), access


def test_packages_equal_dpkg(host: t.Any, facts: Facts) -> None:
    found = facts["packages"]
    assert found["installed"]["postfix"] == host.check_output("dpkg-query -W -f '${Version}' postfix")
    assert found["system"] in host.check_output("cat /etc/os-release")
    if found["updates"] is not None:
        said = host.run("apt-get --simulate dist-upgrade").stdout
        for one in found["updates"]:
            assert f"Inst {one['name']} " in said or f"  {one['name']} " in said


def test_units_equal_systemctl(host: t.Any, facts: Facts) -> None:
    assert any(one["name"].startswith("postfix") for one in facts["units"])
    for one in facts["units"]:
        asked = "ActiveState,SubState,UnitFileState,ActiveEnterTimestamp"
        shown = pairs(host.check_output(f"TZ=UTC systemctl show -p {asked} {one['name']}"))
        assert (one["active"], one["sub"], one["enabled"] or "") == (
            shown["ActiveState"],
            shown["SubState"],
            shown["UnitFileState"],
        )
        if one["active"] == "active":
            since = datetime.datetime.strptime(shown["ActiveEnterTimestamp"], "%a %Y-%m-%d %H:%M:%S UTC")
            assert one["since"] == since.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_no_other_mail_server(facts: Facts) -> None:
    assert facts["mail_servers"] == []


def test_queue_equals_postqueue(host: t.Any, facts: Facts) -> None:
    for queue in facts["queue"]:
        directory = next(one["config_directory"] for one in facts["config"] if one["name"] == queue["instance"])
        said = [json.loads(line) for line in host.run(f"postqueue -c {directory} -j").stdout.splitlines()]
        assert queue["messages"] == len(said)
        domains: dict[str, int] = {}
        for message in said:
            for recipient in message["recipients"]:
                domain = recipient["address"].rpartition("@")[2]
                domains[domain] = domains.get(domain, 0) + 1
        assert {one["domain"]: one["recipients"] for one in queue["destinations"]} == domains
        assert queue["partly_read"] == 0
    if host.file("/etc/hostfacts").exists:
        assert facts["queue"][0]["messages"] == 3


@pytest.mark.usefixtures("relay")
def test_a_user_who_is_not_root_gets_what_can_be_seen() -> None:
    """Nothing fails; what is missing has its reason."""
    found = gather("relay", *(word for one in NOT_ROOT.items() for word in ("-e", json.dumps(dict([one])))))
    facts, reasons = found["facts"], {one["path"]: one["reason"] for one in found["unknown"]}
    assert facts["firewall"] is None
    assert "Set become: true." in reasons["firewall"]
    assert {25, 465, 587} <= {one["port"] for one in facts["listeners"]}
    assert {one["program"] for one in facts["listeners"]} == {None}
    assert "Only root sees" in reasons["listeners.25.program"]
    assert facts["queue"][0]["messages"] is None
    assert "Permission denied" in reasons["queue./var/spool/postfix"]
