# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings for all unit tests."""

from __future__ import annotations

from hypothesis import settings

# No deadline: a test must not fail because the machine is busy.
settings.register_profile("unit", deadline=None)
settings.load_profile("unit")
