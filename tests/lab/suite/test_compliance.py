# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook compliance on the lab: what it tells of a relay of this collection, and of what it cannot see.

The vantages are the client, which alone reaches port 465, and the outsider, which is in no allowed network. Runs are
shared by the tests that only read their reports; what needs no host is judged again from saved evidence.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import typing as t
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from ansible_collections.mailops.smtp.tests.lab.suite.conftest import snapshot
from ansible_collections.mailops.smtp.tests.lab.suite.plays import BUILD, LAB, ROOT, VENV, Play, run_play
from ansible_collections.mailops.smtp.tests.lab.suite.test_host_facts import CLEAN
from ansible_collections.mailops.smtp.tests.lab.suite.test_host_facts import PACKAGE as INSTALL

pytestmark = pytest.mark.third_lab

PLAYBOOK = "playbooks/compliance.yml"
JUDGE = ROOT / "tests/compliance/judge.py"
RELAY = "relay.sender.test"
#: What a relay of this collection must meet, whatever the zone of the lab has.
MET = (
    *("MR-AUTH-01", "MR-AUTH-03", "MR-AUTH-04", "MR-AUTH-05", "MR-AUTH-06", "MR-RELAY-01", "MR-RELAY-02"),
    *("MR-RELAY-03", "MR-TLS-02", "MR-HOST-01", "MR-HOST-06"),
)
#: The configuration of the relay is kept before a defect, and brought back after it.
KEEP = "cp -a /etc/postfix /run/postfix.kept\n"
BRING_BACK = "cp -a /run/postfix.kept/. /etc/postfix/ && rm -r /run/postfix.kept && systemctl restart postfix"
#: An address of the lab that no host has.
UNUSED = 99


@dataclasses.dataclass(frozen=True)
class Audit:
    """A run and its report."""

    play: Play
    directory: Path

    @property
    def report(self) -> dict[str, t.Any]:
        """The report as JSON."""
        return dict(json.loads((self.directory / "report.json").read_text()))

    def host(self, name: str) -> dict[str, t.Any]:
        """What was found on a host."""
        (one,) = [one for one in self.report["hosts"] if one["host"] == name]
        return dict(one)

    def findings(self, host: str = "relay") -> list[dict[str, str]]:
        """The findings of a host."""
        return [one["finding"] for one in self.host(host)["results"]]

    def states(self, host: str = "relay") -> dict[str, set[str]]:
        """The statuses of each control on a host."""
        found: dict[str, set[str]] = {}
        for one in self.findings(host):
            found.setdefault(one["control"], set()).add(one["status"])
        return found

    def told(self, host: str, status: str) -> dict[str, str]:
        """The sentences of the findings with this status, by control."""
        return {one["control"]: one["message"] for one in self.findings(host) if one["status"] == status}


Run = t.Callable[..., Audit]


@pytest.fixture(scope="module")
def prefix(relay: t.Any) -> str:
    """The first three octets of the lab's addresses."""
    return str(relay.check_output("hostname -I").strip().rpartition(".")[0])


@pytest.fixture(scope="module")
def variables(prefix: str, passwords: dict[str, str]) -> dict[str, t.Any]:
    """What an engineer gives for an audit of the relay."""
    account = {"username": "app@sender.test", "password": passwords["app@sender.test"]}
    return {
        "mailops_relays": "relay",
        "compliance_vantages": ["client", "outsider"],
        "compliance_address": RELAY,
        "compliance_recipient": "inbox@dest.test",
        "compliance_accounts": [{**account, "other_sender": "boss@sender.test"}],
        "compliance_dns": {"nameservers": [f"{prefix}.2"]},
        "compliance_formats": ["json", "html", "junit", "markdown", "text"],
    }


@pytest.fixture(scope="module")
def audit(variables: dict[str, t.Any]) -> Run:
    """``audit(name, **variables)`` runs the playbook on the relay.

    Variables named in ``without`` come from the inventory.
    """

    def run(name: str, *options: str, without: t.Collection[str] = (), **given: t.Any) -> Audit:
        directory = LAB / "compliance" / name
        shutil.rmtree(directory, ignore_errors=True)
        extra = {**variables, "compliance_directory": str(directory), **given}
        extra = {key: value for key, value in extra.items() if key not in without}
        return Audit(run_play(f"compliance-{name}", PLAYBOOK, *options, extra=extra), directory)

    return run


def judge(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Judge saved evidence, as a user would from a clone."""
    environment = {**os.environ, "PYTHONPATH": str(BUILD / "collections")}
    command = [str(VENV / "python"), str(JUDGE), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)


# -- a relay of this collection ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def untouched(relay: t.Any) -> str:
    """The state of the relay before any audit."""
    return snapshot(relay)


@pytest.fixture(scope="module")
def first(audit: Run, untouched: str) -> Audit:
    """The relay as it is."""
    return audit("first")


def test_relay_of_this_collection_meets_its_controls(first: Audit) -> None:
    states = first.states()
    assert {control: states[control] for control in MET} == {control: {"pass"} for control in MET}, first.play.tail
    assert first.told("relay", "pass")["MR-E2E-01"]
    assert first.told("relay", "error") == first.told("relay", "fail") == {}
    first.play.succeeded()
    assert first.report["verdict"]["exit_code"] == 0
    assert first.host("relay")["profile"] == "submission_relay"


def test_reports_and_evidence_are_for_their_owner_alone(first: Audit) -> None:
    files = {str(path.relative_to(first.directory)): path.stat().st_mode & 0o777 for path in first.directory.rglob("*")}
    names = ("report.json", "report.html", "junit.xml", "report.md", "report.txt", "evidence/relay.json")
    assert files == {"evidence": 0o700, **dict.fromkeys(names, 0o600)}


def test_nothing_is_changed_and_no_secret_is_written(
    first: Audit, untouched: str, relay: t.Any, passwords: dict[str, str]
) -> None:
    assert first.play.count("relay", "changed") == 0
    assert snapshot(relay) == untouched
    written = "".join(path.read_text(errors="replace") for path in first.directory.rglob("*") if path.is_file())
    assert [name for name, secret in passwords.items() if secret in written or secret in first.play.output] == []
    assert "PRIVATE KEY" not in written


def test_message_of_proof_arrives(first: Audit, read_mail: t.Callable[..., t.Any]) -> None:
    evidence = json.loads((first.directory / "evidence/relay.json").read_text())["evidence"]
    (proof,) = [one for one in evidence if one["kind"] == "proof"]
    for message in proof["facts"]["messages"]:
        assert message["hops"][-1]["status"] == "sent"
        assert read_mail(message["nonce"]) is not None
    assert [one["nonce"].rpartition("-")[2] for one in proof["facts"]["messages"]] == ["465", "587"]


def test_check_mode_sends_nothing_and_writes_nothing(audit: Run) -> None:
    found = audit("check", "--check")
    found.play.succeeded()
    assert not found.directory.exists()
    assert "Prove |" not in found.play.output
    assert found.play.says("1 host:")


# -- what cannot be seen ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trouble(audit: Run, variables: dict[str, t.Any], prefix: str, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """Three in one run: a host that is down; the relay, with a name server that is down; the relay without accounts."""
    unused = f"{prefix}.{UNUSED}"
    hosts: dict[str, dict[str, t.Any]] = {
        "down": {"ansible_host": unused, "ansible_timeout": 3, "compliance_address": unused},
        "nameless": {"compliance_dns": {"nameservers": [unused], "timeout": 1}},
        "anonymous": {"compliance_accounts": []},
    }
    own = {name: variables[name] for name in ("compliance_address", "compliance_accounts", "compliance_dns")}
    common = {"ansible_host": "relay", "ansible_ssh_args": f"-F {LAB}/ssh_config", "ansible_become": False, **own}
    inventory = tmp_path_factory.mktemp("trouble") / "hosts.yml"
    inventory.touch(mode=0o600)
    inventory.write_text(json.dumps({"troubled": {"hosts": hosts, "vars": common}}))
    options = ("-i", "tests/lab/inventory", "-i", str(inventory))
    few = {"compliance_vantages": ["client"], "compliance_probes": ["banner"], "compliance_recipient": ""}
    return audit("trouble", *options, without=own, mailops_relays="troubled", **few)


def test_host_that_is_down_is_an_error_and_the_others_are_judged(trouble: Audit) -> None:
    assert trouble.play.code == 2
    assert {"pass", "fail"}.isdisjoint(set().union(*trouble.states("down").values())), trouble.states("down")
    assert trouble.states("down")["MR-HOST-01"] == {"error"}
    assert "could not be asked" in trouble.host("down")["problem"]
    for other in ("nameless", "anonymous"):
        assert trouble.states(other)["MR-HOST-01"] == {"pass"}


def test_name_server_that_is_down_is_an_error(trouble: Audit, first: Audit) -> None:
    told = trouble.told("nameless", "error")
    assert {one for one in told if one.startswith(("MR-DNS", "MR-SPF", "MR-DMARC"))} >= {"MR-DNS-01", "MR-SPF-01"}
    assert "no name server answers" in told["MR-SPF-01"]


def test_without_accounts_logins_are_not_checked(trouble: Audit) -> None:
    told = trouble.told("anonymous", "not_checked")
    assert {"MR-AUTH-03", "MR-AUTH-06", "MR-E2E-01"} <= {*told}
    assert told["MR-AUTH-03"] == "No login was tried on port 587."


#: The second connection of a client to a port within ten minutes gets 421, as that of an audit that asks too much.
BUSY = """
postconf -e smtpd_client_connection_rate_limit=1 anvil_rate_time_unit=600s smtpd_client_event_limit_exceptions=
systemctl restart postfix
"""


@pytest.fixture(scope="module")
def busy(audit: Run, relay: t.Any, probe: t.Callable[..., t.Any]) -> Audit:
    """The relay while it answered 421 on every port."""
    relay.check_output(KEEP + BUSY)
    try:
        for vantage in ("client", "outsider"):
            probe(vantage, "open_ports", host=RELAY, ports=[25, 465, 587])
        return audit("busy")
    finally:
        relay.check_output(BRING_BACK)


def test_421_from_every_port_is_an_error(busy: Audit) -> None:
    assert busy.play.code == 2
    told = busy.told("relay", "error")
    assert {"MR-AUTH-03", "MR-AUTH-04", "MR-AUTH-05", "MR-RELAY-01", "MR-TLS-02"} <= {*told}
    assert "421" in told["MR-RELAY-01"]


# -- hosts that this collection does not know -------------------------------------------------------------------------

PACKAGE, BY_HAND = "client.sender.test", "host.outsider.test"
#: As an administrator in a hurry writes it.
OPEN_RELAY = r"""
cat >/etc/postfix/main.cf <<'END'
compatibility_level = 3.6
myhostname = host.outsider.test
mydestination = $myhostname, localhost
mynetworks = 0.0.0.0/0
smtpd_relay_restrictions = permit_mynetworks, permit
smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_banner = $myhostname ESMTP $mail_name $mail_version
alias_maps = hash:/etc/aliases
END
newaliases
systemctl restart postfix
"""


@pytest.fixture(scope="module")
def strangers(
    audit: Run, prefix: str, hosts: dict[str, t.Any], tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[Audit]:
    """The package of Debian as it comes, and an open relay, in one run; another host of the lab is the vantage."""
    package, by_hand = hosts["client"], hosts["outsider"]
    inventory = tmp_path_factory.mktemp("strangers") / "hosts.yml"
    common = {"ansible_ssh_args": f"-F {LAB}/ssh_config", "ansible_become": False}
    inventory.write_text(json.dumps({"strangers": {"hosts": {PACKAGE: {}, BY_HAND: {}}, "vars": common}}))
    try:
        for host in (package, by_hand):
            host.check_output(CLEAN + INSTALL)
        by_hand.check_output(OPEN_RELAY)
        yield audit(
            "strangers",
            *("-i", "tests/lab/inventory", "-i", str(inventory)),
            mailops_relays="strangers",
            compliance_vantages=["upstream"],
            without=("compliance_address", "compliance_accounts"),
        )
    finally:
        for host in (package, by_hand):
            host.check_output(CLEAN)


def test_open_relay_is_found_and_explained(strangers: Audit) -> None:
    failed = strangers.told(BY_HAND, "fail")
    assert {"MR-RELAY-01", "MR-RELAY-02", "MR-RELAY-03"} <= {*failed}
    assert strangers.play.code == 2


def test_package_of_debian(strangers: Audit) -> None:
    """No open relay, but open to attackers on the way: it has no certificate, and tells more than it has to."""
    assert {*strangers.told(PACKAGE, "fail")} == {"MR-DANE-03", "MR-SMTP-02", "MR-SMTP-03", "MR-SPF-05", "MR-TLS-01"}
    assert strangers.told(PACKAGE, "error") == {}
    passed = ("MR-RELAY-01", "MR-RELAY-02", "MR-RELAY-03", "MR-SMTP-05", "MR-SMTP-06", "MR-HOST-03", "MR-E2E-01")
    assert {*passed} <= {*strangers.told(PACKAGE, "pass")}
    assert strangers.states(PACKAGE)["MR-TLS-02"] == {"not_applicable"}


# -- waivers, from saved evidence -------------------------------------------------------------------------------------

WAIVER = {"owner": "platform", "reason": "It is replaced in March.", "expires": "2999-12-31", "host": "*"}


def test_waivers(strangers: Audit, tmp_path: Path) -> None:
    """Each failure waived is fine; the same waivers after their end are not; an unknown id is a mistake."""
    waivers = tmp_path / "waivers.yml"
    evidence = strangers.directory / f"evidence/{BY_HAND}.json"
    failed = {**strangers.told(BY_HAND, "fail"), **strangers.told(BY_HAND, "error")}

    def judged(**changes: str) -> subprocess.CompletedProcess[str]:
        given = [{**WAIVER, "control": control, **changes} for control in failed]
        waivers.write_text(json.dumps({"compliance_waivers": given}))
        return judge(evidence, "--waivers", waivers, "--fail-on", "low")

    assert judge(evidence, "--fail-on", "low").returncode == 1
    fine = judged()
    assert fine.returncode == 0, fine.stdout
    assert "Waived by platform until 2999-12-31: It is replaced in March. The real result is fail." in fine.stdout
    late = judged(expires="2020-01-01")
    assert late.returncode == 1
    assert "The waiver of platform expired on 2020-01-01: mend this, or renew the waiver." in late.stdout
    unknown = judged(control="MR-DNS-99")
    assert (unknown.returncode, unknown.stdout) == (3, "")
    assert unknown.stderr.startswith(f"{waivers}[0].control: unknown control 'MR-DNS-99'. Did you mean MR-DNS-09?")


# -- the suite for pytest ---------------------------------------------------------------------------------------------

SUITE = BUILD / "collections/ansible_collections/mailops/smtp/tests/compliance"
#: The names of the lab, which this machine does not know.
NAMES = """
import socket

ask = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: ask({names}.get(host, host), *rest, **more)
"""


class Suite(t.NamedTuple):
    """A run of the suite: its exit status and what came of each test."""

    code: int
    outcomes: dict[str, str]
    output: str

    def named(self, outcome: str) -> set[str]:
        """The tests with this outcome."""
        return {name for name, one in self.outcomes.items() if one == outcome}


@pytest.fixture(scope="module")
def suite(variables: dict[str, t.Any], prefix: str, tmp_path_factory: pytest.TempPathFactory) -> t.Callable[..., Suite]:
    """``suite(*options, **variables)`` runs the suite on the relay as an engineer would.

    The login comes from the environment. The witness asks from this machine, which is in no allowed network, and which
    port 465 does not admit.
    """
    folder = tmp_path_factory.mktemp("suite")
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "names.py").write_text(NAMES.format(names={RELAY: f"{prefix}.10"}))
    account = variables["compliance_accounts"][0]
    environment = os.environ | {
        "ANSIBLE_CONFIG": str(ROOT / "tests/ansible.cfg"),
        "PYTHONPATH": str(folder),
        "COMPLIANCE_USERNAME": account["username"],
        "COMPLIANCE_PASSWORD": account["password"],
        "COMPLIANCE_OTHER_SENDER": account["other_sender"],
        "COMPLIANCE_RECIPIENT": variables["compliance_recipient"],
        "COMPLIANCE_CA_FILE": str(LAB / "pki/ca.pem"),
    }

    def run(*options: str, **given: t.Any) -> Suite:
        audit, junit = folder / "audit.yml", folder / "junit.xml"
        audit.touch(mode=0o600)
        audit.write_text(json.dumps({**variables, **given}))
        command = [
            *(str(VENV / "python"), "-m", "pytest", str(SUITE), "-p", "names", "-c", "pytest.ini", "--rootdir", "."),
            *("--hosts=ansible://relay", f"--ansible-inventory={ROOT / 'tests/lab/inventory'}"),
            *(f"--compliance-vars={audit}", f"--junitxml={junit}", *options),
        ]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        output = done.stdout + done.stderr
        assert junit.exists(), output
        outcomes = {
            case.attrib["name"]: next((one.tag for one in case if one.tag != "properties"), "passed")
            for case in ElementTree.parse(junit).getroot().iter("testcase")  # noqa: S314 - pytest wrote it
        }
        junit.unlink()
        return Suite(done.returncode, outcomes, output)

    return run


def test_suite_is_green_on_the_relay(suite: t.Callable[..., Suite], passwords: dict[str, str]) -> None:
    found = suite()
    assert found.code == 0, found.output
    assert {f"test_control[relay-{control}]" for control in MET} <= found.named("passed")
    witnessed = ("ports_listen_as_declared", "postfix_runs", "only_root_writes_the_configuration")
    assert {f"test_{name}[relay]" for name in (*witnessed, "outsider_cannot_relay")} <= found.named("passed")
    assert [name for name, secret in passwords.items() if secret in found.output] == []


def test_witness_logs_in_and_sends(suite: t.Callable[..., Suite], first: Audit) -> None:
    """By an earlier report, on the ports that this machine reaches."""
    wanted = f"--compliance-report={first.directory}", "-m", "witness", "-k", "not ports_listen"
    found = suite(*wanted, compliance_listeners=[{"port": 25}, {"port": 587}])
    assert (found.code, found.named("skipped")) == (0, set()), found.output
    assert len(found.named("passed")) == 7


def test_suite_is_red_on_an_open_relay(suite: t.Callable[..., Suite], relay: t.Any) -> None:
    relay.check_output(KEEP + "postconf -e mynetworks=0.0.0.0/0 && postfix reload")
    try:
        found = suite()
    finally:
        relay.check_output(BRING_BACK)
    assert found.code == 1, found.output
    controls = ("MR-RELAY-01", "MR-RELAY-02")
    wanted = {*(f"test_control[relay-{control}]" for control in controls), "test_outsider_cannot_relay[relay]"}
    assert wanted <= found.named("failure")


# -- the pipeline of docs/audit.md ------------------------------------------------------------------------------------


class Pipeline(t.NamedTuple):
    """The job for GitLab as the page has it, in a checkout of an inventory."""

    job: dict[str, t.Any]
    folder: Path

    def run(self, *commands: str) -> subprocess.CompletedProcess[str]:
        """Run commands as GitLab does."""
        variables = {key: value.replace("$CI_PROJECT_DIR", str(self.folder)) for key, value in self.variables.items()}
        environment = os.environ | variables | {"PATH": f"{VENV}:{os.environ['PATH']}"}
        environment.pop("PYTHONPATH", None)
        command = ["bash", "-eo", "pipefail", "-c", "\n".join(commands)]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300, check=False
        )

    @property
    def variables(self) -> dict[str, str]:
        """The variables of the job."""
        return dict(self.job["variables"])

    @property
    def commands(self) -> list[str]:
        """The commands; what they would install is there already."""
        return [one for one in self.job["script"] if not one.startswith(("pip install", "ansible-galaxy"))]


@pytest.fixture(scope="module")
def pipeline(variables: dict[str, t.Any], tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A checkout with the lab's relay as inventory, as the page says where what is."""
    page = (ROOT / "docs/audit.md").read_text()
    text = page.split("GitLab (`.gitlab-ci.yml`)")[1].split("```yaml\n")[1].split("```")[0]
    folder = tmp_path_factory.mktemp("pipeline")
    lab, relays = (
        yaml.safe_load((ROOT / f"tests/lab/inventory/group_vars/{name}.yml").read_text()) for name in ("lab", "relays")
    )
    audit = {name: value for name, value in variables.items() if name != "mailops_relays"}
    files: dict[str, t.Any] = {
        "inventory/hosts.yml": {
            "all": {
                "children": {"relays": {"hosts": {"relay": {"lab_number": 10, "lab_name": RELAY}}}},
                "hosts": {"client": None, "outsider": None},
            }
        },
        "inventory/group_vars/all.yml": {**lab, "lab_build": str(LAB)},
        "inventory/group_vars/relays/relay.yml": relays,
        "inventory/group_vars/relays/audit.yml": audit,
        "waivers.yml": {"compliance_waivers": []},
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(content))
    (folder / ".collections").symlink_to(BUILD / "collections")
    return Pipeline(yaml.safe_load(text)["audit"], folder)


def test_pipeline_is_green_on_the_relay(pipeline: Pipeline) -> None:
    done = pipeline.run(*pipeline.commands)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 host:" in done.stdout
    for path in (*pipeline.job["artifacts"]["paths"], pipeline.job["artifacts"]["reports"]["junit"]):
        assert (pipeline.folder / path).exists()


def test_pipeline_tells_what_happened_by_its_exit_status(pipeline: Pipeline, strangers: Audit, trouble: Audit) -> None:
    """The last command again, on other evidence: failures, a host that is down, a waiver with a mistake."""
    *_rest, last = pipeline.commands
    evidence = pipeline.folder / "compliance/evidence"
    for audit, host, expected in ((strangers, BY_HAND, 1), (trouble, "down", 2)):
        shutil.rmtree(evidence)
        evidence.mkdir()
        shutil.copy(audit.directory / f"evidence/{host}.json", evidence)
        done = pipeline.run(last)
        assert done.returncode == expected, done.stdout + done.stderr
        assert (expected in pipeline.job["allow_failure"]["exit_codes"]) is (expected == 2)
    (pipeline.folder / "waivers.yml").write_text("compliance_waivers: [{control: MR-DNS-99}]\n")
    assert pipeline.run(last).returncode == 3
