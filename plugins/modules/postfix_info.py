#!/usr/bin/python
# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collect facts about Postfix, and follow a message."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postfix_info
short_description: Collect facts about Postfix and its host, and follow a message through it
version_added: 0.1.0
author:
  - The mailops.smtp authors (@mailops)
description:
  - Returns the version of Postfix, its map types and the parameters that are set. Succeeds also if Postfix is not
    installed or not configured.
  - With O(gather), returns evidence from the host, which joins the inside of a mail host with what the DNS
    (M(mailops.smtp.mail_dns_info)) and the wire say. It needs Python 3.9 and no package; Postfix may have been set up
    by any other means, with one or several instances.
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
  gather:
    description:
      - Groups of facts to gather as evidence. By default none, which keeps the module fast.
      - A fact that cannot be seen, as for a missing permission or program, is null and listed in C(unknown) with the
        reason. Evidence never judges. It holds no password, no private key and no content of a message; of lookup
        tables only where V(aliases) end.
      - V(config) is the effective configuration of every instance of Postfix, with the overrides of every service.
      - V(listeners) are the sockets that accept TCP connections, as the kernel has them.
      - V(egress) are the addresses from which Postfix connects to other hosts.
      - V(files) are owner, group and mode of keys, certificates, lookup tables and files with passwords.
      - V(managed) are the files that this collection has deployed, and whether they were edited since.
      - V(dkim) are the public keys of OpenDKIM, rspamd, dkimpy-milter and amavis.
      - V(certificates) are the certificates that Postfix presents.
      - V(aliases) says where mail to C(root), C(postmaster), C(abuse) and other names that every domain needs ends.
      - V(firewall) is who may connect to the mail ports and to listeners, and the rules that decide it.
      - V(packages) are versions and pending updates, from the stored package lists.
      - V(units) are units of systemd that concern mail, and since when they have their state.
      - V(mail_servers) are mail servers other than Postfix.
      - V(queue) counts the messages in the queue by state, age and destination. It reads the start of every queue
        file, 100,000 in about three seconds.
      - V(all) is all of these.
    type: list
    elements: str
    default: []
    choices:
      - all
      - config
      - listeners
      - egress
      - files
      - managed
      - dkim
      - certificates
      - aliases
      - firewall
      - packages
      - units
      - mail_servers
      - queue
seealso:
  - module: mailops.smtp.mail_dns_info
    description: Evidence from the DNS.
"""

EXAMPLES = r"""
- name: Gather the evidence of a mail host
  mailops.smtp.postfix_info:
    gather: [all]
  register: host
  become: true

- name: Show what listens on the port of mail
  ansible.builtin.debug:
    msg: "{{ host.evidence.facts.listeners | selectattr('port', 'eq', 25) }}"

- name: Fail if a private key can be read by every user
  ansible.builtin.assert:
    that: host.evidence.facts.files | selectattr('purpose', 'eq', 'key') | rejectattr('mode', 'in', ['0600', '0640'])
      | selectattr('exists') | length == 0

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
        - SHA-256 digest of its certificate, for C(pinned_certificates) of a client. Null without a
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
    stops_with_signer:
      description:
        - What rspamd and OpenDKIM do, by name, if they run or are enabled. It stops if the role makes that program its
          signer.
        - One that neither has a configuration of its own nor is a milter of Postfix does nothing.
      type: dict
      sample: {rspamd: ["rspamd with a configuration of its own (/etc/rspamd/local.d/actions.conf)"], opendkim: []}
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
evidence:
  description: What was seen of the host. C(docs/evidence.md) of the collection describes every fact.
  type: dict
  returned: with O(gather)
  contains:
    version:
      description: Version of the form of this document.
      type: int
      sample: 1
    kind:
      description: Always V(host).
      type: str
      sample: host
    subject:
      description: The name of the host.
      type: str
      sample: relay.example.com
    seen_at:
      description: When the module began to look, in UTC (RFC 3339).
      type: str
      sample: "2026-03-01T12:00:00Z"
    seconds:
      description: How long it took.
      type: float
      sample: 1.2
    seen_from:
      description: Where the facts were seen from, as C(host) and C(addresses).
      type: dict
      sample: {host: relay.example.com, addresses: []}
    facts:
      description: One entry for each group of O(gather). A group that was not gathered is null.
      type: dict
      contains:
        config:
          description:
            - Each instance of Postfix with C(name), C(group), C(enabled), C(config_directory), C(version),
              C(parameters) (all effective values, with every variable expanded), C(own) (what main.cf sets),
              C(services) and C(complaints) of C(postconf).
            - A service has the fields of master.cf, C(own) (what it sets with C(-o)) and C(parameters) (values that
              differ for it).
          type: list
          elements: dict
        listeners:
          description: Each with C(address), C(port), C(takes_ipv4), C(program) and C(unit).
          type: list
          elements: dict
        egress:
          description:
            - Each service that delivers, with C(instance), C(service), C(ip_version), C(address), C(decided_by),
              C(bind_enforced) and C(helo_name).
          type: list
          elements: dict
        files:
          description:
            - Each with C(path), C(purpose), C(named_by), C(exists), C(type), C(target), C(owner), C(group), C(mode)
              and C(changed_at).
          type: list
          elements: dict
        managed:
          description:
            - Each with C(path), C(transaction), C(state) (V(unchanged), V(edited), V(missing)), C(deployed_mode) and
              C(mode).
          type: list
          elements: dict
        dkim:
          description:
            - Each key with C(signer), C(path), C(domain), C(selector), C(key_type), C(key_bits), C(public_key) (as the
              tag C(p) of its DNS record) and C(spki_sha256).
          type: list
          elements: dict
        certificates:
          description:
            - Each file with C(path), C(named_by) and C(chain). A certificate has C(subject), C(issuer), C(names),
              C(serial), C(not_before), C(not_after), C(sha256), C(spki_sha256), C(key_type), C(key_bits), C(key_curve),
              C(signature), C(signature_hash), C(self_issued) and C(authority).
          type: list
          elements: dict
        aliases:
          description: Each name with C(instance), C(name), C(found), C(targets) (C(kind) and C(value)) and C(loops).
          type: list
          elements: dict
        firewall:
          description:
            - C(active) firewalls, C(unread) programs, C(ports) (C(port), C(ip_version), C(others), C(accepts),
              C(drops), C(unknown)) and C(chains) with their rules.
          type: dict
        packages:
          description:
            - C(system), C(manager), C(installed) versions, C(updates) (C(name), C(version), C(security),
              C(advisory)), C(security_updates_of_host) and C(lists_from), when the lists were fetched.
          type: dict
        units:
          description: Each with C(name), C(enabled), C(active), C(sub) and C(since).
          type: list
          elements: dict
        mail_servers:
          description: Each with C(name), C(program), C(package), C(running) and C(sendmail).
          type: list
          elements: dict
        queue:
          description:
            - The queue of each instance, with C(instance), C(directory), C(messages), C(oldest), C(states) (C(state),
              C(messages), C(octets), C(oldest), C(ages)), C(destinations) (C(domain), C(recipients), C(oldest)),
              C(domains) and C(partly_read).
          type: list
          elements: dict
    unknown:
      description: Each fact that could not be seen, with its C(path) below C(facts) and the C(reason).
      type: list
      elements: dict
      sample: [{path: listeners.25.program, reason: "Only root sees the sockets of all processes. Set become: true."}]
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

from ..module_utils._module.postfix_info import ARGUMENTS, run_info
from ..module_utils._module.secrets import DiscreetModule


def main() -> None:
    module = DiscreetModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    run_info(module)


if __name__ == "__main__":
    main()
