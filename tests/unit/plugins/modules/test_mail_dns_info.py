# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mail_dns_info, tested against a name server on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.rcode
import pytest
import yaml
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mailops.smtp.plugins.doc_fragments import _mail_dns
from ansible_collections.mailops.smtp.plugins.module_utils._dns import resolver
from ansible_collections.mailops.smtp.plugins.module_utils._module.dns_options import ARGUMENT_SPEC
from ansible_collections.mailops.smtp.plugins.modules import mail_dns_info
from ansible_collections.mailops.smtp.tests.unit.support.dns_server import DnsServer, serve

COLLECTIONS = Path(__file__).parents[4] / ".build" / "collections"

SERVER = DnsServer(
    zone={
        "example.test": {"MX": ["10 mail.example.test."], "TXT": ['"v=spf1 mx -all"']},
        "mail.example.test": {"A": ["192.0.2.25"], "AAAA": ["2001:db8::25"]},
        "25.2.0.192.in-addr.arpa": {"PTR": ["mail.example.test."]},
        "broken.test": {},
        "refused.test": {},
        "zwsp.test": {"TXT": [r'"v=spf1 ip4:192.0.2.25 a:mail\226\128\139.example.test -all"']},
    },
    rcodes={"broken.test": dns.rcode.SERVFAIL, "refused.test": dns.rcode.REFUSED},
    silent=frozenset({"silent.test"}),
)


@pytest.fixture(scope="module")
def server() -> Iterator[DnsServer]:
    with serve(SERVER):
        yield SERVER


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict]:
    """Run the module in this process, as Ansible does, and return its result with its warnings."""
    warnings: list[str] = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, warning: warnings.append(warning))

    def run_module(**options: object) -> dict:
        with patch_module_args(options), pytest.raises(SystemExit):
            mail_dns_info.main()
        return {**json.loads(capsys.readouterr().out), "warnings": list(warnings)}

    return run_module


def test_module_runs_in_check_mode(server):
    options = {"domain": "example.test", "checks": ["spf", "mx"], "nameservers": [server.nameserver]}
    command = ["-m", "ansible", "adhoc", "localhost", "--check", "-m", "mailops.smtp.mail_dns_info"]
    run = subprocess.run(
        [sys.executable, *command, "-a", json.dumps(options)],
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_NOCOLOR": "true",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert '"msg": "DNS for example.test: 4 pass, 1 not checked."' in run.stdout


def test_mail_system_without_faults_passes(run, server):
    result = run(
        domain="example.test",
        hostname="Mail.example.test.",
        addresses=["192.0.2.25"],
        checks=["a", "mx", "ptr", "spf"],
        nameservers=[server.nameserver],
    )
    assert result["passed"] is True
    assert result["changed"] is False
    assert result["msg"] == "DNS for example.test: 8 pass."
    assert result["warnings"] == []
    facts = result["evidence"]["facts"]
    assert facts["mx"] == [{"preference": 10, "host": "mail.example.test"}]
    assert [one["confirmed"] for one in facts["egress"]] == [["mail.example.test"]]
    assert facts["spf"]["records"] == ["v=spf1 mx -all"]


def test_failed_finding_is_a_warning(run, server):
    result = run(domain="example.test", addresses=["192.0.2.99"], checks=["ptr"], nameservers=[server.nameserver])
    assert "failed" not in result
    assert result["passed"] is False
    assert result["findings"] == [
        {
            "control": "MR-DNS-03",
            "status": "fail",
            "severity": "high",
            "subject": "192.0.2.99",
            "message": "192.0.2.99 has no PTR record.",
            "remedy": (
                "Ask the provider of 192.0.2.99 to set its PTR record to the name that the mail server gives with EHLO."
            ),
            "source": "RFC 1912 section 2.1",
        }
    ]
    assert result["warnings"] == [
        (
            "MR-DNS-03: 192.0.2.99 has no PTR record. "
            "Ask the provider of 192.0.2.99 to set its PTR record to the name that the mail server gives with EHLO."
        )
    ]


def test_findings_can_be_ignored(run, server):
    result = run(domain="gone.test", on_finding="ignore", nameservers=[server.nameserver])
    assert result["passed"] is False
    assert result["warnings"] == []


def test_task_fails_with_all_failed_findings(run, server):
    result = run(
        domain="gone.test",
        addresses=["192.0.2.25"],
        checks=["spf", "mx"],
        on_finding="fail",
        nameservers=[server.nameserver],
    )
    assert result["msg"].splitlines() == [
        "DNS for gone.test: 3 fail.",
        (
            "- MR-DNS-01: gone.test does not exist in the DNS, so no mail can reach gone.test. "
            "Check the spelling of gone.test, its registration and its delegation."
        ),
        (
            "- MR-SPF-01: gone.test does not exist in the DNS. "
            "Check the spelling of gone.test, its registration and its delegation."
        ),
        (
            "- MR-SPF-02: The SPF result of gone.test for 192.0.2.25 is none: gone.test does not exist in the DNS. "
            "Publish one valid SPF record for gone.test, with ip4:192.0.2.25."
        ),
    ]
    assert len(result["findings"]) == 3


def test_octet_beyond_ascii_is_a_permanent_error_of_spf(run, server):
    result = run(domain="zwsp.test", addresses=["192.0.2.25"], checks=["spf"], nameservers=[server.nameserver])
    assert [(one["control"], one["status"]) for one in result["findings"]] == [
        ("MR-SPF-01", "fail"),
        ("MR-SPF-02", "fail"),
    ]
    assert (
        "is permerror: the SPF record of zwsp.test is invalid: character 29 is U+200B"
        in result["findings"][1]["message"]
    )
    assert result["evidence"]["facts"]["spf"]["records"] == [
        r"v=spf1 ip4:192.0.2.25 a:mail\226\128\139.example.test -all"
    ]


@pytest.mark.parametrize(
    ("domain", "reason"),
    [
        ("broken.test", "failed (127.0.0.1: SERVFAIL)"),
        ("refused.test", "failed (127.0.0.1: REFUSED)"),
        ("silent.test", "got no answer within 0.5 s"),
    ],
)
def test_lookup_without_an_answer_is_not_a_missing_record(run, server, domain, reason):
    options = {"domain": domain, "checks": ["mx", "spf"], "nameservers": [server.nameserver], "timeout": 0.5}
    result = run(**options, addresses=["192.0.2.25"])
    assert [one["status"] for one in result["findings"]] == ["error"] * 3
    assert [one["message"] for one in result["findings"]] == [
        f"{domain} could not be judged: the MX lookup for {domain} {reason}.",
        f"{domain} could not be judged: the TXT lookup for {domain} {reason}.",
        f"192.0.2.25 could not be judged: the TXT lookup for {domain} {reason}.",
    ]


def test_undecided_control_never_fails_the_task(run, server):
    result = run(domain="broken.test", checks=["mx"], on_finding="fail", nameservers=[server.nameserver])
    assert "failed" not in result
    assert result["passed"] is False
    [warning] = result["warnings"]
    assert warning.startswith(
        "MR-DNS-01: broken.test could not be judged: the MX lookup for broken.test failed (127.0.0.1"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"domain": "localhost"},
            (
                "Cannot check DNS: domain: 'localhost' is not a fully qualified host name: it has a single label;"
                " expected a name such as example.com."
            ),
        ),
        (
            {"domain": "example.test", "via": ["a..b"]},
            (
                "Cannot check DNS: via: 'a..b' is not a valid domain name: a label is empty;"
                " expected a host name such as mail.example.com, or an IP address."
            ),
        ),
        (
            {"domain": "example.test", "addresses": ["mail.example.test"]},
            (
                "Cannot check DNS: addresses: 'mail.example.test' is not a valid IP address;"
                " expected an IP address that mail leaves from, such as 192.0.2.25."
            ),
        ),
        (
            {"domain": "example.test", "hostname": "https://mail.example.test/"},
            (
                "Cannot check DNS: hostname: 'https://mail.example.test/' is not a valid domain name: it is a URL;"
                " write the name alone; expected a host name such as mail.example.com."
            ),
        ),
        (
            {"domain": "example.test", "via": ["[smtp.example.test]:587"]},
            (
                "Cannot check DNS: via: '[smtp.example.test]:587' is not a valid domain name: it has a colon;"
                " write the name without a port; expected a host name such as mail.example.com, or an IP address."
            ),
        ),
        (
            {"domain": "example.test", "addresses": ["127.0.0.1"]},
            (
                "Cannot check DNS: addresses: 127.0.0.1 is a loopback address, so no mail to other hosts leaves from"
                " it; expected an IP address that mail leaves from, such as 192.0.2.25."
            ),
        ),
        (
            {"domain": ""},
            (
                "Cannot check DNS: domain: '' is not a valid domain name: it is empty;"
                " expected a name such as example.com."
            ),
        ),
        (
            {"domain": "example.test", "timeout": 0},
            "Cannot check DNS: timeout: 0 is not valid; expected more than 0 seconds, and at most 3600.",
        ),
        (
            {"domain": "example.test", "nameservers": ["ns.example.test"]},
            (
                "Cannot check DNS: nameservers: 'ns.example.test' is not an IP address; "
                "expected an address such as 192.0.2.53, or with a port 192.0.2.53:5353."
            ),
        ),
    ],
)
def test_invalid_option_is_named_in_the_error(run, options, message):
    result = run(**options)
    assert result["msg"] == message


@pytest.mark.parametrize("written", ["example.test", "Example.TEST.", " example.test\n", "b\u00fccher.test"])
def test_name_is_read_as_people_write_it(run, server, written):
    result = run(domain=written, checks=["mx"], nameservers=[server.nameserver], on_finding="ignore")
    assert result["msg"].startswith(("DNS for example.test: ", "DNS for xn--bcher-kva.test: "))


@pytest.mark.parametrize("hostname", ["[192.0.2.25]", "192.0.2.25", "mail", "mail_1.example.test"])
def test_unsuitable_ehlo_name_is_a_finding(run, server, hostname):
    result = run(domain="example.test", hostname=hostname, checks=["a"], nameservers=[server.nameserver])
    [finding] = result["findings"]
    assert finding["message"].startswith(f"The EHLO name {hostname} is not a fully qualified host name: it ")
    assert "hostname" in finding["remedy"]


def test_upstream_may_be_written_in_brackets(run, server):
    options = {"domain": "example.test", "checks": ["spf"], "nameservers": [server.nameserver]}
    result = run(**options, via=["[192.0.2.25]", "[mail.example.test]", "[IPv6:2001:db8::25]"])
    assert [one["subject"] for one in result["findings"][2:5]] == ["192.0.2.25", "mail.example.test", "2001:db8::25"]
    assert result["passed"] is True


def test_missing_dnspython_is_named_in_the_error(run, monkeypatch):
    monkeypatch.setattr(resolver, "DNSPYTHON_IMPORT_ERROR", ImportError("No module named 'dns'"))
    result = run(domain="example.test")
    assert result["failed"] is True
    assert result["msg"].startswith("Failed to import the required Python library (dnspython)")


def documented(options: dict) -> dict:
    """The argument spec that the documentation of options describes. A public key is not a secret."""
    specs = {}
    for name, option in options.items():
        spec = {key: value for key, value in option.items() if key not in ("description", "suboptions")}
        nested = {"options": documented(option["suboptions"])} if "suboptions" in option else {}
        specs[name] = {**spec, **nested, **({"no_log": False} if name == "public_key" else {})}
    return specs


def test_documentation_matches_the_argument_spec():
    own, shared = (
        yaml.safe_load(text)["options"]
        for text in (mail_dns_info.DOCUMENTATION, _mail_dns.ModuleDocFragment.DOCUMENTATION)
    )
    options = {**own, **shared}
    assert documented(options) == ARGUMENT_SPEC
