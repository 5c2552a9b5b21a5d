"""Measures what each task needs in memory, every task in a process of its own. Only the standard library; see README.md.

    python memory.py --ours PATH [--peer-python PYTHON] [--model NAME ...]
"""

import argparse
import json
import shlex
import sys
from pathlib import Path

import table
from contests import BATCHES, MODELS
from flops import with_flops
from machine import described
from worker import Worker

HERE = Path(__file__).resolve().parent
TASKS = ("forward", "rollout", "relevance", "saliency")


def main():
    options = arguments()
    commands = [shlex.split(options.ours), [options.peer_python, str(HERE / "peer_pytorch.py")]]
    workers = [Worker(command) for command in commands]
    report = described(workers) | {"results": []}
    for worker in workers:
        worker.close()
    for model in options.model or MODELS:
        for batch in options.batch or BATCHES:
            sides = [measured(command, model, batch, precision) for command in commands for precision in ("f32", "bf16")]
            report["results"].append({"model": model, "batch": batch, "work": with_flops(model, batch), "tasks": sum(sides, [])})
            print(table.memory({**report, "results": report["results"][-1:]}), file=sys.stderr)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(table.memory(report))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True, help="our worker: an executable, or a command line in quotes")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has torch and transformers")
    parser.add_argument("--model", action="append", choices=MODELS, help="once or several times; all without it")
    parser.add_argument("--batch", action="append", type=int, choices=BATCHES, help="once or several times; all without it")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "memory.json")
    return parser.parse_args()


def measured(command, model, batch, precision):
    """For each task in a fresh process: resident once loaded, and the peak over loading and over three runs."""
    rows = []
    for task in TASKS:
        worker = Worker(command)
        if worker.can(task, precision):
            started = worker.memory("VmRSS")
            worker.turn(model, batch, task, precision, 0)
            row = {"worker": worker.name, "task": task, "precision": precision, "started": started}
            row |= {"loading_peak": worker.memory("VmHWM"), "loaded": worker.memory("VmRSS")}
            worker.forget_peak()
            worker.turn(model, batch, task, precision, 3)
            rows.append(row | {"running_peak": worker.memory("VmHWM")})
        worker.close()
    return rows


if __name__ == "__main__":
    main()
