#!/usr/bin/python
# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploy a set of configuration files as one transaction."""

from __future__ import annotations

DOCUMENTATION = r"""
module: config_transaction
short_description: Deploy a set of configuration files as one transaction
version_added: 0.1.0
author:
  - The mailops.smtp authors (@mailops)
description:
  - Takes all files of a service at once, lays them out in a private directory, lets programs validate them there,
    puts them in place by rename, activates them and checks the service's health.
  - When any step fails, every file is put back and the service activated again with the old ones.
  - When nothing differs and the service is healthy, nothing is done. When nothing differs and it is not healthy, or an
    earlier run was cut short, the files are activated again.
extends_documentation_fragment:
  - mailops.smtp._attributes
attributes:
  check_mode:
    support: full
    details: Validates too, unless the programs for it are not installed yet.
  diff_mode:
    support: full
    details: Of a file given as O(files[].secret) only shows that it changes.
  idempotent:
    support: full
options:
  name:
    description: Name of the transaction, unique on the host, of letters, digits, C(_) and C(-).
    type: str
    required: true
  files:
    description: The files.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: Where the file belongs. Missing directories are made.
        type: path
        required: true
      content:
        description: What it holds.
        type: str
      secret:
        description: What it holds, in place of O(files[].content), when it may never be shown.
        type: str
      mode:
        description: Permission bits in octal, in quotes.
        type: raw
        default: "0644"
      owner:
        description: User it belongs to.
        type: str
        default: root
      group:
        description: Group it belongs to.
        type: str
        default: root
  validate:
    description:
      - Commands, each as a list of words, that must succeed before anything is changed.
      - C({stage}) stands for the directory below which all files are laid out under their full paths.
      - A command that writes to standard error has found something and counts as failed.
    type: list
    elements: list
    default: []
  activate:
    description: Commands, each as a list of words, that make the service use the files.
    type: list
    elements: list
    default: []
  health:
    description:
      - Commands, each as a list of words, that succeed when the service is healthy. They change nothing.
    type: list
    elements: list
    default: []
  explain:
    description:
      - Commands, each as a list of words, whose output tells why the service did not take the new files, such as the
        end of its log. Run only then.
    type: list
    elements: list
    default: []
"""

EXAMPLES = r"""
- name: Deploy the configuration of the name server
  mailops.smtp.config_transaction:
    name: nameserver
    files:
      - path: /etc/bind/named.conf.local
        content: "{{ lookup('ansible.builtin.template', 'named.conf.local.j2') }}"
      - path: /etc/bind/transfer.key
        secret: "{{ vault_transfer_key }}"
        mode: "0640"
        group: bind
    validate:
      - [named-checkconf, "{stage}/etc/bind/named.conf.local"]
    activate:
      - [systemctl, reload, named]
    health:
      - [systemctl, is-active, --quiet, named]
    explain:
      - [journalctl, --no-pager, --lines=10, --unit=named]
"""

RETURN = r"""
changed_files:
  description: Paths of the files that were, or would be, written.
  type: list
  elements: str
  returned: always
msg:
  description: What failed and whether everything was put back, or what could not be validated in check mode.
  type: str
  returned: on failure, and in check mode when a validator is not installed yet
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._module.transaction import ARGUMENTS, run_transaction


def main() -> None:
    # no_log: Ansible would write the parameters into the host's syslog, and masks only secrets that repr() leaves alone
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True, no_log=True)
    run_transaction(module)


if __name__ == "__main__":
    main()
