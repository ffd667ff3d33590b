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
      - Mail provider whose host, port, TLS mode, limits and advice to use. Other options take precedence over it.
      - The documentation of the filter P(mailops.smtp.smtp_provider#filter) lists all providers.
    type: str
  region:
    description: Region, for a provider with a host in each region.
    type: str
  host:
    description: Host name or address of the SMTP server. The default is the host of O(provider), or V(localhost).
    type: str
  port:
    description:
      - Port of the SMTP server.
      - The default is that of O(provider). Otherwise it follows from O(tls), V(587) for V(starttls), V(465) for
        V(implicit) and V(25) for the others.
    type: int
  tls:
    description:
      - When TLS begins. The module never falls back from one mode to another.
      - The default is that of O(provider). Otherwise it is V(implicit) on port 465 and V(opportunistic) on other ports.
    type: str
    choices:
      starttls: By the command STARTTLS, which the server must offer (RFC 3207).
      opportunistic: By STARTTLS if the server offers it, with a verified certificate. Without TLS, a login is refused
        unless O(allow_cleartext_login=true).
      implicit: With the first byte (RFC 8314).
      none: Never. A login is refused unless O(allow_cleartext_login=true).
  secure:
    description:
      - The same as O(tls), with the values of M(community.general.mail).
      - V(always) is O(tls=implicit), V(starttls) is O(tls=starttls), V(try) is O(tls=opportunistic) and V(never) is
        O(tls=none).
    type: str
    choices: [always, never, starttls, try]
  username:
    description: User to log in as. Without it, the message is sent without a login.
    type: str
  password:
    description:
      - Password, app password or authorisation code of O(username).
      - It is used once, with the strongest mechanism that client and server share, and only inside TLS unless
        O(allow_cleartext_login=true).
    type: str
  validate_certs:
    description: Whether the server's certificate must be valid and issued for the name O(host).
    type: bool
    default: true
  ca_file:
    description: PEM file with the certificate authorities to trust, on the sending host, in place of the system's.
    type: path
  allow_cleartext_login:
    description: Whether a login may be sent without TLS, so that it can be read on the network.
    type: bool
    default: false
  ca_path:
    description: Directory of certificate authorities to trust, named by hash, in place of the system's.
    type: path
  tls_server_name:
    description: Name that the certificate must be issued for, in place of O(host).
    type: str
  tls_min_version:
    description: Oldest TLS version to accept.
    type: str
    choices: [TLSv1.2, TLSv1.3]
    default: TLSv1.2
  client_cert:
    description: PEM file with a client certificate and its chain, on the sending host.
    type: path
  client_key:
    description: PEM file with the private key of O(client_cert), if that file does not contain it.
    type: path
  pinned_certificates:
    description:
      - SHA-256 digests of certificates in hexadecimal. The server's certificate must have one of them.
      - With O(validate_certs=false), a matching digest alone is sufficient.
    type: list
    elements: str
    default: []
  ehlo_name:
    description:
      - Host name that the sending host gives in EHLO.
      - If empty, its fully qualified host name, or its address if it has no such name.
    type: str
    default: ""
    aliases: [ehlohost]
  connect_timeout:
    description: Seconds to wait for a connection, for each address of the server.
    type: float
    default: 15.0
  timeout:
    description: Seconds to wait for each complete reply.
    type: float
    default: 60.0
  final_timeout:
    description:
      - Seconds to wait for the reply to the end of the message, which servers scan before they accept it.
      - After this time it is unknown whether the server accepted the message (RFC 5321 section 4.5.3.2.6 recommends ten
        minutes).
    type: float
    default: 600.0
  lmtp:
    description: Whether the server speaks LMTP (RFC 2033).
    type: bool
    default: false
  ignore_extensions:
    description:
      - Extensions to leave unused although the server offers them, by their EHLO keyword in upper or lower case. This
        helps if the server, or a firewall in front of it, offers an extension and handles it badly, often V(CHUNKING).
      - Any of V(8BITMIME), V(CHUNKING), V(DSN), V(PIPELINING), V(SIZE) and V(SMTPUTF8). TLS and the login have options
        of their own, O(tls) and O(username).
      - A message that needs an extension that is left unused is refused.
    type: list
    elements: str
    default: []
  send_ahead:
    description:
      - Whether the commands of the next message are sent behind the end of a message, without waiting for its reply
        (RFC 2920 section 3.1). This saves one of two round trips for each further message of a connection.
      - By default, this is done only if the server offers PIPELINING and its greeting says that it is Postfix, which is
        known to accept this.
      - If the server refuses such a command, the command is repeated in turn, and the rest of the task is sent without
        going ahead. If a server closes the connection instead, after it has accepted a message and before its reply,
        the status of that message is V(unknown). Set V(true) only for a server that is known to accept this.
    type: bool
  unix_socket:
    description: Path of a Unix socket to connect to, in place of O(host) and O(port).
    type: path
  proxy:
    description: Proxy to connect through, as V(socks5://host:port) or V(http://user:password@host:port).
    type: str
"""
