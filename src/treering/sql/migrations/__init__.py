"""The steps from one shape of the store to the next; alembic runs those under `versions`."""
