# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install pip into the virtual environments of ansible-test, from a wheel in the folder of this file.

ansible-test downloads a script for this, unless its cache has one: ``get_pip_24_2.py`` for pip 24.2. sanity.sh puts
this file there. Its arguments are the packages to install, and options that only the downloaded script supports.
"""

from __future__ import annotations

import sys
from pathlib import Path

here = Path(__file__).resolve().parent
version = Path(__file__).stem.removeprefix("get_pip_").replace("_", ".")
wheel = here / f"pip-{version}-py3-none-any.whl"
arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]

if __name__ == "__main__":
    sys.path.insert(0, str(wheel))
    from pip._internal.cli.main import main

    sys.exit(main(["install", "--upgrade", "--force-reinstall", "--no-index", "--find-links", str(here), *arguments]))
