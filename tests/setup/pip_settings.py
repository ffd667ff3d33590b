# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints the settings that pip has here, from its files and the environment, as one pip.conf.

ansible-test runs pip with an environment of its own; a file is the only way to tell that pip which index to use.
"""

from __future__ import annotations

import ast
import configparser
import os
import subprocess
import sys


def main() -> None:
    """Ask this Python's pip, and let the environment win over the files, as pip does."""
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    settings = configparser.RawConfigParser()
    settings.add_section("global")
    proxy = os.environ.get("https_proxy") or os.environ.get("HTTPS_PROXY")
    if proxy:
        settings.set("global", "proxy", proxy)
    # A line is section.option='value'; the environment's section is ":env:".
    for line in sorted(listing.splitlines(), key=lambda line: line.startswith(":env:")):
        name, value = line.split("=", 1)
        section, option = name.split(".", 1)
        section = "global" if section == ":env:" else section
        if not settings.has_section(section):
            settings.add_section(section)
        settings.set(section, option, ast.literal_eval(value))
    settings.write(sys.stdout)


if __name__ == "__main__":
    main()
