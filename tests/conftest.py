"""What every test relies on: no developer's own settings, and laws that are repeatable."""

import os

from hypothesis import settings

pytest_plugins = ["treering.testing.fixtures", "tests.shared_cache"]

# A developer's own TREERING_* settings must not decide what a test sees; those for tests stay.
for name in [name for name in os.environ if name.startswith("TREERING_")]:
    if not name.startswith("TREERING_TEST_"):
        del os.environ[name]

# The suite on another PostgreSQL means services that tests start, too.
if programs := os.environ.get("TREERING_TEST_POSTGRES_BIN"):
    os.environ["TREERING_POSTGRES_BIN"] = programs

settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
