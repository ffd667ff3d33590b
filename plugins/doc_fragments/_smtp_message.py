# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that describe messages. Private to the collection: it may change at any time."""

from __future__ import annotations


class ModuleDocFragment:
    # Describes MESSAGE_ARGUMENTS in module_utils/_module/message.py, for the task and for each of its messages.
    DOCUMENTATION = r"""
options:
  messages:
    description:
      - Several messages, sent over the same connections. What one does not say, the task's own options say for all.
    type: list
    elements: dict
    suboptions: &message
      from:
        description: Author of the message, with or without a name, such as V(Deploy <deploy@example.com>).
        type: str
        aliases: [sender]
      to:
        description:
          - Recipients, as a list of addresses or one string with commas between them. Without it, V(root).
          - One of several messages that names nobody is refused.
          - A name that holds a comma stands in quotes, as in V("Doe, Jo" <jo@example.com>).
        type: raw
        aliases: [recipients]
      cc:
        description: Recipients of a copy, named in the message.
        type: raw
      bcc:
        description: Recipients of a copy, named nowhere in the message.
        type: raw
      reply_to:
        description: Where answers go.
        type: raw
      envelope_from:
        description:
          - Where bounces go. Without it, the address in O(from).
          - Empty or V(<>) is the null sender, for messages that must not bounce.
        type: str
      subject:
        description: Subject, in any language.
        type: str
        aliases: [msg]
      body:
        description: The message as plain text. Without it and O(html), the subject.
        type: str
      html:
        description: The message as HTML. A text beside it is derived from it unless O(body) gives one.
        type: str
      body_file:
        description:
          - File that holds O(body), in UTF-8. From the controller, unless O(remote_src) says otherwise.
          - Found where Ansible finds files, such as C(files/) of the role, and decrypted where a vault holds it.
        type: path
      body_template:
        description:
          - Jinja template that makes O(body), for each message anew.
          - It sees the task's variables, those in O(vars), and the message's own options as C(message), as in
            V({{ message.to }}). Found in C(templates/) of the role or beside the play, and rendered on the controller.
          - With O(remote_src=true) the template comes from the host. As a host is not trusted with the controller, it
            sees O(vars) and C(message) only, and has Jinja's own filters and no lookups.
        type: path
      html_file:
        description: File that holds O(html), as O(body_file) does for O(body).
        type: path
      html_template:
        description:
          - Template that makes O(html), as O(body_template) does for O(body).
          - Values that others wrote pass through the filter C(e), as in V({{ name | e }}), or they are taken for HTML.
        type: path
      vars:
        description:
          - Variables for the templates of this message, before those of the task. They never leave the controller.
        type: dict
      subtype:
        description: Whether O(body) is plain text or HTML, where O(html) is not used.
        type: str
        choices: [plain, html]
      charset:
        description: Character set of texts and headers. Without it, V(utf-8).
        type: str
      headers:
        description:
          - Further header fields, as a mapping or as a list of V(Name=value).
          - Fields that have an option of their own are refused here, so that none occurs twice.
          - V(Sender) names who sends the message on behalf of its author. It is left out if its address is
            that of O(from).
        type: raw
      attachments:
        description: Files to send along.
        type: list
        elements: dict
        suboptions:
          path:
            description: File on the host that sends, or with O(attachments[].remote_src=false) on the controller.
            type: path
          remote_src:
            description: Whether the file is the host's. Without it, as O(remote_src) says.
            type: bool
          content:
            description: Text of the attachment, in place of a file. Needs O(attachments[].name).
            type: str
          name:
            description: File name that the reader sees. Without it, the last part of O(attachments[].path).
            type: str
          type:
            description: Media type such as V(text/csv). Without it, what the name suggests.
            type: str
          cid:
            description: Content ID that the HTML names, as in V(<img src="cid:logo">).
            type: str
      attach:
        description:
          - Paths of files to send along, as a list or one string with commas between them.
          - They are the host's, unless O(remote_src=false).
        type: raw
      inline:
        description: Images that the HTML shows.
        type: list
        elements: dict
        suboptions:
          path:
            description: File on the host that sends, or with O(remote_src=false) on the controller.
            type: path
            required: true
          cid:
            description: Content ID that the HTML names.
            type: str
            required: true
          mime_type:
            description: Media type. Without it, what the name suggests.
            type: str
      invitation:
        description: An event in iCalendar form (RFC 5545), which calendars offer to accept.
        type: str
      in_reply_to:
        description: Message-IDs of the messages this one answers.
        type: raw
      references:
        description: Message-IDs of the thread, oldest first.
        type: raw
      list_unsubscribe:
        description: Where recipients unsubscribe, as V(mailto:) or V(https:) URIs.
        type: list
        elements: str
      one_click_unsubscribe:
        description: Whether one POST to the https URI unsubscribes (RFC 8058).
        type: bool
      priority:
        description: What mail programs show as importance.
        type: str
        choices: [high, normal, low]
      auto_submitted:
        description:
          - Whether the message says that a machine wrote it, so that no vacation notes come back.
          - Without it, V(auto-generated). With V(no), the field is left out.
        type: str
        choices: [auto-generated, auto-replied, "no"]
      date:
        description: Date of the message in ISO 8601 or RFC 5322 form. Without it, now.
        type: str
      message_id:
        description: C(Message-ID) of the message. Without it, a new one.
        type: str
      message_id_domain:
        description: What stands behind the @ of a new C(Message-ID). Without it, the domain of O(from).
        type: str
      idempotency_key:
        description: Text that the C(Message-ID) follows from, so that the same message has the same one each time.
        type: str
      dsn:
        description: Delivery status notifications to ask for, where the server offers DSN (RFC 3461).
        type: dict
        suboptions:
          notify:
            description: When to notify.
            type: list
            elements: str
            choices: [success, failure, delay, never]
          full:
            description: Whether a notification brings the whole message back, and not only its header.
            type: bool
            default: false
          envelope_id:
            description: Text that comes back in a notification.
            type: str
            default: ""
      require_tls:
        description: Whether every server on the way must use verified TLS (RFC 8689). Refused where not offered.
        type: bool
  <<: *message
"""
