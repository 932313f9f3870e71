# pyright: basic, reportMissingImports=false
"""The recorder of the `eventsourcing` library, in its default mode, by threads.

Arguments: host, port, user, database, and the event's bytes. Each line "THREADS SECONDS" is
answered with appends a second; half of the appends go to streams that exist.
"""

import sys
import time
from threading import Thread
from uuid import uuid4

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

host, port, user, database, body = sys.argv[1:6]
state = body.encode()


def append(recorder: PostgresApplicationRecorder, until: float, counts: list[int]) -> None:
    """Append single events until it is time, and count them."""
    count = 0
    while time.monotonic() < until:
        stream = uuid4()
        for version in (1, 2):
            recorder.insert_events([StoredEvent(stream, version, "dataset.updated.v1", state)])
            count += 1
    counts.append(count)


def measure(threads: int, seconds: float) -> float:
    """Return appends a second."""
    datastore = PostgresDatastore(database, host, port, user, "", pool_size=threads, max_waiting=0)
    recorder = PostgresApplicationRecorder(datastore, events_table_name="recorder_events")
    recorder.create_table()
    together(recorder, threads, 0.3)
    rate = together(recorder, threads, seconds)
    datastore.close()
    return rate


def together(recorder: PostgresApplicationRecorder, threads: int, seconds: float) -> float:
    """Append by *threads*; return appends a second."""
    counts: list[int] = []
    began = time.monotonic()
    until = began + seconds
    running = [Thread(target=append, args=(recorder, until, counts)) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if len(counts) < threads:
        raise RuntimeError("A thread has failed; its trace is above.")
    return sum(counts) / (time.monotonic() - began)


for line in sys.stdin:
    wanted, duration = line.split()
    print(measure(int(wanted), float(duration)), flush=True)
