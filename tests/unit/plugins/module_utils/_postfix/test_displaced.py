# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The packages that make room for Postfix are known before it is installed."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._postfix.displaced import find_displaced, parse_packages

#: Lines as dpkg-query writes them: of Debian 12, shortened.
BASE = """\
installed\tdebconf\tdebconf-2.0\t, perl-base
installed\tlibc6\tlibc6-2.36\t, libgcc-s1
installed\tcron\tcron-daemon\t, libc6 (>= 2.34), init-system-helpers (>= 1.54~)
installed\tbsd-mailx\tmail-reader, mailx\t, libc6, default-mta | mail-transport-agent, base-files (>= 2.2.0)
"""
EXIM = """\
installed\texim4\t\t, debconf (>= 0.5) | debconf-2.0, exim4-base (>= 4.96), exim4-daemon-light | exim4-daemon-heavy
installed\texim4-base\t\t, exim4-config (>= 4.94) | exim4-config-2, libc6 (>= 2.34)
installed\texim4-config\texim4-config-2\t, debconf
installed\texim4-daemon-light\tdefault-mta, exim4-localscanapi-6.0, mail-transport-agent\t, exim4-base (>= 4.96), libc6
"""
SENDMAIL = """\
installed\tsendmail\t\t, sendmail-base (>= 8.17), sendmail-bin, sendmail-cf
installed\tsendmail-base\t\t, cron
installed\tsendmail-bin\tmail-transport-agent\t, sendmail-base, libc6
installed\tsendmail-cf\t\t, sendmail-base
"""
CASES: list[tuple[str, list[str]]] = [
    ("", []),
    (EXIM, ["exim4", "exim4-daemon-light"]),
    (SENDMAIL, ["sendmail", "sendmail-bin"]),
    ("installed\tmsmtp-mta\tmail-transport-agent\t, msmtp (= 1.8)\ninstalled\tmsmtp\t\t, libc6\n", ["msmtp-mta"]),
    ("installed\tnullmailer\tmail-transport-agent\tdebconf, libc6\n", ["nullmailer"]),
    ("installed\topensmtpd\tmail-transport-agent (= 7)\t, libc6:amd64\n", ["opensmtpd"]),
    ("config-files\tnullmailer\tmail-transport-agent\t, libc6\n", []),
    ("installed\tpostfix\tmail-transport-agent\t, libc6\ninstalled\tpostfix-lmdb\t\t, postfix (= 3.7)\n", []),
]


@pytest.mark.parametrize(("lines", "expected"), CASES)
def test_other_mail_servers_make_room(lines: str, expected: list[str]) -> None:
    assert find_displaced(parse_packages(BASE + lines)) == expected


def test_what_needs_the_old_server_goes_and_what_was_broken_stays() -> None:
    lines = (
        "installed\ta-mta\tmail-transport-agent\t, libc6\ninstalled\ta-gui\t\t, a-mta\ninstalled\ta-web\t\t, a-gui\n"
    )
    assert find_displaced(parse_packages(f"{lines}installed\tbroken\t\t, missing\n")) == ["a-gui", "a-mta", "a-web"]
