"""Measures how soon a notebook answers: kernels side by side in one run, medians of fresh kernels. Needs jupyter_client.

    python latency.py --pellucid PROGRAM [--stock EVCXR_JUPYTER] [--peer-python PYTHON] [--runs 5] [--into README.md]

PROGRAM is `pellucid-notebook` with its library built (`pellucid notebook build`). PYTHON has ipykernel, torch, transformers and
matplotlib. Every kernel is started --runs times, one kind after another in turn; each start does all steps once. See README.md.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

import steps

HERE = Path(__file__).resolve().parent
PATIENCE = 120


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["JUPYTER_PATH"] = folder
        kernels = installed(options, Path(folder) / "kernels")
        runs = {kernel: [] for kernel in kernels}
        for run in range(options.runs):
            for kernel, kind in kernels.items():
                runs[kernel].append(measured(kernel, kind))
                print(f"{run + 1} of {options.runs}, {kernel}: {runs[kernel][-1]}", file=sys.stderr)
    report = {"date": f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC", "processor": processor(), "runs": runs}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(table(report))
    if options.into:
        fill(options.into, table(report))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pellucid", required=True, help="the program pellucid-notebook")
    parser.add_argument("--stock", help="evcxr_jupyter 0.22; without it stock evcxr is left out")
    parser.add_argument("--peer-python", help="a Python with ipykernel, torch, transformers, matplotlib; without it Python is left out")
    parser.add_argument("--runs", type=int, default=5, help="fresh kernels of each kind (5 or more for a figure to publish)")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "latency.json")
    parser.add_argument("--into", type=Path, help="a document with the marks <!-- bench: latency --> and <!-- bench: end -->")
    return parser.parse_args()


def fill(document, lines):
    """Puts the table between the marks of a document."""
    before, mark, rest = document.read_text(encoding="utf-8").partition("<!-- bench: latency -->\n")
    _, end, after = rest.partition("<!-- bench: end -->")
    if not (mark and end):
        raise SystemExit(f"{document} has no marks for the table")
    document.write_text(f"{before}{mark}{lines}\n{end}{after}", encoding="utf-8")


def installed(options, kernels):
    """Writes a kernelspec for each kind; gives their names with the steps that they can do."""
    program = [options.pellucid, "kernel", "-f", "{connection_file}", "--engine"]
    specs = {"pellucid": ([*program, "direct"], steps.PELLUCID), "pellucid, evcxr engine": ([*program, "evcxr"], steps.EVCXR)}
    if options.stock:
        specs["stock evcxr"] = ([options.stock, "--control_file", "{connection_file}"], steps.STOCK)
    if options.peer_python:
        specs["Python, PyTorch"] = ([options.peer_python, "-m", "ipykernel_launcher", "-f", "{connection_file}"], steps.PYTHON)
    for name, (argv, _) in specs.items():
        folder = kernels / slug(name)
        folder.mkdir(parents=True)
        spec = {"argv": argv, "display_name": name, "language": "any", "interrupt_mode": "message"}
        (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    KernelSpecManager().ensure_native_kernel = False
    return {name: kind for name, (_, kind) in specs.items()}


def slug(name):
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())


def measured(kernel, kind):
    """Seconds of every step of one fresh kernel, and the memory of its processes in MiB before a model is loaded."""
    manager = KernelManager(kernel_name=slug(kernel))
    started = time.perf_counter()
    manager.start_kernel(stderr=open(os.devnull, "w"))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=PATIENCE)
        figures = {"ready": time.perf_counter() - started}
        execute(client, kind["nothing"])
        figures["memory"] = resident(manager.provisioner.pid)
        if kind.get("first"):
            execute(client, kind["first"])
            figures["first"] = time.perf_counter() - started
        for step in ("sum", "call", "frame"):
            if kind.get(step):
                execute(client, kind[f"{step} warm"])
                begun = time.perf_counter()
                execute(client, kind[step])
                figures[step] = time.perf_counter() - begun
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return {name: round(value, 3) for name, value in figures.items()}


def execute(client, code):
    """Runs a cell and waits for its reply and for the kernel to be idle again; a failed cell is a failed measurement."""
    shown = []
    reply = client.execute_interactive(code, timeout=PATIENCE, output_hook=shown.append)
    if reply["content"]["status"] != "ok":
        raise SystemExit(f"the cell failed:\n{code}\n{json.dumps(reply['content'], indent=1)}")
    errors = [message["content"]["text"] for message in shown if message["msg_type"] == "stream" and "panicked" in message["content"]["text"]]
    if errors:
        raise SystemExit(f"the cell panicked:\n{code}\n{errors[0]}")


def resident(root):
    """Proportional resident memory of a process and all below it, in MiB."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    family, grown = {root}, True
    while grown:
        children = {pid for pid, parent in parents.items() if parent in family} - family
        family, grown = family | children, bool(children)
    return sum(proportional(pid) for pid in family)


def proportional(pid):
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def processor():
    names = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return f"{names[0]}, {len(names)} cores"


def table(report):
    rows = {
        "ready": "kernel ready, s",
        "first": "fresh kernel to first explained lesion inline, s",
        "sum": "`2+2`, s",
        "call": "a cell that explains another lesion, s",
        "frame": "a chain over a data frame, s",
        "memory": "memory before a model, MiB",
    }
    lines = ["| | " + " | ".join(report["runs"]) + " |", "|:--|" + "--:|" * len(report["runs"])]
    for step, title in rows.items():
        cells = [median([run[step] for run in runs if step in run]) for runs in report["runs"].values()]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    runs = min(len(runs) for runs in report["runs"].values())
    return "\n".join([*lines, "", f"Medians of {runs} fresh kernels (least to most). {report['processor']}; {report['date']}."])


def median(values):
    if not values:
        return ""
    digits = 0 if statistics.median(values) > 30 else 2
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


if __name__ == "__main__":
    main()
