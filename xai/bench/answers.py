"""The Python workers' side of the protocol in README.md: commands in, one line of JSON a run out."""

import json
import sys
import time


def answer(name, threads, versions, tasks, load):
    """Serves commands. `tasks` maps each precision to its tasks. `load(model, batch, precision)` gives a function that makes a
    task ready; what that returns computes once, which is timed, and tells how many numbers came out."""
    say(ready=name, threads=threads, versions=versions, tasks=tasks)
    loaded, ready = None, None
    for line in sys.stdin:
        command = json.loads(line)
        wanted = (command["model"], command["batch"], command["precision"])
        if command["task"] not in tasks.get(command["precision"], []):
            say(error=f"{name} has no {command['task']} in {command['precision']}")
            continue
        if wanted != loaded:
            ready = None  # One model in memory at a time.
            ready, loaded = load(*wanted), wanted
        compute = ready(command["task"])
        for _ in range(command["run"]):
            start = time.perf_counter()
            values = compute()
            say(milliseconds=1e3 * (time.perf_counter() - start), values=values)
        say(done=command["model"])


def say(**message):
    print(json.dumps(message), flush=True)
