"""Run uv with what pip has been told: index, certificates, proxy, time-out.

uv reads its own settings only; people behind a mirror or a proxy have configured pip. What a
UV_* variable says is never overridden. Runs on the bootstrap's Python, 3.9 or newer.
"""

import ast
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

UV = Path(sys.executable).parent / "uv"

# pip's word, uv's variable, what joins several values, and the variables that already say it
WORDS = (
    ("index-url", "UV_DEFAULT_INDEX", " ", ("UV_INDEX_URL",)),
    ("extra-index-url", "UV_INDEX", " ", ("UV_EXTRA_INDEX_URL",)),
    ("find-links", "UV_FIND_LINKS", ",", ()),
    ("trusted-host", "UV_INSECURE_HOST", " ", ()),
    ("cert", "SSL_CERT_FILE", " ", ("SSL_CERT_DIR",)),
    ("proxy", "ALL_PROXY", " ", ("HTTPS_PROXY", "https_proxy", "all_proxy")),
    ("default-timeout", "UV_HTTP_TIMEOUT", " ", ()),
    ("timeout", "UV_HTTP_TIMEOUT", " ", ()),
)


def pip_settings() -> "dict[str, list[str]]":
    """Return pip's settings from its files and its environment, the environment last."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    settings: "dict[str, list[str]]" = {}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        settings[name.rpartition(".")[2]] = str(ast.literal_eval(value)).split()
    return settings


def environment(settings: "dict[str, list[str]]", own: "Mapping[str, str]") -> "dict[str, str]":
    """Return the environment *own* with pip's *settings* in uv's words."""
    told = dict(own)
    for word, variable, joint, others in WORDS:
        values = settings.get(word, [])
        if word == "find-links":
            values = [value for value in values if "://" in value or Path(value).exists()]
        if values and not any(name in told for name in (variable, *others)):
            told[variable] = joint.join(values)
    if "extra-index-url" in settings:
        # Every artifact is checked against the lock's hash, so any index may provide it.
        told.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return told


if __name__ == "__main__":
    os.execve(UV, [str(UV), *sys.argv[1:]], environment(pip_settings(), os.environ))  # noqa: S606 - no shell on purpose
