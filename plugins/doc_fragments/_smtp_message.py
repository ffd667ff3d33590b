# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that describe a message. Private to this collection: it may change at any time."""

from __future__ import annotations


class ModuleDocFragment:
    # Documents MESSAGE_ARGUMENTS of module_utils/_module/message.py, for the task and for each of its messages.
    DOCUMENTATION = r"""
options:
  messages:
    description:
      - Several messages, sent over the same connections, as a list of mappings. The task's own options are the defaults
        of each message.
      - Null counts as not given, for each option of a message, in a list and for a header. White space at the ends of a
        value of one line is removed, as YAML's folded text ends with a line break; a line break inside is refused.
    type: raw
    suboptions: &message
      from:
        description: Author of the message, with or without a name, such as V(Deploy <deploy@example.com>).
        type: str
        aliases: [sender]
      to:
        description:
          - Recipients, as a list of addresses or one string with commas between them. Defaults to V(root) if there is
            neither O(cc) nor O(bcc).
          - With several messages, there is no default, and a message without recipients is refused.
          - A name that contains a comma must be in quotes, as in V("Doe, Jo" <jo@example.com>). Semicolons may stand in
            place of the commas between addresses; a comma in a name then needs no quotes, as in V(Doe, Jo
            <jo@example.com>; Roe, Ann <ann@example.com>).
        type: raw
        aliases: [recipients]
      cc:
        description: Recipients of a copy, shown in the header.
        type: raw
      bcc:
        description: Recipients of a copy, not shown in the message.
        type: raw
      reply_to:
        description: Addresses for replies.
        type: raw
      envelope_from:
        description:
          - Address for bounces. Defaults to the address in O(from).
          - An empty string or V(<>) is the null sender, for messages that must not bounce.
        type: str
      subject:
        description: Subject, in any script.
        type: str
        aliases: [msg]
      body:
        description:
          - Message as plain text, or a list of its lines. Without O(body) and O(html), the text is the subject.
          - A mapping is refused; write it as text with a filter, as in V({{ x | to_nice_yaml }}).
        type: str
      html:
        description:
          - Message as HTML, or a list of its lines. Without O(body), a plain text is derived from it and sent along.
          - The text keeps tables in columns, lists with their numbers, and the addresses of links. What the HTML hides
            is left out. Raised numbers become V(10^-3), and text that is struck out becomes V(~~text~~).
        type: str
      body_file:
        description:
          - UTF-8 file with the text for O(body), on the controller unless O(remote_src=true).
          - On the controller, Ansible looks for it in its usual places, such as C(files/) of the role, and decrypts it
            with Ansible Vault if necessary.
        type: path
      body_template:
        description:
          - Jinja template for O(body), rendered for each message.
          - It can use the task's variables, those in O(vars), and the message's options as C(message), as in
            V({{ message.to }}). Ansible looks for it in C(templates/) of the role or of the play, and renders it on the
            controller.
          - It is a template as for M(ansible.builtin.template), with C(ansible_managed), C(template_path) and so on, a
            first line with C(#jinja2:) for settings, and includes from the same places.
          - With O(remote_src=true), the template comes from the host. The controller does not trust the host, so the
            template can use only O(vars), C(message) and Jinja's own filters, and no lookups.
        type: path
      html_file:
        description: File with the HTML for O(html). Works like O(body_file).
        type: path
      html_template:
        description:
          - Template for O(html). Works like O(body_template).
          - Escape values from other people with the filter C(e), as in V({{ name | e }}), or they are treated as HTML.
        type: path
      vars:
        description:
          - Variables of this message, for its templates and for all of its other options, such as V(Dear {{ name }}) as
            O(subject). They take precedence over variables of the task.
          - An option that uses one of them, or C(message), is rendered for each message; any other once. A variable of
            the task called C(message) keeps its meaning there.
          - Only what the playbook and its variables say is a template. The values here and in O(messages_file) are data
            and never rendered.
          - With O(remote_src=true) and O(messages_file), such an option is rendered without the task's variables and
            without lookups if the task has no variable of that name, because the controller does not trust the host.
          - They never leave the controller.
        type: dict
      subtype:
        description: Whether O(body) is V(plain) text or V(html), if O(html) is not used. Defaults to V(plain).
        type: str
      charset:
        description: Character set of texts and headers. Defaults to V(utf-8).
        type: str
      headers:
        description:
          - "Further header fields, as a mapping, or as a list of mappings, of V(Name=value) or of V(Name: value)."
          - A field with several values has a list; one without a value is not written.
          - A string may have several of these with C(|) between them.
          - Fields that the module writes from other options are refused here, so that none occurs twice.
          - A value in ASCII is sent as it is, folded only at its white space. A word that is too long for a line of 998
            octets is refused. Other values are encoded, and refused in fields such as C(List-Unsubscribe) or
            C(X-SMTPAPI), whose readers do not decode them.
          - V(Sender) is the address that sends the message on behalf of its author. It is omitted if it is the same
            as the address in O(from).
        type: raw
      attachments:
        description: Files to attach, as a list of mappings. A path may stand for a mapping with only
          O(attachments[].path).
        type: raw
        suboptions:
          path:
            description: File on the sending host, or with O(attachments[].remote_src=false) on the controller.
            type: path
          remote_src:
            description: Whether the file is on the host. Defaults to the value of O(remote_src).
            type: bool
          content:
            description: Text of the attachment, instead of a file. Requires O(attachments[].name).
            type: str
          name:
            description: File name that the reader sees. Defaults to the last component of O(attachments[].path).
            type: str
          type:
            description: Media type such as V(text/csv). Defaults to the type that the name suggests.
            type: str
          cid:
            description: Content ID by which the HTML refers to the file, as in V(<img src="cid:logo">).
            type: str
      attach:
        description:
          - Paths of files to attach, as a list or one string with commas between them.
          - The files are on the host, unless O(remote_src=false).
        type: raw
      inline:
        description: Images that the HTML shows, as a list of mappings.
        type: raw
        suboptions:
          path:
            description: File on the sending host, or with O(remote_src=false) on the controller.
            type: path
            required: true
          cid:
            description: Content ID by which the HTML refers to the image.
            type: str
            required: true
          mime_type:
            description: Media type. Defaults to the type that the name suggests.
            type: str
      invitation:
        description: Event in iCalendar format (RFC 5545), which the reader can accept or decline.
        type: str
      in_reply_to:
        description: Message-IDs of the messages that this one answers, as a list or one string with blanks between
          them.
        type: raw
      references:
        description: Message-IDs of the thread, oldest first, as a list or one string with blanks between them.
        type: raw
      list_unsubscribe:
        description: V(mailto:) or V(https:) URIs at which recipients can unsubscribe, as a list or one string with
          commas between them.
        type: raw
      one_click_unsubscribe:
        description: Whether a single POST to the https URI unsubscribes (RFC 8058).
        type: bool
      priority:
        description: Importance that mail programs show, V(high), V(normal) or V(low).
        type: str
      auto_submitted:
        description:
          - Value of C(Auto-Submitted), which marks the message as sent by a machine and suppresses vacation replies.
          - V(auto-generated), the default, V(auto-replied), or V(no), with which the field is omitted.
        type: str
      date:
        description: Date of the message in ISO 8601 or RFC 5322 format. Defaults to the current time.
        type: str
      message_id:
        description: C(Message-ID) of the message. Defaults to a new one.
        type: str
      message_id_domain:
        description: Domain of a new C(Message-ID), after the @. Defaults to the domain of O(from).
        type: str
      idempotency_key:
        description: Text from which the C(Message-ID) is derived, so that a repeated message has the same one.
        type: str
      dsn:
        description: Delivery status notifications to request, if the server offers DSN (RFC 3461), as a mapping.
        type: raw
        suboptions:
          notify:
            description: Events that cause a notification, as a list of V(success), V(failure), V(delay) or V(never).
            type: raw
          full:
            description: Whether a notification returns the whole message instead of only its header.
            type: bool
            default: false
          envelope_id:
            description: Text that a notification returns.
            type: str
            default: ""
      require_tls:
        description:
          - Whether every server on the way must use verified TLS (RFC 8689).
          - The message is refused if the server does not offer this.
        type: bool
  <<: *message
"""
