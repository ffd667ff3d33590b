# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mail_dns_info on a domain with everything: what passes, what is seen, what it costs, and what is proposed.

A name server and a web server run on loopback. Each defect turns the controls that it should, and no other.
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import dns.rcode
import pytest
import trustme
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from ansible_collections.mailops.smtp.plugins.module_utils._compliance import judge_dns, judge_joined
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.case import Target
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.judge import judge
from ansible_collections.mailops.smtp.plugins.module_utils._controls.control import ALL
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.dns import DnsFacts
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import Kind
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.reading import read
from ansible_collections.mailops.smtp.plugins.module_utils._module import policy_file
from ansible_collections.mailops.smtp.plugins.module_utils._x509.certificate import certificate_key
from ansible_collections.mailops.smtp.plugins.modules import mail_dns_info
from ansible_collections.mailops.smtp.tests.unit.support.dns_server import DnsServer, serve

V4, V6 = "192.0.2.25", "2001:db8::25"
POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.test\r\nmx: *.backup.test\r\nmax_age: 604800\r\n"
REVERSE6 = "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
TEST6 = "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"

#: The controls that the DNS judges.
DNS_JUDGES = {**judge_dns.JUDGES, **judge_joined.JUDGES}


class Site(NamedTuple):
    """Keys and certificates, and the options of the module for them."""

    zone: dict[str, dict[str, list[str]]]
    options: dict[str, Any]


def der_of(key: Any) -> bytes:
    """The SubjectPublicKeyInfo of a private key."""
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def quoted(text: str) -> str:
    """A TXT record as a zone file has it."""
    return " ".join(f'"{text[start : start + 255]}"' for start in range(0, len(text), 255))


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def web(authority: trustme.CA) -> Iterator[http.server.HTTPServer]:
    """The web server of the policy; its ``answer`` is the status, the type and the body."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = self.server.answer  # type: ignore[attr-defined]
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Location", "https://elsewhere.test/")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_arguments: object) -> None:
            """Stay silent."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("mta-sts.example.test").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.answer = (200, "text/plain; charset=utf-8", POLICY)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def site(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("site")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate = authority.issue_cert("mail.example.test")
    chain = [ssl.PEM_cert_to_DER_cert(pem.bytes().decode()) for pem in certificate.cert_chain_pems]
    keys = {"r": rsa.generate_private_key(65537, 2048), "e": ed25519.Ed25519PrivateKey.generate()}
    records = {
        "r": "v=DKIM1; k=rsa; p=" + base64.b64encode(der_of(keys["r"])).decode(),
        "e": "v=DKIM1; k=ed25519; p=" + base64.b64encode(der_of(keys["e"])[-32:]).decode(),
    }
    leaf = hashlib.sha256(certificate_key(chain[0])).hexdigest()
    tlsa = [f"3 1 1 {leaf}", f"3 1 1 {'0' * 64}"]
    zone = {
        "": {"SOA": ["a.root. h.root. 1 1 1 1 1"]},
        "example.test": {
            "SOA": ["ns1.example.test. h.example.test. 7 1 1 1 1"],
            "NS": ["ns1.example.test.", "ns2.example.test."],
            "MX": ["10 mail.example.test.", "20 mx.backup.test."],
            "TXT": ['"v=spf1 mx include:spf.provider.test -all"', '"other=1"'],
            "CAA": ['0 issue "ca.test"', '0 iodef "mailto:a@example.test"'],
        },
        "ns1.example.test": {"A": ["127.0.0.1"]},
        "ns2.example.test": {"A": ["127.0.0.1"]},
        "mail.example.test": {"A": [V4], "AAAA": [V6], "TXT": ['"v=spf1 a -all"']},
        "mx.backup.test": {"A": ["198.51.100.1"]},
        "spf.provider.test": {"TXT": ['"v=spf1 ip4:203.0.113.0/24 exists:%{i}.ok.provider.test -all"']},
        "25.2.0.192.in-addr.arpa": {"PTR": ["mail.example.test."]},
        REVERSE6: {"PTR": ["mail.example.test."]},
        **{f"{name}._domainkey.example.test": {"TXT": [quoted(text)]} for name, text in records.items()},
        "_dmarc.example.test": {"TXT": ['"v=DMARC1; p=reject; rua=mailto:a@example.test,mailto:d@reports.test"']},
        "reports.test": {"MX": ["10 mail.reports.test."]},
        "example.test._report._dmarc.reports.test": {"TXT": ['"v=DMARC1"']},
        "_mta-sts.example.test": {"TXT": ['"v=STSv1; id=1"']},
        "mta-sts.example.test": {"A": ["127.0.0.1"]},
        "_smtp._tls.example.test": {"TXT": ['"v=TLSRPTv1; rua=mailto:t@example.test"']},
        "_25._tcp.mail.example.test": {"TLSA": tlsa},
        "2.0.0.127.list.test": {"A": ["127.0.0.2"]},
        f"{TEST6}.list.test": {"A": ["127.0.0.2"]},
        "test.names.test": {"A": ["127.0.1.2"]},
    }
    options = {
        "domain": "example.test",
        "hostname": "mail.example.test",
        "addresses": [V4, V6],
        "dkim": [
            {"selector": name, "public_key": base64.b64encode(der_of(key)).decode()} for name, key in keys.items()
        ],
        "certificates": [{"host": "mail.example.test", "chain": "".join(map(ssl.DER_cert_to_PEM_cert, chain))}],
        "certificate_authority": "ca.test",
        "blocklists": ["list.test"],
        "domain_blocklists": ["names.test"],
        "ca_file": str(folder / "ca.pem"),
        "timeout": 2,
        "on_finding": "ignore",
    }
    return Site(zone, options)


Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(
    site: Site, web: http.server.HTTPServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Run the module against the zone with ``changes``: the records of a name, or None for none."""
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, _warning: None)
    monkeypatch.setattr(policy_file, "HTTPS_PORT", web.server_address[1])
    monkeypatch.setattr(web, "answer", (200, "text/plain; charset=utf-8", POLICY))

    def run_module(changes: dict[str, Any] | None = None, server: dict[str, Any] | None = None, **options: Any) -> dict:
        zone = {**site.zone, **(changes or {})}
        zone = {name: records for name, records in zone.items() if records is not None}
        secure = {"secure": frozenset({*zone, "mx.backup.test"})}
        with serve(DnsServer(zone=zone, **{**secure, **(server or {})})) as listener:
            asked = {**site.options, "nameservers": [listener.nameserver], **options}
            with patch_module_args(asked), pytest.raises(SystemExit):
                mail_dns_info.main()
        result = json.loads(capsys.readouterr().out)
        if "evidence" in result and "checks" not in options:
            assert_judged_alike(result)
        return result

    return run_module


def assert_judged_alike(result: dict[str, Any]) -> None:
    """Saved evidence is judged as the module judged, by the same checks; what they did not come to is told beside."""
    evidence = read(json.loads(json.dumps(result["evidence"])))
    judged = [one.to_dict() for one in judge([evidence], Target("mail", profiles=ALL)).findings]
    by_checks = [one for one in judged if one["control"] in DNS_JUDGES]
    assert [one for one in result["findings"] if one not in by_checks] == []
    added = [one for one in by_checks if one not in result["findings"]]
    assert {one["status"] for one in added} <= {"not_applicable", "not_checked", "error"}


def _patience(server: dict[str, Any]) -> float:
    """The time-out: long enough for a busy machine, and short if it will be waited for."""
    return 1 if "silent" in server else 4


def statuses(result: dict[str, Any], *wanted: str) -> dict[str, list[str]]:
    """The subjects of the findings by control, of those with a status in ``wanted``."""
    found: dict[str, list[str]] = {}
    for one in result["findings"]:
        if one["status"] in wanted:
            found.setdefault(one["control"], []).append(one["subject"])
    return found


def test_a_domain_with_everything_passes_within_its_budget(run: Run) -> None:
    result = run()
    print(f"{result['questions']} questions in {result['seconds']} s")
    assert statuses(result, "fail", "error", "not_checked") == {}
    assert sorted(statuses(result, "pass")) == [
        *(f"MR-DANE-0{number}" for number in (1, 2)),
        *(f"MR-DKIM-0{number}" for number in (1, 2, 3)),
        *(f"MR-DMARC-0{number}" for number in (1, 2, 3, 5)),
        *(f"MR-DNS-{number}" for number in ("01", "03", "04", "06", "07", "08", "09", "10", "11")),
        *(f"MR-SPF-0{number}" for number in (1, 2, 3, 4, 5)),
        *(f"MR-STS-0{number}" for number in (1, 2)),
    ]
    assert sorted(statuses(result, "not_applicable")) == ["MR-DANE-01", "MR-DNS-02"]
    assert result["questions"] <= 60
    assert result["seconds"] <= 3
    assert result["evidence"]["unknown"] == []


def test_the_evidence_is_a_document_that_can_be_read_back(run: Run) -> None:
    result = run()
    document = read(result["evidence"], {Kind.DNS: DnsFacts})
    assert document.subject == "example.test"
    assert document.to_dict() == result["evidence"]
    facts = document.facts
    assert facts.questions == result["questions"]
    assert (facts.spf.lookups, facts.spf.depth, facts.spf.breadth, facts.spf.strangers) == (3, 2, 3, "fail")
    assert [(one.key_type, one.key_bits, one.matches) for one in facts.dkim] == [
        ("rsa", 2048, True),
        ("ed25519", 256, True),
    ]
    assert [(one.domain, one.external, one.authorised) for one in facts.dmarc.reports] == [
        ("example.test", False, None),
        ("reports.test", True, True),
    ]
    assert facts.dane[0].matches
    assert facts.dane[0].spare
    assert [one.serial for one in facts.authority.servers] == [7, 7]


def test_what_is_there_and_right_is_not_to_be_changed(run: Run) -> None:
    result = run(wanted={"report_address": "a@example.test"})
    assert {(one["record"], one["type"]): one["right"] for one in result["records"]} == {
        ("mail.example.test.", "A"): True,
        ("mail.example.test.", "AAAA"): True,
        ("25.2.0.192.in-addr.arpa.", "PTR"): True,
        (f"{REVERSE6}.", "PTR"): True,
        ("example.test.", "MX"): True,
        ("example.test.", "TXT"): True,
        ("mail.example.test.", "TXT"): True,
        ("r._domainkey.example.test.", "TXT"): True,
        ("e._domainkey.example.test.", "TXT"): True,
        ("_dmarc.example.test.", "TXT"): True,
        ("_25._tcp.mail.example.test.", "TLSA"): True,
        ("_smtp._tls.example.test.", "TXT"): True,
    }


def test_the_proposed_records_make_the_checks_pass(run: Run, site: Site) -> None:
    """An empty zone, then the same with the records that were proposed."""
    kept = {"", "ns1.example.test", "ns2.example.test", "mx.backup.test", "mta-sts.example.test"}
    wanted = {"mta_sts_mode": "enforce", "mta_sts_addresses": ["127.0.0.1"]}
    empty: dict[str, Any] = {name: None for name in site.zone if name not in kept and "list.test" not in name}
    empty["example.test"] = {"SOA": ["ns1.example.test. h.example.test. 7 1 1 1 1"], "NS": ["ns1.example.test."]}
    empty["test.names.test"] = {"A": ["127.0.1.2"]}
    first = run(empty, wanted=wanted)
    assert "MR-DMARC-01" in statuses(first, "fail")
    zone: dict[str, Any] = {**empty}
    for one in first["records"]:
        name = one["record"].rstrip(".")
        zone[name] = {**(zone.get(name) or {}), one["type"]: one["value"]}
    assert all(one["zone"] == "example.test" for one in first["records"] if one["record"].endswith("example.test."))
    second = run(zone, wanted=wanted)
    assert [one["right"] for one in second["records"]] == [True] * len(first["records"])
    # The web server serves another policy than the proposed one, which lists only this server.
    assert statuses(second, "fail", "error", "not_checked") == {}


DEFECTS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "no MX target address": ({"mx.backup.test": {"TXT": ['"x"']}}, {"MR-DNS-01"}),
    "no reverse name": ({"25.2.0.192.in-addr.arpa": None}, {"MR-DNS-03"}),
    "no reverse name for IPv6": ({REVERSE6: None}, {"MR-DNS-03", "MR-DNS-06"}),
    "EHLO name without SPF": ({"mail.example.test": {"A": [V4], "AAAA": [V6]}}, {"MR-SPF-05"}),
    "EHLO name without IPv6": (
        {"mail.example.test": {"A": [V4], "TXT": ['"v=spf1 a ip6:2001:db8::25 -all"']}},
        # the name, both targets of MX records and exists: have no record for IPv6, which is one too many
        {"MR-DNS-03", "MR-DNS-06", "MR-SPF-02", "MR-SPF-03"},
    ),
    "DKIM key revoked": ({"r._domainkey.example.test": {"TXT": ['"v=DKIM1; p="']}}, {"MR-DKIM-01"}),
    "DKIM key absent": ({"r._domainkey.example.test": None}, {"MR-DKIM-01"}),
    "DMARC policy none": (
        {"_dmarc.example.test": {"TXT": ['"v=DMARC1; p=none; rua=mailto:a@example.test"']}},
        {"MR-DMARC-02"},
    ),
    "DMARC np none": (
        {"_dmarc.example.test": {"TXT": ['"v=DMARC1; p=reject; np=none; rua=mailto:a@example.test"']}},
        {"MR-DMARC-02"},
    ),
    "DMARC test": (
        {"_dmarc.example.test": {"TXT": ['"v=DMARC1; p=reject; t=y; rua=mailto:a@example.test"']}},
        {"MR-DMARC-02"},
    ),
    "DMARC without reports": ({"_dmarc.example.test": {"TXT": ['"v=DMARC1; p=reject"']}}, {"MR-DMARC-03"}),
    "DMARC removed tag": (
        {"_dmarc.example.test": {"TXT": ['"v=DMARC1; p=reject; pct=50; rua=mailto:a@example.test"']}},
        {"MR-DMARC-05"},
    ),
    "DMARC absent": ({"_dmarc.example.test": None}, {"MR-DMARC-01"}),
    "reports not agreed": ({"example.test._report._dmarc.reports.test": None}, {"MR-DMARC-03"}),
    "reports not deliverable": ({"reports.test": {"MX": ["0 ."]}}, {"MR-DMARC-03"}),
    "TLS reports absent": ({"_smtp._tls.example.test": None}, {"MR-STS-02"}),
    "MTA-STS id not valid": ({"_mta-sts.example.test": {"TXT": ['"v=STSv1; id=a-b"']}}, {"MR-STS-01"}),
    "TLSA of another key": ({"_25._tcp.mail.example.test": {"TLSA": [f"3 1 1 {'1' * 64}"]}}, {"MR-DANE-02"}),
    "TLSA not usable": ({"_25._tcp.mail.example.test": {"TLSA": [f"1 1 1 {'1' * 64}"]}}, {"MR-DANE-01"}),
    "CAA of another authority": (
        {"mail.example.test": {"A": [V4], "AAAA": [V6], "TXT": ['"v=spf1 a -all"'], "CAA": ['0 issue "other.test"']}},
        {"MR-DNS-10"},
    ),
    "CAA of none": (
        {"mail.example.test": {"A": [V4], "AAAA": [V6], "TXT": ['"v=spf1 a -all"'], "CAA": ['0 issue ";"']}},
        {"MR-DNS-10"},
    ),
    "listed": ({"25.2.0.192.list.test": {"A": ["127.0.0.4"], "TXT": ['"spam"']}}, {"MR-DNS-09"}),
    "domain listed": ({"example.test.names.test": {"A": ["127.0.1.4"]}}, {"MR-DNS-09"}),
}


@pytest.mark.parametrize("case", DEFECTS)
def test_a_defect_fails_its_controls_and_no_other(run: Run, case: str) -> None:
    changes, expected = DEFECTS[case]
    result = run(changes)
    assert set(statuses(result, "fail")) == expected
    assert statuses(result, "error") == {}


UNKNOWN: dict[str, tuple[dict[str, Any], dict[str, Any], set[str]]] = {
    "a list refuses": ({"25.2.0.192.list.test": {"A": ["127.255.255.254"]}}, {}, {"MR-DNS-09"}),
    "a list is gone": ({"2.0.0.127.list.test": None}, {}, {"MR-DNS-09"}),
    "a list lists all": ({"1.0.0.127.list.test": {"A": ["127.0.0.2"]}}, {}, {"MR-DNS-09"}),
    "a parked list": ({"25.2.0.192.list.test": {"A": ["203.0.113.7"]}}, {}, {"MR-DNS-09"}),
    "DKIM fails": ({}, {"rcodes": {"r._domainkey.example.test": dns.rcode.SERVFAIL}}, {"MR-DKIM-01"}),
    "DMARC fails": ({}, {"rcodes": {"_dmarc.example.test": dns.rcode.SERVFAIL}}, {"MR-DMARC-01"}),
    "TLS reports fail": ({}, {"rcodes": {"_smtp._tls.example.test": dns.rcode.REFUSED}}, {"MR-STS-02"}),
    "MTA-STS fails": ({}, {"rcodes": {"_mta-sts.example.test": dns.rcode.SERVFAIL}}, {"MR-STS-01"}),
    "TLSA fails": ({}, {"rcodes": {"_25._tcp.mail.example.test": dns.rcode.SERVFAIL}}, {"MR-DANE-01"}),
    "no name server": (
        {"example.test": {"MX": ["10 mail.example.test."], "TXT": ['"v=spf1 mx -all"']}},
        {},
        {"MR-DNS-11"},
    ),
    "50 reverse names that lead elsewhere": (
        {"25.2.0.192.in-addr.arpa": {"PTR": [f"a{number}.example.test." for number in range(50)]}},
        {},
        {"MR-DNS-03"},
    ),
    "a server is gone": ({"ns2.example.test": None}, {}, {"MR-DNS-11"}),
    "reports time out": ({}, {"silent": frozenset({"reports.test"})}, {"MR-DMARC-03"}),
    "SPF include fails": (
        {},
        {"rcodes": {"spf.provider.test": dns.rcode.SERVFAIL}},
        {"MR-SPF-03", "MR-SPF-04"},
    ),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_cannot_be_seen_is_not_known(run: Run, case: str) -> None:
    changes, server, expected = UNKNOWN[case]
    result = run(changes, server, timeout=_patience(server))
    assert set(statuses(result, "error")) == expected
    assert statuses(result, "fail") == {}
    assert result["evidence"]["unknown"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((404, "text/plain", ""), "answers with the status 404"),
        ((302, "text/plain", POLICY), "answers with the status 302"),
        ((200, "text/html", POLICY), "is not of the type text/plain"),
        ((200, "text/plain", POLICY.replace("enforce", "testing")), "is not enforced: its mode is testing"),
        ((200, "text/plain", POLICY.replace("enforce", "sometimes")), "mode is sometimes; expected"),
        ((200, "text/plain", POLICY.replace("mx: *.backup.test\r\n", "")), "does not list mx.backup.test"),
        ((200, "text/plain", POLICY.replace("604800", "forever")), "max_age is forever; expected 0 to 31557600"),
        ((200, "text/plain", "<html>"), "is not a field such as mode: enforce"),
        ((200, "text/plain", "x\n" * 30_000), "; 29994 more."),
    ],
)
def test_a_policy_that_senders_do_not_use_is_told(run: Run, web: Any, answer: tuple[int, str, str], words: str) -> None:
    web.answer = answer
    result = run(checks=["mta_sts"])
    [finding] = result["findings"]
    assert (finding["control"], finding["status"]) == ("MR-STS-01", "fail")
    assert words in finding["message"]


def test_a_certificate_that_senders_refuse_is_told(run: Run) -> None:
    result = run(checks=["mta_sts"], ca_file=None)
    [finding] = result["findings"]
    assert (finding["status"], "Senders refuse the certificate at" in finding["message"]) == ("fail", True)


def test_the_ehlo_name_is_looked_up_first_of_many_reverse_names(run: Run) -> None:
    names = [f"a{number}.example.test." for number in range(50)]
    result = run({"25.2.0.192.in-addr.arpa": {"PTR": [*names, "mail.example.test."]}}, checks=["ptr"])
    assert {one["status"] for one in result["findings"]} == {"pass"}


def test_a_web_server_that_is_not_there_is_not_known(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_file, "HTTPS_PORT", 1)
    result = run(checks=["mta_sts"])
    assert [one["status"] for one in result["findings"]] == ["error"]
    assert "Connection refused" in result["findings"][0]["message"]


def test_name_servers_that_are_silent_cost_one_time_out(run: Run) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        result = run(nameservers=[f"127.0.0.1:{deaf.getsockname()[1]}"], timeout=1)
    assert result["seconds"] < 2
    assert {one["status"] for one in result["findings"]} == {"error"}
    assert {one["right"] for one in result["records"]} == {None}
    assert result["passed"] is False


def test_dnssec_that_fails_is_told_as_such(run: Run) -> None:
    bogus = frozenset({"example.test"})
    result = run(None, {"bogus": bogus}, checks=["dnssec"])
    assert [(one["control"], one["status"]) for one in result["findings"]] == [
        ("MR-DNS-07", "fail"),
        ("MR-DNS-08", "pass"),
    ]
    assert result["evidence"]["facts"]["dnssec"]["state"] == "bogus"


@pytest.mark.parametrize(
    ("secure", "expected"),
    [
        ({""}, [("MR-DNS-07", "fail"), ("MR-DNS-08", "pass")]),
        (set(), [("MR-DNS-07", "not_checked"), ("MR-DNS-08", "fail")]),
    ],
)
def test_dnssec_that_is_absent_is_told_apart_from_a_resolver_that_does_not_validate(
    run: Run, secure: set[str], expected: list[tuple[str, str]]
) -> None:
    result = run(None, {"secure": frozenset(secure)}, checks=["dnssec"])
    assert [(one["control"], one["status"]) for one in result["findings"]] == expected


def test_no_option_is_needed_but_the_domain(run: Run) -> None:
    given: dict[str, Any] = {"hostname": None, "addresses": [], "dkim": [], "certificates": [], "blocklists": []}
    result = run(**given, domain_blocklists=[])
    assert statuses(result, "error", "fail") == {}
    assert "failed" not in result


SECRETS = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dkim": [{"selector": "s", "public_key": SECRETS}]}, "it is a private key; give the public key alone"),
        ({"dkim": [{"selector": "s", "public_key": "AAAA"}]}, "dkim: public_key of the selector s cannot be used"),
        ({"dkim": [{"selector": "s", "public_key": "p=!"}]}, "it is not a valid DKIM record"),
        ({"dkim": [{"selector": "a b"}]}, "dkim.selector: 'a b' is not a valid domain name"),
        ({"certificates": [{"host": "mail.example.test", "chain": "x"}]}, "it has no certificate in PEM"),
        ({"certificates": [{"host": "mail.example.test", "chain": "x", "port": 0}]}, "0 is not a valid port"),
        ({"blocklists": ["http://list.test"]}, "blocklists: 'http://list.test' is not a valid domain name"),
        ({"retries": -1}, "retries: -1 is not valid; expected 0 to 10"),
        ({"retries": 5000}, "retries: 5000 is not valid; expected 0 to 10"),
        ({"timeout": "inf"}, "timeout: inf is not valid; expected more than 0 seconds, and at most 3600"),
        ({"timeout": "nan"}, "timeout: nan is not valid; expected more than 0 seconds"),
        ({"wanted": {"mta_sts_max_age": -1}}, "wanted.mta_sts_max_age: -1 is not valid; expected 0 to 31557600"),
        ({"wanted": {"mta_sts_max_age": 31557601}}, "wanted.mta_sts_max_age: 31557601 is not valid"),
        ({"certificate_authority": "https://ca.test"}, "certificate_authority: 'https://ca.test' is not a valid"),
        ({"dkim": [{"selector": "s._domainkey"}]}, "dkim.selector: 's._domainkey' is the name of a key record"),
        (
            {"dkim": [{"selector": "s"}, {"selector": "S", "public_key": "A" * 43 + "="}]},
            "dkim: s._domainkey.example.test is there twice, with different keys",
        ),
        ({"ca_file": "/nonexistent"}, "ca_file /nonexistent cannot be read"),
        ({"wanted": {"report_address": "me"}}, "wanted.report_address: 'me' is not a mail address"),
        ({"wanted": {"mta_sts_addresses": ["web"]}}, "wanted.mta_sts_addresses: 'web' is not a valid IP address"),
    ],
)
def test_an_option_that_is_not_valid_is_named(run: Run, options: dict[str, Any], words: str) -> None:
    result = run(**options)
    assert words in result["msg"]
    assert "MC4CAQAw" not in result["msg"]


#: What a domain can have too much of, and the part of the facts that tells it.
TOO_MUCH: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "200 MX records": (
        {"example.test": {"MX": [f"{number} mx{number}.example.test." for number in range(200)]}},
        {},
        "has 200 MX records; only 20 targets were looked up",
    ),
    "a record of 64 kB": (
        {"example.test": {"TXT": ['"v=spf1 "' + ' "' + '" "'.join([("ip4:192.0.2.1 " * 17)] * 250) + '" "-all"']}},
        {},
        "",
    ),
    "a term of 64 kB": ({"example.test": {"TXT": ['"v=spf1 include:"' + f' "{"a" * 250}"' * 250]}}, {}, ""),
    "30,000 tags that are not valid": (
        {"_dmarc.example.test": {"TXT": [quoted("v=DMARC1; p=none" + ";a" * 30_000)]}},
        {},
        "",
    ),
    "20,000 addresses for reports": (
        {"_dmarc.example.test": {"TXT": [quoted("v=DMARC1; p=none; rua=" + "x," * 20_000)]}},
        {},
        "",
    ),
    "900 authorities": (
        {"mail.example.test": {"CAA": [f'0 issue "ca{number}.test"' for number in range(900)]}},
        {},
        "",
    ),
    "a word of 64 kB": ({"_dmarc.example.test": {"TXT": ['"v=DMARC1; p="' + f' "{"a" * 250}"' * 250]}}, {}, ""),
    "50 name servers": (
        {"example.test": {"SOA": ["a.test. h.test. 1 1 1 1 1"], "NS": [f"n{number}.test." for number in range(50)]}},
        {},
        "has 50 name servers; only 8 were asked",
    ),
    "a CNAME loop": (
        {"mail.example.test": {"CNAME": ["b.test."]}, "b.test": {"CNAME": ["mail.example.test."]}},
        {},
        "its aliases lead in a circle or are too many",
    ),
    "an SPF loop": (
        {
            "example.test": {"TXT": ['"v=spf1 include:example.test include:b.test -all"']},
            "b.test": {"TXT": ['"v=spf1 include:example.test -all"']},
        },
        {},
        "",
    ),
    "100 reverse names": (
        {"25.2.0.192.in-addr.arpa": {"PTR": [f"n{number}.example.test." for number in range(100)]}},
        {},
        "has 100 reverse names; only 10 were looked up",
    ),
    "silence about the domain": (
        {},
        {"silent": frozenset({"example.test", "mail.example.test", "_dmarc.example.test", "spf.provider.test"})},
        "got no answer within 1 s",
    ),
}


@pytest.mark.parametrize("case", TOO_MUCH)
def test_a_domain_that_is_too_much_is_bounded_and_told(run: Run, case: str) -> None:
    changes, server, told = TOO_MUCH[case]
    result = run(changes, server, timeout=_patience(server))
    assert result["seconds"] < 10  # the machine may be busy
    assert result["questions"] < 130
    reasons = [one["reason"] for one in result["evidence"]["unknown"]]
    assert any(told in reason for reason in reasons) if told else True, reasons
    assert len(json.dumps(result)) < 250_000
    assert max(len(one["message"]) for one in result["findings"]) < 2000
