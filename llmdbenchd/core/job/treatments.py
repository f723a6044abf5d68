"""An experiment's treatments: what each of them changes in the workload.

Two forms are read, and the first becomes the second. The era's: `run.factors` name keys of
the profile, each of `run.treatments` is a text of their values. Today's: `constants`, and
`treatments` with a name and the keys or dotted paths that they change.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from llmdbenchd.core.job.kinds import Object, text
from llmdbenchd.core.job.mistakes import mistake
from llmdbenchd.core.job.nodes import compose
from llmdbenchd.core.job.problems import did_you_mean, quoted
from llmdbenchd.core.job.tree import Path, free

_WITHOUT_EFFECT = {  # keys of the field's files that are not about the workload
    "setup": "is a matter of stand-up: this daemon only runs",
    "treatment_stop_on_error": "has no effect here: write stop_on_error in the job",
    "treatment_max_attempts": "has no effect here: write retry.attempts in the job",
    "reset_caches": "has no effect: no server's cache is reset",
    "validate_failures": "has no effect here: write fail_above in the job",
}
_DESCRIBING = frozenset({"experiment", "design", "name", "description"})
_KEYS = ("run", "constants", "treatments", *_WITHOUT_EFFECT, *sorted(_DESCRIBING))
_ERA_KEYS = ("factors", "levels", "treatments", "constants")
_EXAMPLE = "write treatments: [{name: short, max_tokens: 10}]"
_NO_LETTERS = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Treatment:
    """One treatment.

    Attributes:
        name: unique in its experiment, also when it is cleaned for a folder's name.
        changes: keys or dotted paths of the workload to their new values.
        profile: what it changes: the name of a profile, or a carried file as in `workload`;
            None = the job's workload.
    """

    name: str
    changes: Mapping[str, object] = field(default_factory=dict)
    profile: str | Object | None = None


_Found = list[tuple[Treatment, Path]]


def read_treatments(value: object) -> str | Object:
    """The name of a treatments file, or today's form of its contents.

    A list is taken for today's list of treatments.
    """
    if isinstance(value, list):
        return _as_today({}, _treatments(value, ()))
    if not isinstance(value, dict):
        return text(value)
    _refuse_unknown(value, _KEYS, ())
    run = value.get("run")
    if isinstance(run, dict):
        _refuse_unknown(run, _ERA_KEYS, ("run",))
        found = _era(run) if "factors" in run else _today(run, ("run",))
        constants = _constants(run.get("constants"), ("run", "constants"))
    else:
        found = _today(value if run is None else {"treatments": run}, ())
        constants = _constants(value.get("constants"), ("constants",))
    return _as_today(constants, found)


def _as_today(constants: Object, found: _Found) -> Object:
    _must_differ(found)
    return {
        "constants": constants,
        "treatments": [
            {"name": one.name}
            | ({"profile": one.profile} if one.profile else {})
            | dict(one.changes)
            for one, _ in found
        ],
    }


def treatments_of(document: object) -> tuple[Treatment, ...]:
    """The treatments of today's form, as `read_treatments` leaves it; else none."""
    if not isinstance(document, Mapping):
        return ()
    return tuple(one for one, _ in _today(document, ()))


def constants_of(document: object) -> Mapping[str, object]:
    """What all treatments change alike."""
    return document["constants"] if isinstance(document, Mapping) else {}


def without_effect(document: object) -> Iterator[tuple[str, str]]:
    """Keys of a treatments file that nobody acts upon, and what to know of each."""
    for key, message in _WITHOUT_EFFECT.items():
        if isinstance(document, Mapping) and document.get(key):
            yield key, message


def cleaned(name: str) -> str:
    """The name in letters, digits and `_`, as the era's scripts made it."""
    return _NO_LETTERS.sub("_", name).strip("_")


def _era(run: Mapping[str, object]) -> _Found:
    factors = run["factors"]
    if not isinstance(factors, list) or not all(isinstance(one, str) for one in factors):
        raise mistake("wants a list of keys of the workload", at=("run", "factors"))
    at: Path = ("run", "treatments")
    given = run.get("treatments")
    if isinstance(given, dict):
        named = [(cleaned(name), value, (*at, name)) for name, value in given.items()]
    elif isinstance(given, list):
        named = [_listed(one, (*at, index)) for index, one in enumerate(given)]
    else:
        raise mistake("are missing: a list or mapping of the factors' values", at=at)
    return [
        (Treatment(name, _values(factors, value, where)), where) for name, value, where in named
    ]


def _listed(one: object, at: Path) -> tuple[str, object, Path]:
    """An item of the era's list: a text of values, or a name with one."""
    if isinstance(one, dict) and len(one) == 1:
        [(name, value)] = one.items()
        return cleaned(name), value, (*at, name)
    return f"run_{cleaned(_plain(one))}", one, at


def _values(factors: list[str], value: object, at: Path) -> dict[str, object]:
    if isinstance(value, dict | list) or value is None:
        raise mistake("wants the factors' values as a text: 40,8000", at=at)
    written = _plain(value).replace('"', "").split(",")
    if len(written) != len(factors):
        message = f"has {len(written)} values for {len(factors)} factors"
        raise mistake(message, f"the factors are {', '.join(factors)}", at=at)
    return {name: _typed(one, at) for name, one in zip(factors, written, strict=True)}


def _typed(written: str, at: Path) -> object:
    """What YAML makes of a value in the era's text, where commas and blanks are spelled."""
    word = written.strip().replace("REPLACE_COMMA", ",").replace("____", " ")
    node, problems = compose(word)
    if node is None or problems:
        why = problems[0].message if problems else "is empty"
        raise mistake(f"holds a value that {why}", at=at)
    return free(node)


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _today(document: Mapping[str, object], before: Path) -> _Found:
    return _treatments(document.get("treatments"), (*before, "treatments"))


def _treatments(given: object, at: Path) -> _Found:
    """Today's list of treatments, or a mapping of their names to their changes."""
    if isinstance(given, dict):
        places = [(*at, name) for name in given]
        items = [
            {"name": name} | _changes(one, where)
            for (name, one), where in zip(given.items(), places, strict=True)
        ]
    elif isinstance(given, list):
        places = [(*at, index) for index in range(len(given))]
        items = [_changes(one, where) for one, where in zip(given, places, strict=True)]
    else:
        raise mistake("are missing", _EXAMPLE, at=at)
    return [
        (_treatment(one, index, where), where)
        for index, (one, where) in enumerate(zip(items, places, strict=True))
    ]


def _changes(one: object, at: Path) -> dict[str, object]:
    if not isinstance(one, dict):
        raise mistake("wants a mapping of a name and changes", _EXAMPLE, at=at)
    return one


def _treatment(one: Mapping[str, object], index: int, at: Path) -> Treatment:
    name = one.get("name", f"t{index}")
    if not isinstance(name, str | int | float) or not cleaned(str(name)):
        raise mistake("wants a name with letters or digits", at=(*at, "name"))
    changes = {key: value for key, value in one.items() if key not in {"name", "profile"}}
    if any(not key.strip() for key in changes):
        raise mistake("has an empty key", at=at)
    return Treatment(str(name), changes, _profile(one.get("profile"), at))


def _profile(given: object, at: Path) -> str | Object | None:
    """A profile's name, or a file that is carried along: `{file: NAME, text: TEXT}`."""
    if given is None or (isinstance(given, str) and "/" not in given):
        return given
    if isinstance(given, dict) and given.keys() == {"file", "text"}:
        return given
    raise mistake("wants the name of a profile of the harness", at=(*at, "profile"))


def _constants(given: object, at: Path) -> dict[str, object]:
    """A mapping; or the field's lists: of single pairs, or of `key` and `value`."""
    if given is None:
        return {}
    if isinstance(given, dict):
        return given
    found: dict[str, object] = {}
    for index, one in enumerate(given if isinstance(given, list) else [given]):
        if isinstance(one, dict) and "key" in one and "value" in one:
            found[str(one["key"])] = one["value"]
        elif isinstance(one, dict) and len(one) == 1:
            found |= one
        else:
            raise mistake("wants a mapping, or a list of pairs", at=(*at, index))
    return found


def _refuse_unknown(part: Mapping[str, object], known: tuple[str, ...], at: Path) -> None:
    for key in part:
        if key not in known:
            hint = did_you_mean(key, known) or f"known here: {', '.join(known)}"
            raise mistake("is not a field of an experiment", hint, at=(*at, key))


def _must_differ(found: _Found) -> None:
    if not found:
        raise mistake("names no treatment", _EXAMPLE)
    seen: set[str] = set()
    for one, where in found:
        name = cleaned(one.name)
        if not name or name in seen:
            message = f"is the second treatment {quoted(name)}" if name else "has no name"
            raise mistake(message, "give each a name of its own", at=where)
        seen.add(name)
