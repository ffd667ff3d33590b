# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about this host's Postfix, by postconf(1)."""

from __future__ import annotations

import os
import tempfile
import typing as t

from .._postfix.config import parse_main
from .commands import Commands

#: The facts of a host without Postfix.
NOT_INSTALLED: dict[str, t.Any] = {"version": None, "parameters": {}, "map_types": []}

_ASKED = ["mail_version", "myhostname", "maillog_file", "minimal_backoff_time"]


def look(commands: Commands) -> tuple[dict[str, t.Any], dict[str, str]]:
    """Return the facts and some parameters, even if Postfix cannot read main.cf."""
    code, own = commands.run(["postconf", "-n"])[:2]
    with tempfile.TemporaryDirectory() as directory:
        elsewhere = []
        if code:
            # Without a main.cf, postconf prints defaults only, and no map types.
            for name in ("main.cf", "master.cf"):
                open(os.path.join(directory, name), "w").close()
            elsewhere = ["-c", directory]
        asked = parse_main(commands.run(["postconf", *elsewhere, *_ASKED])[1])
        map_types = commands.run(["postconf", *elsewhere, "-m"])[1].split()
    parameters = {} if code else parse_main(own)
    return {"version": asked.get("mail_version"), "parameters": parameters, "map_types": map_types}, asked
