"""The tests import what they test by the paths one sees in this folder, wherever they are run."""

from pathlib import Path

from treering.roots import enter, kit_root

enter([Path(__file__).parent, kit_root()])
