# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that open an SMTP session. Private to the collection: it may change at any time."""

from __future__ import annotations


class ModuleDocFragment:
    # Describes SERVER_ARGUMENTS in module_utils/_module/smtp.py.
    DOCUMENTATION = r"""
options:
  host:
    description: Name or address of the SMTP server.
    type: str
    default: localhost
  port:
    description:
      - Port of the SMTP server.
      - Without it, V(587) with O(tls=starttls), V(465) with O(tls=implicit) and V(25) with O(tls=none).
    type: int
  tls:
    description:
      - When TLS begins. There is no silent fallback from one to another.
    type: str
    choices:
      starttls: By command, and required (RFC 3207).
      implicit: With the first byte (RFC 8314).
      none: Never. A login is refused unless O(allow_cleartext_login=true).
    default: starttls
  username:
    description: User to log in as. Without it no login is tried.
    type: str
  password:
    description:
      - Password, app password or authorisation code of O(username).
      - It is used once, with the strongest mechanism both sides know (SCRAM before PLAIN), and only inside TLS.
    type: str
  validate_certs:
    description: Whether the server's certificate must be valid and carry the name O(host).
    type: bool
    default: true
  ca_file:
    description: File of trusted certificate authorities in PEM, on the host that sends, in place of the system's.
    type: path
  allow_cleartext_login:
    description: Whether a login may travel without TLS, where anybody on the way can read it.
    type: bool
    default: false
  ehlo_name:
    description:
      - Name to introduce the sending host with.
      - Empty takes its qualified host name, or its address where it has none.
    type: str
    default: ""
  connect_timeout:
    description: Seconds to wait for a connection, for each address of the server.
    type: float
    default: 15.0
  timeout:
    description: Seconds to wait for each reply, however slowly it comes in.
    type: float
    default: 60.0
  final_timeout:
    description:
      - Seconds to wait for the reply to the message itself, which servers scan first.
      - Giving up leaves unknown whether it was accepted (RFC 5321 section 4.5.3.2.6 asks for ten minutes).
    type: float
    default: 600.0
"""
