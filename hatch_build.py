"""Carries the kit's application root into the wheel, as `treering/_app/`.

A checkout is its own root, so an editable install gets nothing.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT_FOLDERS = ("projections", "workers", "schemas")


class ApplicationRoot(BuildHookInterface[Any]):
    """Adds the root's folders to a standard wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Map each folder of the root to its place in the wheel."""
        if version == "editable":
            return
        for folder in ROOT_FOLDERS:
            build_data["force_include"][str(Path(self.root, folder))] = f"treering/_app/{folder}"
