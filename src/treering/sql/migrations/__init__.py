"""The steps from one shape of the store to the next; alembic runs those under `versions`.

One more is a module there, which names its SQL files and what the way back loses, and `REVISION` in
`treering.sql`. A released step never changes.
"""
