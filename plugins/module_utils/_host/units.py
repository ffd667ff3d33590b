# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units of systemd that concern mail."""

from __future__ import annotations

import datetime
import typing as t

from .._evidence.document import Moment, moment_of
from .._evidence.host_system import Unit
from .host import Host

_NAMES = (
    *("postfix.service", "postfix@*.service", "postfix-resolvconf.path", "dovecot.service", "dovecot.socket"),
    *("saslauthd.service", "saslauthd@*.service", "opendkim.service", "dkimpy-milter.service", "rspamd.service"),
    *("opendmarc.service", "amavis.service", "amavisd.service", "spamd.service", "spamassassin.service"),
    *("clamav-daemon.service", "clamav-milter.service", "postgrey.service", "postsrsd.service"),
    *("mta-sts-daemon.service", "postfix-mta-sts-resolver.service", "sasl-xoauth2.service", "emailproxy.service"),
    *("exim4.service", "exim.service", "sendmail.service", "opensmtpd.service", "smtpd.service", "nullmailer.service"),
    *("courier-mta.service", "dma.service", "nftables.service", "relay-firewall.service", "firewalld.service"),
    *("ufw.service", "iptables.service", "fail2ban.service", "systemd-resolved.service", "unbound.service"),
    *("named.service", "certbot.timer", "certbot-renew.timer", "acme*.timer", "unattended-upgrades.service"),
    *("apt-daily-upgrade.timer", "dnf-automatic.timer", "dnf-automatic-install.timer"),
)
#: When the state began: a reload does not end that of an active unit.
_SINCE = {True: "ActiveEnterTimestamp", False: "InactiveEnterTimestamp"}
_PROPERTIES = ("Id", "LoadState", "UnitFileState", "ActiveState", "SubState", *_SINCE.values())


def find(host: Host) -> tuple[Unit, ...] | None:
    """Those of the known units that the host has."""
    # systemctl writes times in the zone of its own environment; --timestamp is younger than Debian 11
    command = ("env", "TZ=UTC", "systemctl", "show", "--no-pager", f"--property={','.join(_PROPERTIES)}")
    output = host.ask("units", *command, *_NAMES)
    if output is None:
        return None
    found = [dict(line.partition("=")[::2] for line in one.splitlines()) for one in output.split("\n\n") if one.strip()]
    units = {one["Id"]: _unit(one) for one in found if one.get("LoadState") not in ("not-found", None)}
    return tuple(units[name] for name in sorted(units))


def _unit(properties: t.Mapping[str, str]) -> Unit:
    active = properties.get("ActiveState", "")
    return Unit(
        name=properties["Id"],
        enabled=properties.get("UnitFileState") or None,
        active=active,
        sub=properties.get("SubState", ""),
        since=_moment(properties.get(_SINCE[active in ("active", "reloading")], "")),
    )


def _moment(text: str) -> Moment | None:
    """Read a time such as ``Sat 2026-11-28 13:23:26 UTC``."""
    try:
        return moment_of(datetime.datetime.strptime(text, "%a %Y-%m-%d %H:%M:%S UTC"))
    except ValueError:
        return None
