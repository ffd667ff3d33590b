# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter smtp_provider, which looks up a mail provider; documented in smtp_provider.yml."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mailops.smtp.plugins.module_utils._providers.presets import ProviderError, resolve


def smtp_provider(name: str | int, region: str | None = None) -> dict[str, t.Any]:
    """Return the preset of a provider.

    :raises AnsibleFilterError: the provider or region is unknown, or the region is missing.
    """
    try:
        return resolve(str(name), region).to_dict()  # YAML parses 163 and 126 as numbers
    except ProviderError as error:
        raise AnsibleFilterError(f"{error}.") from None  # Ansible would show the cause again


class FilterModule:
    """Filters of the collection."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"smtp_provider": smtp_provider}
