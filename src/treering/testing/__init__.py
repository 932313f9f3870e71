"""For tests of services: given, when, then without a server, and real servers for the rest.

In a `conftest.py`: `pytest_plugins = ["treering.testing.fixtures"]`.
"""

from treering.testing.given import Given, When, of

__all__ = ["Given", "When", "of"]
