#!/usr/bin/python
# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collect facts about Postfix, and follow a message."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postfix_info
short_description: Collect facts about Postfix, and follow a message through it
version_added: 0.1.0
author:
  - The mailops.smtp authors (@mailops)
description:
  - Returns the version of Postfix, its map types and the parameters that are set. Succeeds also if Postfix is not
    installed or not configured.
  - With O(trace), follows one message through every queue of the host, also through content filters and aliases, until
    it has left the host, and returns each hop. Fails with the log line, its meaning and what to do if the next server
    did not accept the message.
  - Reads the log file that Postfix writes itself (C(maillog_file)), journald, or C(/var/log/mail.log) and
    C(/var/log/maillog), in this order. If the host stores no log, or the log does not mention the message within ten
    seconds, O(trace) fails without waiting longer.
extends_documentation_fragment:
  - mailops.smtp._attributes
attributes:
  check_mode:
    support: full
    details: Changes nothing.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  trace:
    description: Queue ID of the message to follow, such as RV(mailops.smtp.smtp_send#module:queue_id).
    type: str
  timeout:
    description:
      - Seconds to wait until the message has left the host.
      - If a message is deferred, the module waits only if the next attempt can succeed and can come in time. It comes
        after C(minimal_backoff_time) (five minutes by default) at the earliest.
    type: float
    default: 60.0
  takeover:
    description: Whether to look at what would stop if the role C(mailops.smtp.relay) made this host a relay.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Send a message through this relay
  mailops.smtp.smtp_send:
    host: 127.0.0.1
    tls: none
    from: postmaster@example.com
    to: postmaster@example.net
    subject: Hello
  register: proof

- name: Follow it until the next server accepts it
  mailops.smtp.postfix_info:
    trace: "{{ proof.queue_id }}"
  register: way

- name: Show each hop
  ansible.builtin.debug:
    msg: "{{ way.hops | map(attribute='summary') }}"
"""

RETURN = r"""
installed:
  description: Whether Postfix is installed.
  type: bool
  returned: always
version:
  description: Version of Postfix. Null if it is not installed.
  type: str
  returned: always
  sample: 3.10.5
parameters:
  description: Parameters set in main.cf, without passwords. Empty if Postfix cannot read main.cf.
  type: dict
  returned: always
map_types:
  description: Types of lookup tables that this Postfix supports.
  type: list
  elements: str
  returned: always
  sample: [btree, cidr, hash, lmdb, pcre]
identity:
  description: How Postfix presents itself to other hosts.
  type: dict
  returned: always
  contains:
    hostname:
      description: Its name in the greeting. Null if Postfix is not installed.
      type: str
      sample: relay.example.com
    certificate:
      description:
        - SHA-256 fingerprint of its certificate, for C(pinned_certificates) of a client. Null without a
          certificate, or if the module may not read the file.
      type: str
      sample: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
takeover:
  description:
    - What the host does with mail now, and would no longer do if the role C(mailops.smtp.relay) made it a relay.
      Nothing if the role has done so already.
  type: dict
  returned: with O(takeover)
  contains:
    stops:
      description: What Postfix does, one phrase each. A Postfix that is only installed does nothing.
      type: list
      elements: str
      sample: ["local mailboxes (/var/mail/alice)", "aliases (root: ops@example.com)"]
    stops_with_logins:
      description: What Dovecot does, which then only checks logins. It stops if the relay has a listener with a login.
      type: list
      elements: str
      sample: ["mailboxes that Dovecot serves (IMAP)"]
    replaces:
      description: Packages that are removed when Postfix is installed, such as another mail server.
      type: list
      elements: str
      sample: [exim4, exim4-daemon-light]
    units:
      description: Running units of these packages.
      type: list
      elements: str
      sample: [exim4.service]
    replaced:
      description: Packages that were removed when the role installed Postfix, and that it gives back.
      type: list
      elements: str
      sample: []
hops:
  description: The last attempt for each recipient, for each queue ID that the message has had on this host.
  type: list
  elements: dict
  returned: with O(trace)
  contains:
    queue_id:
      description: The queue ID of the message on this host at this hop.
      type: str
    recipient:
      description: The address. Empty if the hop concerns the whole message, as with V(held).
      type: str
    orig_recipient:
      description: The original address, if an alias has changed it.
      type: str
    status:
      description:
        - V(sent), V(deferred), V(bounced) or another status that Postfix logs for a delivery.
        - V(held), V(discarded), V(deleted) or V(expired) if the hop concerns the whole message.
      type: str
    relay:
      description: The next server, or V(none).
      type: str
      sample: smtp.example.com[192.0.2.1]:587
    tls:
      description:
        - Protocol and cipher of the connection to the next server, and C(certificate) as V(verified),
          V(trusted) (its authority only), V(untrusted) or V(anonymous).
        - Null where Postfix logged no TLS.
      type: dict
    delays:
      description: Seconds before the queue manager, in it, for the connection, and for the transmission.
      type: str
      sample: 0.01/0.03/0.02/0.01
    dsn:
      description: Enhanced status code.
      type: str
    text:
      description: The reply of the next server, or the error of Postfix.
      type: str
    next_queue_id:
      description: The queue ID of the message on the next server, if its reply names it.
      type: str
    notification_id:
      description: Queue ID of the message that notifies the sender of the failure.
      type: str
    time:
      description: The time of the log line, as ISO 8601 in UTC or in the format of the log file.
      type: str
    line:
      description: The log line without its timestamp, host and program.
      type: str
    summary:
      description: The hop in one line.
      type: str
      sample: "relay.example.com -> smtp.example.com[192.0.2.1]:587 (TLSv1.3, verified): 250 2.0.0 Ok: queued as 4dDwwC"
    advice:
      description: What the line means and what to do. Empty if the next server accepted the message, or if the line is
        not known.
      type: str
"""

from ..module_utils._module.postfix import ARGUMENTS, run_info
from ..module_utils._module.secrets import DiscreetModule


def main() -> None:
    module = DiscreetModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    run_info(module)


if __name__ == "__main__":
    main()
