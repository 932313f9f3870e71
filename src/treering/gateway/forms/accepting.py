"""What a client can take, as its headers rank it (RFC 9110, 12.5)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

type Form = Literal["json", "msgpack", "csv"]
type Coding = Literal["br", "gzip"]

JSON = "application/json"
MSGPACK = "application/msgpack"
CSV = "text/csv"
VERSIONS = (1,)
"""Of the interface."""
_UNVERSIONED = re.compile(r"/api/(?!v\d+(/|$))(?=.)")
OURS = re.compile(r"application/vnd\.treering(?:\.v(\d{1,4}))?\+(json|msgpack)")
"""Types that name a version."""
_NAMES: Mapping[str, Form] = {
    JSON: "json",
    "application/problem+json": "json",
    MSGPACK: "msgpack",
    "application/vnd.msgpack": "msgpack",
    "application/x-msgpack": "msgpack",
    CSV: "csv",
}
FORMS: Mapping[Form, str] = {"json": JSON, "msgpack": MSGPACK, "csv": CSV}
"""Those that we like best first, and what they are called."""
_CODINGS: Sequence[Coding] = ("br", "gzip")
_ALIASES = {"x-gzip": "gzip"}
_LONGEST = 1000
"""Characters of a header that are read."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A form that a client takes, under the name that it has for it."""

    form: Form
    media_type: str


@lru_cache(256)
def choices(said: str | None) -> Sequence[Choice]:
    """Return the forms that an `Accept` header allows, the best first."""
    if said is None or not said.strip():
        return [Choice(form, name) for form, name in FORMS.items()]
    named: dict[Form, tuple[float, str]] = {}
    groups: dict[str, float] = {}
    for name, parameters, quality in _ranges(said):
        if name.endswith("/*"):
            groups[name] = quality
        elif (form := _form_of(name, parameters)) and quality > named.get(form, (-1, ""))[0]:
            named[form] = quality, "" if name.startswith("application/problem") else name
    found: list[tuple[float, Choice]] = []
    for form, usual in FORMS.items():
        group = f"{usual.partition('/')[0]}/*"
        quality, name = named.get(form) or (groups.get(group, groups.get("*/*", 0)), "")
        if quality > 0:
            found.append((quality, Choice(form, name or usual)))
    found.sort(key=lambda each: -each[0])
    return [each for _, each in found]


@lru_cache(256)
def coding(said: str | None) -> Coding | None:
    """Return how the answer is best packed for an `Accept-Encoding` header; None for not at all."""
    if said is None:
        return None
    found = {_ALIASES.get(name, name): quality for name, _, quality in _ranges(said)}
    best = max(_CODINGS, key=lambda each: found.get(each, found.get("*", 0)))
    quality = found.get(best, found.get("*", 0))
    return best if quality > 0 and quality >= found.get("identity", 0) else None


def takes_page(said: str | None) -> bool:
    """Tell whether who sent this `Accept` header would rather read a page than JSON: a browser."""
    if said is None or "text/html" not in said:
        return False
    found = {name: quality for name, _, quality in _ranges(said)}
    rest = found.get("application/*", found.get("*/*", 0))
    return found.get("text/html", 0) > found.get(JSON, rest)


def versioned(path: str) -> str | None:
    """Return the address with the newest version, for one without; None for all others.

    Which version is wanted is then for `Accept` to say.
    """
    found = _UNVERSIONED.match(path)
    return found and f"/api/v{VERSIONS[-1]}/{path[found.end() :]}"


def _form_of(name: str, parameters: Mapping[str, str]) -> Form | None:
    if (ours := OURS.fullmatch(name)) is None:
        return _NAMES.get(name)
    version = ours[1] or parameters.get("version", str(VERSIONS[-1]))
    if version not in map(str, VERSIONS):
        return None
    return "json" if ours[2] == "json" else "msgpack"


def _ranges(said: str) -> Iterator[tuple[str, Mapping[str, str], float]]:
    """Yield what a header lists: a name, its parameters, and how much it is wanted."""
    for part in said[:_LONGEST].lower().split(","):
        name, *rest = (each.strip() for each in part.split(";"))
        pairs = (each.partition("=") for each in rest)
        parameters = {key.strip(): value.strip(' "') for key, _, value in pairs}
        if name:
            yield name, parameters, _quality(parameters.pop("q", "1"))


def _quality(said: str) -> float:
    try:
        return min(1.0, max(0.0, float(said)))
    except ValueError:
        return 1.0
