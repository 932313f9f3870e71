"""A page of the documentation as what a reader does with it, one step after another.

Every ```python, ```bash and ```console block is a step; a ```text block right after one is what
the reader sees. Comments say the rest, directly above a block:

    <!-- file: service.py -->        the block is written to that file instead of being run
    <!-- service: . -->              from here on the service runs; a block that says `dev` is this
    <!-- service: . --reload -->     the same with options of `dev`
    <!-- shown only: why -->         the block is not run, for the reason given

`<!-- service: examples/shop -->` starts it in a copy of that folder of the repository.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```[ ]*$",
    re.MULTILINE | re.DOTALL,
)
COMMENT = re.compile(r"<!--\s*(?P<word>file|service|shown only):\s*(?P<value>.+?)\s*-->")
STARTS_DEV = re.compile(r"^(\$ )?(\S*treering|make) dev\b", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that the reader does: *verb* is python, bash, file or service."""

    verb: str
    text: str
    line: int
    name: str = ""
    shows: list[str] = field(default_factory=list[str])


def steps(path: Path) -> list[Step]:
    """Return what the reader of *path* does, in order."""
    found: list[Step] = []
    source, end = path.read_text(), 0
    for fence in FENCE.finditer(source):
        between = source[end : fence.start()]
        end = fence.end()
        line = source.count("\n", 0, fence.start()) + 1
        text = re.sub(rf"^{fence['indent']}", "", fence["text"], flags=re.MULTILINE)
        comments = {comment["word"]: comment["value"] for comment in COMMENT.finditer(between)}
        if fence["language"] == "text" and found and not between.strip():
            found[-1].shows.append(text)
            continue
        found.extend(_steps_of_a_block(fence["language"], text, line, comments))
    return found


def _steps_of_a_block(
    language: str, text: str, line: int, comments: dict[str, str]
) -> Iterator[Step]:
    if "service" in comments:
        yield Step(verb="service", text="", line=line, name=comments["service"])
        if STARTS_DEV.search(text):
            return
    if "shown only" in comments:
        return
    if "file" in comments:
        yield Step(verb="file", text=text, line=line, name=comments["file"])
    elif language in {"python", "bash"}:
        yield Step(verb=language, text=text, line=line)
    elif language == "console":
        yield from _console(text, line)


def _console(text: str, line: int) -> Iterator[Step]:
    """Yield a step for each `$ ` line (and what it goes on to after a backslash)."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command = re.match(r"(.*\\\n)*.*\n?", part)
        assert command
        shown = part[command.end() :]
        yield Step(verb="bash", text=command[0], line=line, shows=[shown] if shown.strip() else [])


def fits(shown: str, said: str) -> bool:
    """Whether *said* is what the page has *shown*; `…` stands for anything, spaces do not count."""
    pattern = ".*?".join(re.escape(" ".join(part.split())) for part in shown.split("…"))
    pattern = re.sub(r"(\\ )?(\.\*\?)(\\ )?", r".*?", pattern)
    return re.fullmatch(pattern.strip(), " ".join(said.split()), re.DOTALL) is not None
