# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said about AppArmor's profiles of Postfix."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._module import host_confinement


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which the kernel tells its profiles."""
    monkeypatch.setattr(host_confinement, "PROFILES", str(tmp_path / "profiles"))
    monkeypatch.setattr(host_confinement, "ALLOWED", str(tmp_path / "mailops"))
    return tmp_path / "profiles"


@pytest.mark.parametrize(
    ("profiles", "named"),
    [
        ("postfix-smtpd (enforce)\npostfix-master (enforce)\nman_groff (enforce)\n", "postfix-master, postfix-smtpd."),
        ("/usr/lib/postfix/sbin/master (enforce)\n", "/usr/lib/postfix/sbin/master."),
        ("postfix-smtpd (complain)\nmsmtp (enforce)\n", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_enforced_profiles_of_postfix_are_named(kernel: Path, profiles: str | None, named: str) -> None:
    if profiles is not None:
        kernel.write_text(profiles)
    said = host_confinement.warn_of_apparmor()
    assert (named in said) if named else said == ""


def test_nothing_is_said_once_the_administrator_has_allowed_it(kernel: Path) -> None:
    kernel.write_text("postfix-smtpd (enforce)\n")
    assert host_confinement.warn_of_apparmor()
    (kernel.parent / "mailops").write_text("/run/mailops-canary/** rwlk,\n")
    assert host_confinement.warn_of_apparmor() == ""
