# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text derived from HTML; covers html_text.py, html_page.py and html_style.py."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._message.html_text import html_to_text
from ansible_collections.mailops.smtp.tests.unit.support.messages import read_back, text_of

CASES = [
    ("", ""),
    ("plain < text & more", "plain < text & more\n"),
    (
        "<p>Hello&nbsp;<b>you</b> &amp; me</p>\n  <p>Two<br>lines<br><br>gap</p>",
        "Hello you & me\n\nTwo\nlines\n\ngap\n",
    ),
    ("<h1>Head</h1>body<hr>foot", f"Head\n\nbody\n\n{'-' * 40}\n\nfoot\n"),
    ("<div><div>a</div><div> b\n  c </div></div>", "a\nb c\n"),
    ("<title>T</title><style>p{}</style><script>1<2</script>x<template>y</template>", "x\n"),
    ("x<!-- comment --><script>never closed <p>y", "x\n"),
    ("<p>soft&shy;hyphen zero&#8203;width &#x1F389; &euro;", "softhyphen zerowidth 🎉 €\n"),
    ("<a href='https://x.test/?a=1&amp;b=2'>click <b>here</b></a>.", "click here <https://x.test/?a=1&b=2>.\n"),
    ("<a href='https://x.test/'>https://x.test</a> <a href='mailto:a@b'>a@b</a>", "https://x.test a@b\n"),
    ("<a href='#top'>up</a> <a href='javascript:x()'>run</a> <a>none</a>", "up run none\n"),
    ("<a href='x'><img src=l alt='Logo'></a> <a href=https://y.test><img></a>", "Logo <x> <https://y.test>\n"),
    ("<a href=x>one<a href=y>two</a></a>", "one <x>two <y>\n"),
    (
        "<ul><li>a<li>b<ul><li>b1</li></ul></li><li>c</ul><ol><li>x<li>y</ol>z",
        "- a\n- b\n  - b1\n- c\n\n1. x\n2. y\n\nz\n",
    ),
    ("<ul><li>two<br>lines</li></ul>", "- two\n  lines\n"),
    ("<li>stray</ul></ol>end", "- stray\n\nend\n"),
    (
        "<table><tr><th>Host<th>State</tr><tr><td>a<td>up</tr><tr><td></td><td>3</td></tr></table>x",
        "Host | State\na    | up\n     | 3\n\nx\n",
    ),
    ("<table><tr><td><p>in</p></td></tr><tr><td>next</td></tr></table>", "in\n\nnext\n"),
    ("<blockquote><p>one</p><p>two</p></blockquote>after</blockquote>", "> one\n>\n> two\n\nafter\n"),
    ("<pre>  a\n    b\n\nc</pre>z", "  a\n    b\n\nc\n\nz\n"),
    ("<img alt='Only this'/><br/>", "Only this\n"),
]

HEADS = "<tr><th>Host<th>Backup<th>State</tr>"
LONG = "the disk is full " * 6
TABLES = [
    (
        f"<table>{HEADS}<tr><td>db1<td><td>FAILED</tr><tr><td>db2<td>ok<td></tr></table>",
        "Host | Backup | State\ndb1  |        | FAILED\ndb2  | ok     |\n",
    ),
    (
        "<TABLE><THEAD><TR><TD>Host<TD>Backup<TD>State<TBODY><TR><TD>db1<TD>&nbsp;<TD>FAILED</TABLE>",
        "Host | Backup | State\ndb1  |        | FAILED\n",
    ),
    (f"<table>{HEADS}<tr><td>a</td></tr></table>", "Host | Backup | State\na    |        |\n"),
    (
        f"<table>{HEADS}<tr></tr><tr><td><td><td></tr><tr><td>a<td>b<td>c</table>",
        "Host | Backup | State\na    | b      | c\n",
    ),
    (
        f"<table>{HEADS}<tr><td rowspan=2>db1<td>ok<td>up</tr><tr><td><td>FAILED</tr><tr><td>c<td>d<td>e</table>",
        "Host | Backup | State\ndb1  | ok     | up\ndb1  |        | FAILED\nc    | d      | e\n",
    ),
    (
        f"<table>{HEADS}<tr><td rowspan=0>db1<td>ok<td>up<tr><td><td>FAILED</table>",
        "Host | Backup | State\ndb1  | ok     | up\ndb1  |        | FAILED\n",
    ),
    (f"<table>{HEADS}<tr><td colspan=2>all<td>FAILED</tr></table>", "Host | Backup | State\nall  |        | FAILED\n"),
    (
        f"<table><tr><th colspan=3>Report of the whole night</tr>{HEADS}<tr><td>a<td><td>c</table>",
        "Report of the whole night\nHost | Backup | State\na    |        | c\n",
    ),
    ("<table><tr><td><th>A<th>B<tr><th>x<td><td>1</table>", "  | A | B\nx |   | 1\n"),
    ("<table><tfoot><tr><td>Sum<td>3<tbody><tr><td>x<td>3</table>", "x   | 3\nSum | 3\n"),
    ("<table><caption>Hosts</caption><tr><th>日本<th>B<tr><td>x<td>y</table>", "Hosts\n日本 | B\nx    | y\n"),
    ("<table><tr><td>Street<br>City<td>x</table>", "Street / City | x\n"),
    ("<table><tr><td><a href='https://x.test'>log</a><td>1</table>", "log <https://x.test> | 1\n"),
    # spacers
    ("<table><tr><td>&nbsp;<td>a<td><td>b</tr><tr><td>&nbsp;</tr></table>", "a | b\n"),
    # too wide: each cell with its heading
    (
        f"<table>{HEADS}<tr><td>db1<td>{LONG}<td>FAILED</tr><tr><td>db2<td><td>up</tr></table>",
        f"Host: db1\nBackup: {LONG.strip()}\nState: FAILED\n\nHost: db2\nBackup:\nState: up\n",
    ),
    (
        f"<table><tr><th rowspan=2>Host<th colspan=2>Disk<tr><th>Used<th>Log<tr><td>a<td>{LONG}<td>c</table>",
        f"Host: a\nDisk Used: {LONG.strip()}\nDisk Log: c\n",
    ),
    # the last column may be long
    (f"<table><tr><th>A<th>B<tr><td>x<td>{LONG}</table>", f"A | B\nx | {LONG.strip()}\n"),
    (f"<table><tr><td>{LONG}<td>a<tr><td><td>b</table>", f"{LONG.strip()} | a\n | b\n"),
    (
        "<table><tr><th>Host<th>Log<tr><td>db1<td><pre>one\n  two\n\nthree</pre></table>",
        "Host: db1\nLog:\n  one\n    two\n\n  three\n",
    ),
    # tables for layout
    ("<table role=presentation><tr><td>Left<td>Right</table>", "Left\nRight\n"),
    (
        f"<table><tr><td><h1>Title</h1><table>{HEADS}<tr><td>a<td><td>c</table><td><p>Right</table>",
        "Title\n\nHost | Backup | State\na    |        | c\n\nRight\n",
    ),
    ("<table><tr><td><p>one</p><p>two</p><td>side</table>", "one\n\ntwo\n\nside\n"),
    # outside of cells, and unclosed
    ("<td>a</td><td>b</td>", "a b\n"),
    ("<table>before<tr><td>a<td>b</table>after", "before\na | b\n\nafter\n"),
    ("<table><tr><td><b>a</p></div><td>b", "a | b\n"),
    ("<table><tr><td>a<td hidden>b<td>c<tr style='display:none'><td>x<tr><td>d<td>e</table>", "a | c\nd | e\n"),
]
LISTS = [
    ("<ol start=3><li>a<li>b</ol>", "3. a\n4. b\n"),
    ("<ol start=-1><li>a<li><li>b<li value=9>c<li>d</ol>", "-1. a\n1. b\n9. c\n10. d\n"),
    ("<ol reversed><li>a<li>b<li>c</ol>", "3. a\n2. b\n1. c\n"),
    ("<ol reversed start=10><li>a<li>b</ol>", "10. a\n9. b\n"),
    ("<ol type=a start=26><li>x<li>y</ol>", "z. x\naa. y\n"),
    ("<ol type=A><li>x</ol><ol type=i start=4><li>y</ol><ol type=I start=9><li>z</ol>", "A. x\n\niv. y\n\nIX. z\n"),
    ("<ol style='list-style-type: lower-alpha'><li>x</ol><ol style='list-style: none'><li>y</ol>", "a. x\n\n- y\n"),
    ("<ol start=9><li>a<li>b<ul><li>c<ol><li>d</ol></ul>e</ol>", "9. a\n10. b\n    - c\n      1. d\n    e\n"),
    ("<ul><li>a</li><ul><li>b</li></ul><li>c</ul>", "- a\n  - b\n- c\n"),
    ("<ul><li>a</li>between<li>c</ul>", "- a\n  between\n- c\n"),
    ("<ul><li>a<table><tr><td>x<td>y</table><li>b</ul>", "- a\n\n  x | y\n\n- b\n"),
    ("<table><tr><th>a<th>x<p>y<p>z<tr><td><td></table>", "a\nx\n\ny\n\nz\n"),
    (f"<table><tr><th>{'a' * 70}<th>b<th>c<tr><td colspan=3>none</table>", f"{'a' * 70} | b | c\nnone\n"),
    ("<ol><li hidden>a<li>b</ol>", "1. b\n"),
    ("<dl><dt>T<dd>one<dd>two<dt>U<dd>three</dl>", "T\n  one\n  two\nU\n  three\n"),
]
LINKS = [
    ("<a href='mailto:a@b.test'>write</a>", "write <mailto:a@b.test>\n"),
    ("<a href='https://x.test/%C3%BC'>https://x.test/ü</a>", "https://x.test/ü\n"),
    ("<a href='https://x.test/evil'>https://x.test/</a>", "https://x.test/ <https://x.test/evil>\n"),
    ("<a href=' https://x.test/a\n b '>go</a>", "go <https://x.test/a%20b>\n"),
    ("<a href=https://x.test><table><tr><td>Buy</table></a>tail", "Buy <https://x.test>\n\ntail\n"),
    ("<a href=https://x.test><p>one</p><p>two</p></a>", "one\n\ntwo <https://x.test>\n"),
    *(
        (f"<a href='https://x.test/{raw}'>go</a>", f"go <https://x.test/{read}>\n")
        for raw, read in [
            ("?a=1&timestamp=2&region=eu&copy=1", "?a=1&timestamp=2&region=eu&copy=1"),
            ("?a=1&amp;copy=1&lt=2&amp;reg;", "?a=1&copy=1&lt=2&reg;"),
            ("?a&amp&b&copy", "?a&&b©"),
            ("?notit=1&notit;&not=2&para1&sect", "?notit=1&notit;&not=2&para1§"),
            ("?&#65=1&#x42;&copy;=1&unknown;", "?A=1B©=1&unknown;"),
        ]
    ),
    ("<img alt='R&amp;D &copy 1'/>&copy=1<a title='&lt' href='/?a&para=1'/>", "R&D © 1©=1 </?a&para=1>\n"),
    ("<a href=/?a=1&order=2&copy=3 href=/other>go</a>", "go </?a=1&order=2&copy=3>\n"),
    ("<a href='tel:+49 1'>+49 1</a> <a href='DATA:x'>d</a> <a href=''>e</a>", "+49 1 d e\n"),
]
#: Text and address of a link, and whether both say the same.
SAYS = [
    ("https://x.test/a", "https://x.test/a", True),
    ("HTTPS://X.test/a", "https://x.test/a", True),
    ("https://x.test/Path", "https://x.test/path", False),
    ("https://x.test/?Q", "https://x.test/?q", False),
    ("https://x.test/#A", "https://x.test/#a", False),
    ("http://x.test/", "https://x.test/", False),
    ("https://x.test", "http://x.test", False),
    ("https://www.x.test/", "https://x.test/", False),
    ("https://x.test/a/", "https://x.test/a", False),
    ("https://x.test/", "https://x.test", True),
    ("http://x.test/", "x.test", True),
    ("https://x.test:8443/a", "x.test:8443/a", True),
    ("https://x.test:8443/a", "https://x.test/a", False),
    ("https://x.test@evil.test/", "https://x.test/", False),
    ("https://x.test/a%2Fb", "https://x.test/a/b", False),
    ("https://x.test/%C3%BC", "https://x.test/ü", True),
    ("https://x.test/ü", "https://x.test/%c3%bc", True),
    ("https://x.test/a b", "https://x.test/a%20b", True),
    ("https://x.test/?a=%26", "https://x.test/?a=&amp;", False),
    ("ftp://x.test/", "x.test", False),
    ("//x.test/", "x.test", False),
    ("mailto:a@B.test", "a@b.test", True),
    ("mailto:a@b.test", "mailto:a@b.test", True),
    ("mailto:A@b.test", "a@b.test", False),
    ("mailto:a@b.test?subject=x", "a@b.test", False),
    ("mailto:a@c.test", "a@b.test", False),
    ("tel:+1-555-0100", "+1 (555) 0100", True),
    ("tel:+1-555-0100", "+1 (555) 0101", False),
    ("sms:+1555", "+1555", False),
]
LINKS += [
    (
        f"<a href='{link}'>{text}</a>",
        f"{text}\n".replace("&amp;", "&") if same else f"{text} <{link}>\n".replace("&amp;", "&"),
    )
    for link, text, same in SAYS
]
LINKS += [
    ("<a href=https://x.test/evil>https://x.<wbr>test/e<b>vil</b></a>", "https://x.test/evil\n"),
    ("<a href=https://x.test><img alt=x.test></a>", "x.test <https://x.test>\n"),
    (
        "<base href=https://j.test/a/><a href=job/1>#1</a> <a href=/>top</a>",
        "#1 <https://j.test/a/job/1> top <https://j.test/>\n",
    ),
    ("<base href=https://j.test/><a href='http://[x'>bad</a>", "bad <http://[x>\n"),
    ("<map><area href=https://x.test/a alt=CPU><area href=/b></map>", "CPU <https://x.test/a> </b>\n"),
    ("<a style=display:block href=/1>one</a><a style=display:block href=/2>two</a>", "one </1>\ntwo </2>\n"),
]
HIDDEN = [
    ("<div style='Display : none'>no<div>no</div>no</div>yes", "yes\n"),
    ("<div style='color:#fff;max-height:0;overflow:hidden'>no</div>yes", "yes\n"),
    ("<div style='max-height:0.5em;overflow:hidden'>yes</div>", "yes\n"),
    ("<p style='opacity:0'>no<p style='opacity:0.5'>yes<p style='visibility:hidden'>no", "yes\n"),
    ("<span hidden>no</span>yes<div><span hidden>no</div>yes", "yes\nyes\n"),
    ("<img alt=no hidden><input type=hidden value=no><input type=password value=no>yes", "yes\n"),
    ("<!--[if mso]>no<![endif]-->a<![if !mso]>b<![endif]><!--[if !mso]><!-->c<!--<![endif]-->", "abc\n"),
    ("a<![foo bar]>b<![<![>c<!x>d<?php no ?>e", "abcde\n"),
    ("<style>/* .y{display:none} */ .n, p#i {\ndisplay: none !important}</style><b class='x n'>no</b><p id=i>no", ""),
    ("<style>@media print {.y{display:none}} .z b{display:none}</style><b class=y>y</b><b class=z>z</b>", "yz\n"),
    ("<template><template>no</template>no</template><svg><text>no</text></svg><dialog>no</dialog>yes", "yes\n"),
    ("<p>&zwnj;&nbsp;&#847;&zwnj;&nbsp;</p><p>yes", "yes\n"),
    ("<span aria-hidden=true>yes</span>", "yes\n"),
    ("<div hidden>never closed<p>no", ""),
    ("<span hidden>no<b>no</span> yes<p>yes", "yes\n\nyes\n"),  # what is not closed in it ends with it
    ("<span hidden>no<p>no</span>yes", "yes\n"),
    ("<a style='display:none'><font>no</a>yes", "yes\n"),
    ("<svg><path><g></svg>yes<iframe><b>no</iframe>yes", "yesyes\n"),
    ("<ruby>x<rp>(<b></rp><rt>y</rt></ruby> yes", "x(y) yes\n"),
    ("<div hidden><b>no<p>no</b>no</div>yes", "yes\n"),
]
INLINE = [
    ("a <b>b </b> c<i> d</i>\n\te", "a b c d e\n"),
    ("<b><p>one</b></p><p>two</p>", "one\n\ntwo\n"),
    ("10<sup>6</sup>, 1<sup>st</sup>, H<sub>2</sub>O", "10^6, 1st, H2O\n"),
    ("now <s>100</s> <del>90</del> 80 and <q>so</q>", 'now ~~100~~ ~~90~~ 80 and "so"\n'),
    ("<PRE>\n  a\n\n\n   b\tc  \n</PRE>z", "  a\n\n\n   b\tc\n\nz\n"),
    ("<pre>a<br>  b <b>  c</b></pre>", "a\n  b   c\n"),
    ("<div style='white-space: pre-wrap'>a\n  b</div>c", "a\n  b\nc\n"),
    (
        "<input type=checkbox checked> on <input type=radio> off <input value=x><textarea>\na\n b</textarea>",
        "[x] on [ ] off x\na\n b\n",
    ),
    ("<P>one<P>two<BR>three</BR>four", "one\n\ntwo\nthree\nfour\n"),
    ("<blockquote>a<blockquote>b</blockquote></blockquote>", "> a\n>\n> > b\n"),
]
#: What an element looks like, by its style.
LOOKS = [
    (
        "<p style='white-space:pre-line'>\n one\n  two   three\n\nfour<br>five</p>six",
        "one\ntwo three\n\nfour\nfive\n\nsix\n",
    ),
    ("<p style='white-space:pre-wrap'>a   b\n c</p>", "a   b\n c\n"),
    ("<p style='white-space:break-spaces'>a   b\n c</p>", "a   b\n c\n"),
    ("<p style='white-space:nowrap'>a   b\n c</p>", "a b c\n"),
    ("<pre style='white-space:normal'>a   b\n c</pre>", "a b c\n"),
    ("<pre>a  b<i style='white-space:pre-line'>  c  d\n e</i>\n f</pre>", "a  b c d\ne\n f\n"),
    ("<div style='white-space:pre'>a <p>b\n  c</p></div> d", "a\n\nb\n  c\n\nd\n"),
    ("run <code style='white-space:pre'>ls  -l</code> now", "run ls  -l now\n"),
    ("<style>.k{white-space:pre-wrap}</style><b class=k>a\n  b</b>", "a\n  b\n"),
    ("<table><tr><td style='white-space:pre-line'>a\nb<td>c</table>", "a / b | c\n"),
    *(
        (f"a<span style='display:{display}'>b</span><b style='display:{display}'>c</b>d", text)
        for display, text in [
            ("block", "a\nb\nc\nd\n"),
            ("Flex", "a\nb\nc\nd\n"),
            ("grid", "a\nb\nc\nd\n"),
            ("list-item", "a\n- b\n- c\nd\n"),
            ("inline", "abcd\n"),
            ("inline-block", "abcd\n"),
        ]
    ),
    ("<div style=display:inline>a</div><p style=display:inline>b</p><div style=display:contents>c</div>", "abc\n"),
    ("<style>b{display:block}.x{display:inline}</style><b>a</b><b>b</b><b class=x>c</b>d", "a\nb\ncd\n"),
    ("<img style=display:block alt=a><img style=display:block alt=b>", "a\nb\n"),
    (
        "<style>i{display:table}p{display:table-row}b{display:table-cell}</style><i><p><b>Host</b><b>State</b></p><p><b></b><b>up</b></p></i>",
        "Host | State\n     | up\n",
    ),
    ("<table><tr><td><p style=display:table-cell>a</p><p style=display:table-cell>b</p><td>c</table>", "a b | c\n"),
    ("<ul><div style=display:list-item>a</div><div style=display:list-item>b</div></ul>", "- a\n- b\n"),
    (
        "<b style='text-decoration:line-through'>a</b> <b style='text-decoration-line:line-through'>b</b>",
        "~~a~~ ~~b~~\n",
    ),
    ("<s>a <b>b</b> c</s> d <s> </s><del></del><s style='text-decoration:none'>e</s>", "~~a b c~~ d e\n"),
    ("<s><p>a</p><ul><li>b</ul></s>c", "~~a~~\n\n- ~~b~~\n\nc\n"),
    ("<pre><del>- a\n- b</del>\n+ c</pre>", "~~- a~~\n~~- b~~\n+ c\n"),
    ("<table><tr style='text-decoration:line-through'><td>a<td>b<tr><td>c<td>d</table>", "~~a~~ | ~~b~~\nc     | d\n"),
    ("<p hidden>no<p hidden style='display:block'>yes", "yes\n"),
    ("<div style='overflow:hidden;width:0'>no</div><div style='overflow-y:hidden;max-height:0'>no</div>", ""),
    ("<style>del{display:none}</style>a<del>no</del>", "a\n"),
]
#: Raised and lowered text.
SCRIPTS = [
    *((f"10<sup>{exponent}</sup>", f"10^{exponent}\n") for exponent in ("6", "-3", "−3", "+3", "x", "2+", "1.5", "-n")),
    *((f"1<sup>{ordinal}</sup>", f"1{ordinal}\n") for ordinal in ("st", "er", "re", "e", "o", "®", "*", "[1]")),
    *((f"x<sup>{term}</sup>", f"x^({term})\n") for term in ("n+1", "2 n", "a-b", "1/2")),
    ("5 10<sup> -3 </sup>s E=mc<sup><b>2</b></sup> x<sup>2<sup>3</sup></sup>", "5 10^-3 s E=mc^2 x^(2^3)\n"),
    ("CO<sub>2</sub> C<sub>6</sub>H<sub>12</sub> V<sub>max</sub> log<sub>10</sub>", "CO2 C6H12 Vmax log10\n"),
    ("1010<sub>2</sub> x<sub>n+1</sub> x<sub>i</sub><sup>2</sup>", "1010_2 x_(n+1) xi^2\n"),
    ("10<b style='vertical-align:super'>6</b> H<b style='vertical-align: sub'>2</b>O", "10^6 H2O\n"),
    ("10<sup style='opacity:0'>6</sup>. <sup><p>a</p></sup>b", "10 .\n\na\n\nb\n"),
]
#: What is shown like a part of the text.
FIELDS = [
    ("State: <select><option>a<option selected>b<option>c</select> now", "State: b now\n"),
    ("<select><optgroup label=x><option value=1>a</option><option>b</option></optgroup></select>", "a\n"),
    ("<select multiple><option>a<option selected>b</select>", "[ ] a\n[x] b\n"),
    ("<select size=2><option selected>a</select><select></select>", "[x] a\n"),
    ("<table><tr><td><select><option>a<option selected>b</select><td>c</table>", "b | c\n"),
    ("<progress value=70 max=100></progress><meter min=50 max=150 value=75>", "70% 25%\n"),
    ("<progress value=7 max=10>7 of 10</progress> <meter value=.5>half</meter>", "7 of 10 half\n"),
    ("<progress>wait</progress><progress value=nan></progress><meter value=1 max=0></meter>", "wait\n"),
    ("<input type=checkbox checked>Backup <input type=radio>Log", "[x] Backup [ ] Log\n"),
    ("<button>Yes</button><button>No</button>", "Yes No\n"),
    ("<img alt=OK>db1, <img alt=Up><img alt=Down>. a<img alt=''>b", "OK db1, Up Down. ab\n"),
    ("<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby> <ruby>字<rt>ji</ruby>", "漢(kan) 字(ji)\n"),
    ("a<!-->b<!--->c<!-- no --!>d<!-- no", "abcd\n"),
    ("a <b>b</b> < c <d", "a b < c <d\n"),
    ("a<p>b <!-- no", "a\n\nb\n"),
]
BLANK = ("visibility:hidden", "VISIBILITY : Hidden !important", "visibility:collapse", "opacity:0", "opacity:0.0")
KEEPS_PLACE = [
    (html.replace("STYLE", style), text)
    for style in BLANK
    for html, text in [
        (
            f"<table>{HEADS}<tr><td>db1<td style='STYLE'>no<td>up<tr><td>db2<td>ok<td>up</table>",
            "Host | Backup | State\ndb1  |        | up\ndb2  | ok     | up\n",
        ),
        (
            f"<table>{HEADS}<tr><td>db1<td><p style='STYLE'><a href=x>n</a><s>n</s><img alt=n><hr></p><td>up</table>",
            "Host | Backup | State\ndb1  |        | up\n",
        ),
        (
            "<style>.x{STYLE}</style><table><tr><td>a<th class=x>b<td>c<tr><td>d<td>e<td>f</table>",
            "a |   | c\nd | e | f\n",
        ),
        ("<ol><li>a<li style='STYLE'>no<li>c</ol>", "1. a\n3. c\n"),
        ("<ol><li>a<li><b style='STYLE'>no</b><li>c</ol>", "1. a\n3. c\n"),
        ("a<b style='STYLE'>no<b>no</b>no</b>b<p style='STYLE'>no</p>c", "a b\n\nc\n"),
    ]
]
SHOWN = [
    ("<p style='visibility:hidden'>no<b style='visibility:visible'>yes</b>no</p>", "yes\n"),
    ("<p style='font-size:0'>no<b style='font-size:14px'>yes</b><img alt=' and'> no</p>", "yes and\n"),
    ("<p style='opacity:0'>no<b style='opacity:1'>no</b></p>", ""),
    *(
        (f"<div style='{style}'>no<p>no</p></div>yes", "yes\n")
        for style in [
            "display:block;display:none",
            "display:none!important;display:block",
            "display/**/:/**/none",
            "height:0px;overflow:hidden",
            "overflow:hidden;max-height:0.0em",
            "font-size:0px;line-height:0",
        ]
    ),
    *(
        (f"<div style='{style}'>yes</div>", "yes\n")
        for style in [
            "display:none;display:block",
            "display:none;display:block!important",
            "x-display:none",
            "opacity:0;opacity:1",
            "height:0",
            "max-height:0;overflow:visible",
            "font-size:0.5em",
            "font-size:0;font-size:9px",
            "mso-hide:all",
            "height:0;overflow:hidden;height:auto",
            "opacity:.5",
            "/*display:none*/",
            "background:url(display:none)",
        ]
    ),
    *(
        (f"<style>{css}</style><p id=i class='n m'>yes", "yes\n")
        for css in [
            "p.x{display:none}",
            "div.n{display:none}",
            ".n b{display:none}",
            ".n>.m{display:none}",
            ".n:hover{display:none}",
            ".n[title]{display:none}",
            ".n::before{display:none}",
            ".n{display:none;display:block}",
            ".n{display:none}.m{display:block}",
            "#i{display:block}.n{display:none}",
            ".n{display:none}body p.m{display:block}",
            ".n{display:none}#i{display:inherit}",
            "p.n{display:block}.n{display:none}",
            "div .n{display:block}.n{display:none}",
            ".n{display:none}@media screen{.n{display:block}}",
            ".n{display:none}@media (max-width:9em){.n{display:block}}",
            "@media (max-width:9em){.n{display:none}}",
            "@media print{.n{display:none}}",
            "@supports (x:y){.n{display:none}}",
            "@keyframes n{.n{display:none}}",
            "/* .n{display:none} */",
            ".n{display:none}</style><style>.n{display:block}",
            ".n{display:none}p:first-child.m{display:block}",
            ".N{display:none}",
            ".n\\:m{display:none}",
            "p{}.o,.q{display:none}",
        ]
    ),
    *(
        (f"<style>{css}</style><p id=i class='n m'>no", "")
        for css in [
            ".n{display:none}",
            "x,.n , y{display:none}",
            "p.n{display:none}",
            "P.n{display:none}",
            ".n.m{display:none}",
            "#i{display:none}.n{display:block}",
            ".n{display:block}.n{display:none}",
            "p{display:block}.n{display:none}",
            ".n{display:none}p,a{display:block}",
            ".n{display:none}.o,.n b,div.m{display:block}",
            ".n{display:none!important}#i{display:block}",
            "<!-- .n{display:none} -->",
            "@import 'x';.n{display:none}",
            "@media screen{.n{display:none}}",
            "@media print{.n{display:block}}.n{display:none}",
            "@font-face{src:x}.n{display:none}",
            ".n{max-height:0;overflow:hidden}",
            ".n{display:none}.n:before{display:block}",
            "p{display:none}",
            "P{display:none}b{display:block}",
        ]
    ),
    *(
        (f"<style media='{media}'>.n{{display:none}}</style><p class=n>x", text)
        for media, text in [
            ("all", ""),
            ("screen", ""),
            ("Screen, print", ""),
            ("", ""),
            ("print", "x\n"),
            ("(min-width:9em)", "x\n"),
            ("screen and (max-width:9em)", "x\n"),
            ("not screen", "x\n"),
        ]
    ),
    ("<style>.n{display:none}</style><p class=n style='display:block'>yes<p class=n style='color:red'>no", "yes\n"),
    ("<style>.n{display:none!important}</style><p class=n style='display:block'>no", ""),
    ("<!--[if mso]><style>.n{display:none}</style><![endif]--><p class=n>yes", "yes\n"),
]
CASES += [*KEEPS_PLACE, *SHOWN, *TABLES, *LISTS, *LINKS, *HIDDEN, *INLINE, *LOOKS, *SCRIPTS, *FIELDS]


@pytest.mark.parametrize(("html", "text"), CASES)
def test_text_of_html(html: str, text: str) -> None:
    assert html_to_text(html) == text


@pytest.mark.parametrize(("html", "text"), CASES)
def test_derived_text_is_in_the_message(html: str, text: str) -> None:
    parsed = read_back(body=None, html=html)
    plain = parsed.get_body(("plain",))
    assert (text_of(plain) if plain else "") == text


TAGS = ["p", "a href='x'", "ul", "ol", "li", "table", "tr", "td", "pre", "blockquote", "br", "hr", "b", "script", "!--"]
PIECES = st.sampled_from(
    [f"<{tag}>" for tag in TAGS] + [f"</{tag.split()[0]}>" for tag in TAGS] + ["\n", " ", "&lt;b>"]
)


@given(st.lists(PIECES | st.text(max_size=20), max_size=60).map("".join))
def test_any_html_gives_tidy_text(html: str) -> None:
    text = html_to_text(html)
    assert text == "" or text.endswith("\n")
    assert "\n\n\n" not in text or "<pre>" in html
    assert not any(line != line.rstrip(" ") for line in text.split("\n") if "\u00a0" not in html)


@given(st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True), max_size=20))
def test_no_word_is_lost(words: list[str]) -> None:
    html = "".join(
        f"<{tag}>{word}</{tag}> " for tag, word in zip(["p", "b", "li", "td", "h2"] * 4, words, strict=False)
    )
    assert [word for word in html_to_text(html).split() if word not in "-|"] == words


@given(
    st.lists(
        st.lists(st.sampled_from(["", "x", "FAILED", "two words", "部署"]), min_size=4, max_size=4),
        min_size=1,
        max_size=6,
    )
)
def test_every_cell_is_under_its_heading(rows: list[list[str]]) -> None:
    """By the number of its bars, and by its place in a font of fixed width."""
    heads = ["Host", "Backup", "State", "Note"]
    cells = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    first, *lines = html_to_text("<table><tr><th>" + "<th>".join(heads) + f"</tr>{cells}</table>").splitlines()
    assert [cell.strip() for cell in first.split("|")] == heads
    assert [[cell.strip() for cell in line.split("|")] for line in lines] == [row for row in rows if any(row)]
    for line in lines:
        assert line.isascii() is False or [i for i, c in enumerate(line) if c == "|"] == [
            i for i, c in enumerate(first) if c == "|"
        ]


#: What is repeated in pages that take long to read, or make long texts, if each part looks at all that is before it.
ODD = [
    *(
        "<b>",
        "<div>",
        "<p>",
        "<s>",
        "<sup>",
        "<sup>1",
        "<a href=x>",
        "<a href=x><div>",
        "<i><li>",
        "<ul><li>x",
        "<table>",
    ),
    *(
        "<table><tr><td>x<td>",
        "<td>",
        "<dl><dd>x",
        "<blockquote>x",
        "<select><option>",
        "<b hidden><p>",
        "<pre>x\n",
        "<br>",
    ),
    *(
        "<div style='display:table'><b style='display:table-cell'>x",
        "<b style=opacity:0>",
        "<q>",
        "<b>x</b> ",
        "&zwnj;&nbsp;",
    ),
    *(
        "<",
        "<a ",
        "<a b='",
        "</",
        "</a ",
        "<!",
        "<!-",
        "<!--",
        "<![",
        "<?",
        "<!-->",
        "<style>",
        "<style ",
        "<title>",
        "&",
        "&#",
    ),
    *(
        "<tr><td>x<td>y",
        "<td rowspan=0 colspan=99>x",
        "<ul></ul>x",
        "<a href=x>x<p></p></a>",
        "&nbsp;<br>",
        "<area alt=x>",
        "<sub>x",
        "<sup>- ",
    ),
]
ODD_PAGES = [
    *(("", piece) for piece in ODD),
    *(
        (start, piece)
        for start in ["<p><td>", "<ul><li>", "<pre>", "<s>", "<a href=x>"]
        for piece in ["<div>", "x<b>y</b>"]
    ),
    ("<sup>a", "- "),
    *((start, piece) for start in ["<table><tr>", "<table><tr><th>"] for piece in ["<td>x", "<th>x<tr><td>x", "x"]),
    *(
        ("<style>", piece)
        for piece in ["{", "}", ".a{b:c}", ".a,", ".a", "(", "[", "/*", "@media x{", "> ", "\\\\", "a:"]
    ),
    *(("<p style='", piece) for piece in ["a:b;", "/*", "opacity:0", "a:!important"]),
    *(("<p class='", piece) for piece in ["a ", "&a", " "]),
]


@pytest.mark.parametrize(("start", "piece"), ODD_PAGES)
@pytest.mark.parametrize("end", ["", "'>.a{display:block}</style><p class=a>x<li>x<tr><td>x</b></div>"])
def test_odd_pages_take_linear_time(start: str, piece: str, end: str) -> None:
    """The fastest of them that took quadratic time took ten times as long as this."""
    page = start + piece * (20_000 // len(piece)) + end * (20_000 // len(end or "x"))
    began = time.process_time()
    text = html_to_text(page)
    assert time.process_time() - began < 5
    assert len(text) < 20 * len(page)


def test_large_document_takes_linear_time() -> None:
    start = time.perf_counter()
    html_to_text("<div><p>word</p>" * 20_000)
    assert time.perf_counter() - start < 20


@pytest.mark.parametrize("tags", ["<ul><li>x", "<blockquote>x", "<table><tr><td>x<td>", "<dl><dd>x"])
def test_deep_nesting_does_not_inflate_the_text(tags: str) -> None:
    assert len(html_to_text(tags * 2000)) < 2000 * 80
