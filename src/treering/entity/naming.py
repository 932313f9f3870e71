"""The words that a class's name gives: its kind, and the plural of that."""

import re


def kebab(name: str) -> str:
    """Return *name* in lower case, its words joined by `-`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()


def plural_of(kind: str) -> str:
    """Return what several of *kind* are called, mostly."""
    if re.search(r"[^aeiou]y$", kind):
        return f"{kind[:-1]}ies"
    return f"{kind}es" if re.search(r"(s|x|z|ch|sh)$", kind) else f"{kind}s"


ID = re.compile(r"(?!\.\.?$)[A-Za-z0-9._:-]{1,128}", re.ASCII)
ID_IN_WORDS = "1-128 of A-Z a-z 0-9 . _ : - but not . or .. alone"
