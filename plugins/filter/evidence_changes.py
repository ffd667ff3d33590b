# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter evidence_changes, which compares two documents of evidence; documented in evidence_changes.yml."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.compare import changes
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import Evidence
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.reading import InvalidEvidence, read


def evidence_changes(after: t.Any, before: t.Any) -> list[dict[str, t.Any]]:
    """Return what differs between two documents.

    :raises AnsibleFilterError: one of them is not evidence, or they are of different kinds.
    """
    documents = [_read("before", before), _read("the input", after)]
    try:
        return [change.to_dict() for change in changes(*documents)]
    except ValueError as error:
        raise AnsibleFilterError(f"evidence_changes: {error}.") from None  # Ansible would show the cause again


def _read(name: str, document: t.Any) -> Evidence[t.Any]:
    try:
        return read(document)
    except InvalidEvidence as error:
        advice = " Parse a saved document with from_json." if isinstance(document, str) else ""
        raise AnsibleFilterError(f"evidence_changes: {name}: {error}.{advice}") from None


class FilterModule:
    """Filters of the collection."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"evidence_changes": evidence_changes}
