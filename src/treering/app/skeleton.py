"""What to write when a released shape changes: the next version of its type, and an upcast."""

from collections.abc import Iterator, Sequence

from treering.app.comparison import Change
from treering.app.loading import App
from treering.entity import Entity
from treering.entity.messages import FIELD_WORDS


def verdicts(changes: Sequence[Change]) -> Iterator[str]:
    """Yield a sentence for what changed: what it is, and which of the two it is."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for each in changes:
        kind, word, version = _parts(each.name)
        said = ", ".join(difference.said for difference in each.differences)
        alike.setdefault((kind, version, f"{said}: {_end(each)}."), []).append(word)
    for (kind, version, said), words in alike.items():
        name = f"{kind}.{words[0]}.{version}" if words[0] else f"{kind}.{version}"
        more = f" (and {', '.join(words[1:])})" if words[1:] else ""
        yield f"{name}{more} {said}"


def _parts(name: str) -> tuple[str, str, str]:
    """Return kind, word and version; a read model has no word."""
    stem, _, version = name.rpartition(".")
    kind, _, word = stem.partition(".")
    return kind, word, version


def _end(change: Change) -> str:
    if change.is_compatible:
        return "compatible, so its version stays"
    if change.is_shown:
        return "not compatible, so it is the next version from now on, and who reads it has to know"
    return "not compatible, so it wants a new version and an upcast"


def skeletons(app: App, changes: Sequence[Change]) -> Iterator[str]:
    """Yield the code to begin with, one piece for each kind that wants a new version."""
    kinds: dict[str, list[Change]] = {}
    for each in changes:
        if not each.is_compatible and not each.is_shown:
            kinds.setdefault(each.name.partition(".")[0], []).append(each)
    entities = {entity.declaration.kind: entity for entity in app.entities}
    for kind, found in kinds.items():
        if kind not in entities:
            yield _of_kind(kind, found)
            continue
        of_fields = [each for each in found if _parts(each.name)[1] in FIELD_WORDS]
        if of_fields:
            yield _of_entity(entities[kind], of_fields)
        for each in found:
            if each not in of_fields:
                yield _of_further(entities[kind], each)


def _of_entity(entity: type[Entity], changes: Sequence[Change]) -> str:
    name, version = entity.__name__, entity.declaration.version
    found = {each.said: each for change in changes for each in change.differences}.values()
    lost = sorted({each.lost for each in found if each.lost})
    gained = sorted({each.gained for each in found if each.gained})
    needed = sorted({each.gained for each in found if each.gained and each.must})
    if len(lost) == len(gained) == 1:
        body, needed = f'renamed(fields, {lost[0]}="{gained[0]}")', []
    elif lost:
        gone = ", ".join(f'"{each}"' for each in lost)
        body = f"{{name: value for name, value in fields.items() if name not in {{{gone}}}}}"
    else:
        body = "{**fields}"
    missing = ", ".join(f'"{each}": ...' for each in needed)
    return "\n".join([
        f"class {name}(Entity, version={version + 1}):",
        "    ...",
        "",
        "",
        f"@{name}.upcast({version}{f', missing={{{missing}}}' if missing else ''})",
        f"def from_{version}(fields: Fields) -> Fields:",
        f'    """Read fields as version {version} said them."""',
        f"    return {body}",
    ])  # fmt: skip


def _of_further(entity: type[Entity], change: Change) -> str:
    """Return a command beside the one that was released, which goes on as it was."""
    kind, word, version = _parts(change.name)
    number = int(version.removeprefix("v")) + 1
    name = "".join(part.capitalize() for part in word.split("-"))
    return "\n".join([
        f"# The class of {change.name} as it was released, with deprecated=True, and beside it:",
        f'class {name}{number}(Command, type="{kind}.{word}.v{number}"):',
        "    ...",
        "",
        "",
        f"@{entity.__name__}.command({name}{number})",
        f"def {word.replace('-', '_')}_{number}(",
        f"    state: EntityState, received: Received[{name}{number}]",
        ") -> Sequence[Event]:",
        "    ...",
    ])  # fmt: skip


def _of_kind(kind: str, changes: Sequence[Change]) -> str:
    lines: list[str] = []
    steps: list[str] = []
    for change in changes:
        name, version = change.name.rsplit(".v", 1)
        new = f"{name}.v{int(version) + 1}"
        function = f"{name.replace('.', '_').replace('-', '_')}_from_{version}"
        steps.append(f'    Upcast(old="{change.name}", new="{new}", change={function}),')
        lines += [
            f"def {function}(body: dict[str, Any]) -> dict[str, Any]:",
            f'    """Read what {change.name} said."""',
            "    return {**body}",
            "",
            "",
        ]
    return "\n".join([*lines, f"{kind.replace('-', '_')} = Decider(..., upcasts=[", *steps, "])"])
