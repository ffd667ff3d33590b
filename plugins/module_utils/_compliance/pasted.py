# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the role relay that mend a control, as YAML to paste. Names and addresses in it are examples.

A test holds it to the variables that the catalogue names for each control, and to the argument spec of the role.
"""

from __future__ import annotations

import typing as t

_CERTIFICATE = """\
relay_tls:
  certificate: /etc/ssl/relay.example.com.pem  # on the controller, with its chain
  key: /etc/ssl/private/relay.example.com.key"""
_LISTENERS = """\
relay_listeners:
  - port: 25
  - port: 465
  - port: 587"""
_SIGNING = """\
relay_dkim:
  domains:
    - domain: example.com
      selectors: [r202611]  # the newest last; the role tells the record to publish"""
_HOSTNAME = "relay_hostname: relay.example.com"


def _settings(**parameters: str) -> str:
    """Parameters of main.cf."""
    return "\n".join(["relay_settings:", *(f'  {name}: "{value}"' for name, value in parameters.items())])


YAML: t.Mapping[str, str] = {
    "MR-AUTH-01": f"{_LISTENERS}\n    tls: starttls",
    "MR-AUTH-03": f"{_LISTENERS}\n    login: true\n"
    'relay_users:\n  - name: app\n    password: "{{ vault_app_password }}"\n    senders: [app@example.com]',
    "MR-AUTH-04": 'relay_users:\n  - name: app\n    password_hash: "{{ vault_app_password_hash }}"',
    "MR-AUTH-05": f"{_LISTENERS}\n    login: true",
    "MR-AUTH-06": "relay_users:\n  - name: app\n"
    '    password: "{{ vault_app_password }}"\n    senders: [app@example.com]',
    "MR-DANE-02": _CERTIFICATE,
    "MR-DANE-03": _settings(smtp_tls_security_level="dane", smtp_dns_support_level="dnssec"),
    **dict.fromkeys([f"MR-DKIM-0{number}" for number in range(1, 8)], _SIGNING),
    "MR-DMARC-04": "relay_upstream:\n  host: smtp.example.com\n  sender: app@example.com",
    "MR-DNS-04": _HOSTNAME,
    "MR-DNS-05": f"{_HOSTNAME}\n{_CERTIFICATE}",
    "MR-DNS-06": _settings(inet_protocols="ipv4"),
    "MR-E2E-01": "relay_verify:\n  to: postmaster@example.com",
    "MR-E2E-03": "relay_limits:\n  queue_lifetime: 2d\n  bounce_lifetime: 1d",
    "MR-HOST-01": _LISTENERS,
    "MR-HOST-02": f"{_LISTENERS}\n    from: [192.0.2.0/24]\nrelay_firewall:\n  backend: auto",
    "MR-HOST-03": "relay_state: present\nrelay_takeover: true",
    "MR-HOST-04": "relay_upstream:\n  host: smtp.example.com\n  tls: starttls",
    "MR-HOST-05": "relay_aliases:\n  root: ops@example.com\n  postmaster: ops@example.com",
    "MR-RELAY-01": "relay_networks: [192.0.2.0/24]\nrelay_domains:\n  - name: example.com\n"
    + _settings(smtpd_relay_restrictions="permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination"),
    "MR-RELAY-02": "relay_networks: [192.0.2.0/24]",
    "MR-RELAY-03": _settings(
        smtpd_relay_restrictions="permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination"
    ),
    "MR-SMTP-01": _settings(smtpd_forbid_bare_newline="normalize", smtpd_forbid_unauth_pipelining="yes"),
    "MR-SMTP-02": _settings(disable_vrfy_command="yes", smtpd_discard_ehlo_keywords="etrn"),
    "MR-SMTP-03": _settings(smtpd_banner="$myhostname ESMTP"),
    "MR-SMTP-04": "relay_domains:\n  - name: example.com\n    recipients: [postmaster, abuse]\n"
    "relay_aliases:\n  postmaster: ops@example.com\n  abuse: ops@example.com",
    "MR-SMTP-05": "relay_limits:\n  message_size: 26214400",
    "MR-SMTP-06": "relay_limits:\n  client_connections: 10\n  client_connection_rate: 60\n"
    "  client_message_rate: 100\n  recipients: 1000",
    "MR-TLS-01": _LISTENERS,
    "MR-TLS-02": _settings(smtpd_tls_protocols=">=TLSv1.2", smtpd_tls_mandatory_protocols=">=TLSv1.2"),
    "MR-TLS-03": "relay_tls:\n  old_clients: false",
    "MR-TLS-04": f"{_HOSTNAME}\n{_CERTIFICATE}",
    "MR-TLS-05": _CERTIFICATE,
    "MR-TLS-06": _CERTIFICATE,
    "MR-TLS-08": _CERTIFICATE,
}
