# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shapes of the role's variables: names, lists, dictionaries, types and choices, before anything is read.

``meta/argument_specs.yml`` of the role documents every shape, and is what this file checks against. Ansible would check
the same, but prints the whole specification beside each error; so the variables themselves are of type ``raw`` there,
and only their options have a type.
"""

from __future__ import annotations

import difflib
import re
import typing as t

Spec = t.Mapping[str, t.Any]

#: How much a name must resemble one of ours to be a misspelling of it, from 0 to 1.
_RESEMBLANCE = 0.8
_BOOLEANS = ("yes", "no", "true", "false", "on", "off", "y", "n", "t", "f", "1", "0")
_LISTS, _DICTIONARIES = (list, tuple, set), (dict,)
_PREFIX = "relay_"


def find_misspelled(names: t.Iterable[str], known: t.Collection[str]) -> list[str]:
    """Return a sentence for each name that is not known and resembles one that is. Other names belong to others."""
    ours = {name[len(_PREFIX) :]: name for name in known}
    problems = []
    for name in sorted(set(names) - set(known)):
        meant = _resembling(name[len(_PREFIX) :], ours)
        if meant:
            problems.append(
                f"{name}: is not a variable of the role, and resembles {ours[meant]}; expected that name, or one that"
                " resembles none of the role's variables"
            )
    return problems


def _resembling(name: str, known: t.Collection[str]) -> str:
    swapped = [one for one in known if sorted(one) == sorted(name)]
    return next(iter([*swapped, *difflib.get_close_matches(name, known, 1, _RESEMBLANCE)]), "")


def find_misshapen(spec: Spec, values: t.Mapping[str, t.Any]) -> list[str]:
    """Return a sentence for each value that has another shape than the specification.

    :param spec: options of the role's argument specification, by name of the variable.
    :param values: values by name of the variable; those without a specification are not looked at.
    """
    return [
        problem for name, option in spec.items() if name in values for problem in _variable(name, option, values[name])
    ]


def kind_of(option: Spec) -> tuple[str, str]:
    """Return type and type of the elements; a variable of type ``raw`` has those of its default."""
    kind = option.get("type", "str")
    if kind != "raw":
        return kind, option.get("elements", "str")
    default = option.get("default")
    nested = "dict" if "options" in option else "str"
    return ("list", nested) if isinstance(default, list) else ("dict" if isinstance(default, dict) else "str", "str")


def _variable(place: str, option: Spec, value: t.Any) -> t.Iterator[str]:
    kind, elements = kind_of(option)
    if value is None or (kind == "jsonarg" and isinstance(value, _DICTIONARIES)):
        return
    if kind == "dict":
        yield from _dictionary(place, option, value)
    elif kind == "list":
        yield from _list(place, option, elements, value)
    else:
        yield from _scalar(place, option, kind, value)


def _dictionary(place: str, option: Spec, value: t.Any) -> t.Iterator[str]:
    known = option.get("options")
    if not isinstance(value, _DICTIONARIES):
        such = f" with {_some(known)}" if known else ""
        yield f"{place}: is {_shape(value)}; expected a dictionary{such}"
        return
    if not known:
        return
    for name in value:
        if name not in known:
            meant = _resembling(str(name), known)
            guess = f"; expected {meant}" if meant else f"; expected only {', '.join(known)}"
            yield f"{place}.{name}: is not an option{guess}"
    for name, inner in known.items():
        if inner.get("required") and value.get(name) is None:
            yield f"{place}.{name}: is missing; expected a value, since it has no default"
        elif name in value:
            yield from _variable(f"{place}.{name}", inner, value[name])


def _list(place: str, option: Spec, elements: str, value: t.Any) -> t.Iterator[str]:
    if elements == "dict":
        example = f" such as {place.rpartition('.')[2]}: [{{{_first(option.get('options'))}: ...}}]"
        if not isinstance(value, _LISTS):
            yield f"{place}: is {_shape(value)}; expected a list of dictionaries,{example}"
            return
        for index, one in enumerate(value):
            if isinstance(one, _DICTIONARIES):
                yield from _dictionary(f"{place}[{index}]", option, one)
            else:
                yield f"{place}[{index}]: is {_shape(one)}; expected a dictionary with {_some(option.get('options'))}"
    elif isinstance(value, _DICTIONARIES):
        yield f"{place}: is a dictionary; expected a list"
    elif isinstance(value, _LISTS):
        for index, one in enumerate(value):
            yield from _scalar(f"{place}[{index}]", option, elements, one)
    else:
        for one in value.split(",") if isinstance(value, str) else [value]:
            yield from _scalar(place, option, elements, one.strip() if isinstance(one, str) else one)


def _scalar(place: str, option: Spec, kind: str, value: t.Any) -> t.Iterator[str]:
    if value is None and "[" not in place.rpartition(".")[2]:
        return
    choices = option.get("choices")
    if isinstance(value, (*_LISTS, *_DICTIONARIES)) or value is None:
        yield f"{place}: is {_shape(value)}; expected {_expected(kind, choices)}"
    elif (
        (choices and str(value) not in choices)
        or (kind == "int" and (isinstance(value, bool) or not re.match(r"[+-]?[0-9]+\Z", str(value).strip())))
        or (kind == "bool" and str(value).lower() not in _BOOLEANS)
    ):
        shown = "the value" if option.get("no_log") else _shown(value)
        yield f"{place}: {shown} is not valid; expected {_expected(kind, choices)}"


def _expected(kind: str, choices: t.Sequence[str] | None) -> str:
    if choices:
        return f"one of {', '.join(choices)}"
    return {"int": "a whole number, without a unit", "bool": "true or false"}.get(kind, "text")


def _shown(value: t.Any) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(str(value))


def _shape(value: t.Any) -> str:
    """Describe a value by its type alone, since it may hold a secret."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "a boolean"
    for kinds, words in ((_DICTIONARIES, "a dictionary"), (_LISTS, "a list"), ((int, float), "a number")):
        if isinstance(value, kinds):
            return words
    return "text"


def _first(options: Spec | None) -> str:
    return next((name for name, one in (options or {}).items() if one.get("required")), "name")


def _some(options: Spec | None) -> str:
    names = list(options or {})
    required = [name for name in names if (options or {})[name].get("required")]
    return " and ".join(required) if required else f"options such as {', '.join(names[:3])}"
