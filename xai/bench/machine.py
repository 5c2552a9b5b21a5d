"""The machine and the workers of a run, for the report."""

import os
import platform
import shlex
import time
from pathlib import Path

from worker import Worker

HERE = Path(__file__).resolve().parent


def workers(options, device="cpu"):
    """Ours first; every command is a program or a command line in quotes. On a CUDA device there are ours and PyTorch alone."""
    on_device = [] if device == "cpu" else ["--device", device]
    python = options.peer_python
    peers = [[python, str(HERE / "peer_pytorch.py"), *on_device]]
    if not on_device:
        peers.append([python, str(HERE / "peer_onnxruntime.py")])
    if options.candle and not on_device:
        peers.append(shlex.split(options.candle))
    return [Worker(command) for command in [[*shlex.split(options.ours), *on_device], *peers]]


def described(all_workers):
    return {
        "when": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        "machine": {"cpu": cpu_model(), "cores": os.cpu_count(), "system": platform.system(), "load_average_before": os.getloadavg()[0]},
        "workers": [{"name": w.name, "threads": w.threads, "versions": w.versions, "tasks": w.tasks} for w in all_workers],
    }


def cpu_model():
    """The processor's name as the kernel tells it."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
