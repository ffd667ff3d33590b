# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that open an SMTP session. Private to the collection: it may change at any time."""

from __future__ import annotations


class ModuleDocFragment:
    # Describes SERVER_ARGUMENTS in module_utils/_module/server.py.
    DOCUMENTATION = r"""
options:
  provider:
    description:
      - Mail provider whose host, port, TLS mode, limits and advice to use. Other options win over it.
      - The filter P(mailops.smtp.smtp_provider#filter) lists them.
    type: str
  region:
    description: Region of the provider, where it has one host a region.
    type: str
  host:
    description: Name or address of the SMTP server. Without it and O(provider), V(localhost).
    type: str
  port:
    description:
      - Port of the SMTP server.
      - Without it, what O(provider) uses; with O(tls), V(587) for V(starttls), V(465) for V(implicit), else V(25).
    type: int
  tls:
    description:
      - When TLS begins. There is no silent fallback from one to another.
      - Without it, what O(provider) uses; on port 465 V(implicit), else V(opportunistic).
    type: str
    choices:
      starttls: By command, and required (RFC 3207).
      opportunistic: By command, where the server offers it; verified then, and never a login without it.
      implicit: With the first byte (RFC 8314).
      none: Never. A login is refused unless O(allow_cleartext_login=true).
  secure:
    description:
      - The same in the words of M(community.general.mail).
      - V(always) is O(tls=implicit), V(starttls) is O(tls=starttls), V(try) is O(tls=opportunistic) and V(never) is
        O(tls=none).
    type: str
    choices: [always, never, starttls, try]
  username:
    description: User to log in as. Without it no login is tried.
    type: str
  password:
    description:
      - Password, app password or authorisation code of O(username).
      - It is used once, with the strongest mechanism both sides know, and only inside TLS.
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
  ca_path:
    description: Directory of trusted certificate authorities, named by hash, in place of the system's.
    type: path
  tls_server_name:
    description: Name to look for in the certificate, in place of O(host).
    type: str
  tls_min_version:
    description: Oldest TLS version to accept.
    type: str
    choices: [TLSv1.2, TLSv1.3]
    default: TLSv1.2
  client_cert:
    description: File with a client certificate and its chain in PEM, on the host that sends.
    type: path
  client_key:
    description: File with its private key in PEM, where O(client_cert) does not hold it.
    type: path
  pinned_certificates:
    description:
      - SHA-256 digests of certificates in hexadecimal. The server must show one of them.
      - With O(validate_certs=false), a pin is proof enough.
    type: list
    elements: str
    default: []
  ehlo_name:
    description:
      - Name to introduce the sending host with.
      - Empty takes its qualified host name, or its address where it has none.
    type: str
    default: ""
    aliases: [ehlohost]
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
  lmtp:
    description: Whether the server speaks LMTP (RFC 2033).
    type: bool
    default: false
  unix_socket:
    description: Path of a Unix socket to connect to, in place of O(host) and O(port).
    type: path
  proxy:
    description: Proxy to connect through, as V(socks5://host:port) or V(http://user:password@host:port).
    type: str
"""
