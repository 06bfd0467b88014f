"""A writer in a process of its own: python log_actor.py ENGINE DIRECTORY TOPIC LABEL BATCHES SIZE.

Appends batches of `LABEL:batch:index` under the key LABEL, and after each append that returned prints the
batch's number and first offset. BATCHES 0 goes on until it is killed.
"""

import itertools
import sys
from pathlib import Path

from log_engines import ENGINES

from odin_ws.eventlog.base import Draft


def main(engine: str, directory: str, topic: str, label: str, batches: str, size: str) -> None:
    log = ENGINES[engine](Path(directory))
    for batch in range(int(batches)) if int(batches) else itertools.count():
        values = [f"{label}:{batch}:{index}".encode() for index in range(int(size))]
        places = log.append([Draft(topic, label.encode(), value) for value in values])
        print(batch, places[0].offset, flush=True)
    log.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
