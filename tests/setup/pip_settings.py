# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the pip settings of this machine, from its files and the environment, as one pip.conf.

ansible-test runs pip in a separate environment, to which only a file can pass the index.
"""

from __future__ import annotations

import ast
import configparser
import os
import subprocess
import sys


def main() -> None:
    """Read the settings of this Python's pip. As in pip, the environment takes precedence over files."""
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
    # A line is section.option='value'; the section of the environment is ":env:".
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
