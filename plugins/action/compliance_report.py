# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of compliance_report: judges on the controller, once for all hosts of the play."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.plugins.action import ActionBase

if t.TYPE_CHECKING:
    from ansible_collections.mailops.smtp.plugins.module_utils._compliance.collected import Collected
    from ansible_collections.mailops.smtp.plugins.plugin_utils._judging import Options, Outcome

ARGUMENTS: dict[str, t.Any] = {
    "hosts": {"type": "list", "elements": "str", "default": []},
    "collected": {"type": "list", "elements": "raw", "default": []},
    "evidence": {"type": "path"},
    "directory": {"type": "path"},
    "formats": {"type": "list", "elements": "str", "default": ["json", "html", "junit", "markdown"]},
    "waivers": {"type": "raw", "default": []},
    "fail_on": {"type": "str", "default": "high"},
    "previous": {"type": "path"},
    "title": {"type": "str", "default": "Compliance of mail hosts"},
}


class ActionModule(ActionBase):
    """Judges, writes the reports, and fails by the verdict."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the task."""
        super().run(tmp, task_vars)
        from ansible_collections.mailops.smtp.plugins.plugin_utils import _judging

        given = self.validate_argument_spec(argument_spec=ARGUMENTS)[1]
        options = self._options(given)
        try:
            outcome = self._evaluate(given, options)
        except _judging.UsageError as error:
            return {"failed": True, "changed": False, "exit_code": 3, "msg": str(error)}
        return _result(outcome)

    def _options(self, given: t.Mapping[str, t.Any]) -> Options:
        from ansible_collections.mailops.smtp.plugins.plugin_utils import _in_process, _judging

        waivers = given["waivers"]
        plain = _in_process.plain_values({"waivers": waivers})
        return _judging.Options(
            title=given["title"],
            fail_on=given["fail_on"],
            waivers=plain["waivers"] if plain else waivers,
            formats=tuple(given["formats"]),
            directory=self._path(given["directory"]),
            previous=self._path(given["previous"]),
        )

    def _path(self, text: str | None) -> Path | None:
        """The path of an option, relative to where Ansible was started: the playbook may be that of the collection."""
        return Path.cwd() / text if text else None

    def _evaluate(self, given: t.Mapping[str, t.Any], options: Options) -> Outcome:
        from ansible_collections.mailops.smtp.plugins.plugin_utils import _judging

        writes = not self._task.check_mode
        saved = self._path(given["evidence"])
        if saved:
            outcome = _judging.judge_all(_judging.Saved(saved), options)
        else:
            known, broken = _read(given["collected"], given["hosts"])
            outcome = _judging.judge_all(_judging.Fresh(known, broken, options.directory), options)
            if writes and options.directory:
                _judging.save_evidence(known, options.directory)
        return _judging.write_reports(outcome, options) if writes else outcome


def _read(collected: t.Sequence[t.Any], hosts: t.Sequence[str]) -> tuple[list[Collected], dict[str, str]]:
    """What was collected, and the hosts that cannot be judged, each with the reason."""
    from ansible_collections.mailops.smtp.plugins.module_utils._compliance.collected import read_collected
    from ansible_collections.mailops.smtp.plugins.module_utils._evidence.reading import InvalidEvidence
    from ansible_collections.mailops.smtp.plugins.plugin_utils import _in_process

    known, broken = [], {}
    for one in collected:
        if not one:
            continue
        try:
            known.append(read_collected(_in_process.plain_values(one)))
        except InvalidEvidence as error:
            broken[str(one.get("host", "?"))] = f"What was collected cannot be used: {error}."
    seen = {one.head.host for one in known}
    reason = "The play failed on the host before it was asked."
    return known, {**{host: reason for host in hosts if host not in seen}, **broken}


def _result(outcome: Outcome) -> dict[str, t.Any]:
    from ansible_collections.mailops.smtp.plugins.module_utils._compliance.report import counts

    verdict = outcome.verdict
    found = counts(result for _host, result in outcome.report.all_results())
    return {
        "changed": False,
        "failed": verdict.exit_code != 0,
        "msg": verdict.sentence,
        "exit_code": verdict.exit_code,
        "counts": {state.value: number for state, number in found.items()},
        "lines": outcome.text.splitlines(),
        "files": [str(path) for path in outcome.files],
        "differences": outcome.since.to_dict() if outcome.since else None,
    }
