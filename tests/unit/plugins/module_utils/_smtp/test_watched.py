# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a watched connection keeps, beside what ``_diagnosis/test_walk.py`` sees of it."""

from __future__ import annotations

from ansible_collections.mailops.smtp.plugins.module_utils._smtp.watched import sent_chain


def test_the_chain_is_unknown_without_a_way_to_ask() -> None:
    assert sent_chain(object()) is None
