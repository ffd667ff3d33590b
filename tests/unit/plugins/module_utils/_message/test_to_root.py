# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail to root: what sendmail is given, and what is said if it fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._message.to_root import mail_root

#: The text of a program in place of sendmail, or None for no program; what is said.
PROGRAMS = [
    ('#!/bin/sh\necho "$*" >"$0.got"; cat >>"$0.got"', ""),
    ("#!/bin/sh\necho the queue is full >&2; exit 75", "root could not be told by mail: the queue is full"),
    ("#!/bin/sh\nexit 75", "root could not be told by mail: sendmail ended with 75"),
    (
        "#!/bin/sh\nprintf '\\351' >&2; exit 75",  # not UTF-8
        "root could not be told by mail: \N{REPLACEMENT CHARACTER}",
    ),
    (None, "root could not be told by mail: sendmail cannot be run: No such file or directory"),
]


@pytest.mark.parametrize(("program", "said"), PROGRAMS)
def test_failure_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str | None, said: str) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin" if program else str(tmp_path))
    if program:
        (tmp_path / "sendmail").write_text(program)
        (tmp_path / "sendmail").chmod(0o755)
    assert mail_root("A subject", "A body.\n") == said
    if program and not said:
        assert (tmp_path / "sendmail.got").read_text() == (
            "-i -f root -- root\nTo: root\nSubject: A subject\nAuto-Submitted: auto-generated\n\nA body.\n"
        )
