# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the role compliance: what to ask about a host, and what was collected."""

from __future__ import annotations

import secrets
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.collected import Head, from_results
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.declared import declared
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.plan import make_plan
from ansible_collections.mailops.smtp.plugins.module_utils._controls.control import Profile
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.reading import InvalidEvidence, read


def compliance_plan(variables: t.Mapping[str, t.Any], asked: t.Any = None) -> dict[str, t.Any]:
    """Return what to ask about a host.

    :param asked: the result of ``postfix_info``.
    :raises AnsibleFilterError: its evidence cannot be read.
    """
    document = (asked or {}).get("evidence")
    try:
        facts = read(document).facts if document else None
    except InvalidEvidence as error:
        raise AnsibleFilterError(f"compliance_plan: {error}.") from None
    return make_plan(variables, facts, f"compliance-{secrets.token_hex(6)}").to_dict()


def compliance_collected(variables: t.Mapping[str, t.Any], results: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return what was collected about a host.

    :param results: the results of the tasks, by the kind of their evidence.
    :raises AnsibleFilterError: a profile does not exist.
    """
    named = variables.get("compliance_profile") or []
    names = [one for one in (named if isinstance(named, (list, tuple)) else [named]) if one != "auto"]
    known = [one.value for one in Profile]
    for one in names:
        if one not in known:
            raise AnsibleFilterError(f"compliance_profile: {one!r} is not one of auto, {', '.join(known)}.")
    profiles = tuple(Profile(one) for one in names)
    head = Head(str(variables["inventory_hostname"]), profiles, declared(variables))
    return from_results(head, results, str(variables.get("compliance_address") or ""))


class FilterModule:
    """Filters of the collection."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"compliance_plan": compliance_plan, "compliance_collected": compliance_collected}
