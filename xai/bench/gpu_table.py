"""The GPU table that documents quote, from the committed results of one or more visits; what was not measured says so.

    python gpu_table.py [RESULTS.json ...]                  prints it
    python gpu_table.py --into README.md [RESULTS.json ...]  puts it between `<!-- bench: gpu -->` and `<!-- bench: end -->`

Without names it takes `results/gpu*.json` beside this file: those of `pellucid bench gpu`, whose products may have been taken in
several ways, and those of `gpu_peers.py`.
"""

import argparse
import json
from pathlib import Path

import table
from gpu_targets import NOT_MEASURED, TARGETS

HERE = Path(__file__).resolve().parent
NAMES = table.NAMES | {"vit_base_patch16_384": "ViT-B/16-384", "vit_huge_patch14_224": "ViT-H/14-224"}
ENOUGH = 30  # Replays of a figure to publish.


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="*", type=Path)
    parser.add_argument("--into", type=Path, help="a document with marks")
    options = parser.parse_args()
    files = options.results or sorted((HERE / "results").glob("gpu*.json"))
    lines = gpu([json.loads(file.read_text(encoding="utf-8")) for file in files])
    if options.into:
        table.fill(options.into, {"gpu": lines})
    else:
        print(lines)


def gpu(reports):
    """Targets with what was measured, then every row, then what it was measured on."""
    found = Found(reports)
    lines = ["| one H200, bf16 | target | stretch | measured |", "|:--|--:|--:|--:|"]
    for target in TARGETS:
        lines.append(f"| {target.goal} | {target.target} | {target.stretch} | {target.measured(found)} |")
    if found.ours:
        lines += ["", *ladder(found)]
    return "\n".join(lines + ["", *notes(found)])


class Found:
    """Rows of all results by model, precision, batch and task (ours) or recipe (peers); of what must not be published, none."""

    def __init__(self, reports):
        self.reports = [report for report in reports if refusal(report) is None]
        self.refused = [why for report in reports if (why := refusal(report))]
        self.ours, self.peers = {}, {}
        for report in self.reports:
            for row in report.get("ladder", []):
                products = report["machine"]["products"]
                self.ours[row["model"], row["precision"], row["batch"], row["task"], products] = row
            for row in report.get("rows", []):
                self.peers[row["model"], row["precision"], row["batch"], row["recipe"]] = row

    def own(self, model, batch, task, precision="bf16", products="as found", clock="elapsed"):
        """Median milliseconds of ours, or None."""
        return median(self.ours.get((model, precision, batch, task, products)), clock)

    def peer(self, model, batch, recipe, precision="bf16"):
        return median(self.peers.get((model, precision, batch, recipe)), "elapsed")


def refusal(report):
    """Why a result is no figure; nothing where it is one."""
    machine = report.get("machine", {})
    if machine.get("emulated"):
        return "an emulated device has no speed"
    if report.get("quick"):
        return "a quick run has no figures"
    failed = sum(not gate["passed"] for gate in report.get("gates", []))
    return f"{failed} gates of parity failed" if failed else None


def median(row, clock):
    if row is None or clock not in row or len(row[clock]["raw"]) < ENOUGH:
        return None
    return row[clock]["median"]


def ladder(found):
    """Every row of ours, and the fastest peer that makes the same."""
    lines = [
        "| model | numbers | batch | task | computing, ms (quartiles) | of the floor | elapsed, ms | end to end, ms | peak, MiB | fastest peer, ms | peer / ours |",
        "|:--|:--|--:|:--|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for (model, precision, batch, task, products), row in found.ours.items():
        head = f"| {NAMES.get(model, model)} | {precision} | {batch} | {task}{'' if products == 'as found' else f', {products} products'} |"
        if "left_out" in row or median(row, "computing") is None:
            runs = len(row.get("computing", {"raw": []})["raw"])
            why = row.get("left_out", f"only {runs} runs of {ENOUGH}")
            lines.append(f"{head} {NOT_MEASURED}: {why} | | | | | | |")
            continue
        time, peer = row["computing"], fastest(found, model, precision, batch, task)
        share = "" if row["share_of_floor"] is None else f"{100 * row['share_of_floor']:.0f} %"
        ratio = "" if peer is None else f"**{peer[0] / row['elapsed']['median']:.2f}**"
        theirs = "" if peer is None else f"{peer[0]:.3f} ({peer[1]})"
        lines.append(
            f"{head} {time['median']:.3f} ({time['first_quartile']:.3f} to {time['third_quartile']:.3f}) | {share}"
            f" | {row['elapsed']['median']:.3f} | {row['end_to_end']['median']:.2f} | {row['peak_bytes'] / table.MIB:.0f} | {theirs} | {ratio} |"
        )
    return lines


def fastest(found, model, precision, batch, task):
    """Median and name of the fastest recipe for a task, or None."""
    rows = [row for key, row in found.peers.items() if key[:3] == (model, precision, batch) and row["task"] == task]
    times = [(time, row["recipe"]) for row in rows if (time := median(row, "elapsed")) is not None]
    return min(times, default=None)


def notes(found):
    lines = [f"Left aside: {why}." for why in found.refused]
    if not found.reports:
        return lines + ["No results of a GPU are committed."]
    lines.append("Medians of at least 30 replays on random numbers, by the device's events; a ratio above 1: ours is faster.")
    for report in found.reports:
        if "machine" in report:
            machine = report["machine"]
            clocks = (machine["found"][0] or "clocks unknown").splitlines()[-1]
            lines.append(
                f"{report['made_by']}, products {machine['products']}: {machine['name']}, CUDA {machine['cuda']}, {clocks}; seed {report['seed']},"
                f" {len(report['gates'])} gates passed, kernels {machine['kernels'][:12]}; {report['when']}."
            )
        else:
            versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
            missing = f"; missing: {', '.join(report['missing'])}" if report["missing"] else ""
            lines.append(f"Peers: {versions}, {report.get('device', 'no device')}{missing}; {report['when']}.")
    return lines


if __name__ == "__main__":
    main()
