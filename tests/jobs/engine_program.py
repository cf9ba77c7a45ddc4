"""An engine in a process of its own, for tests that kill it: `python -m tests.jobs.engine_program FILE COMMAND`.

`work`: works through the queue. `watch`: only looks. Both until standard input ends. `here JSON`: runs a probe with
these parameters in the foreground, and prints number and state; SIGINT stops it.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path

from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.queue import open_job_queue
from tests.jobs.probe_kinds import probe


def main() -> None:
    path, command, *rest = sys.argv[1:]
    queue = open_job_queue(Path(path))
    engine = JobEngine(queue, takes_queued=command == "work")
    if command == "here":
        stop = threading.Event()
        signal.signal(signal.SIGINT, lambda number, frame: stop.set())
        here = engine.run_here(probe(**json.loads(rest[0])), stop=stop)
        print(here.snapshot.id, here.snapshot.state.value, here.snapshot.attempt, flush=True)
    else:
        engine.subscribe(lambda job: None)
        print("ready", flush=True)
        sys.stdin.read()
    engine.close()
    queue.close()


if __name__ == "__main__":
    main()
