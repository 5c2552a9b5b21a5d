"""Writes the tables that documents quote, from the results of `side_by_side.py` and `memory.py`.

    python table.py [RESULTS.json ...]                 prints them
    python table.py --into README.md [RESULTS.json ...] puts them between the marks in a document

A mark is a line `<!-- bench: speed -->` or `<!-- bench: memory -->`; its table ends with `<!-- bench: end -->`.
"""

import argparse
import json
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOUD = 0.1  # Cores used by other programs from which on figures are not to be published.
NAMES = {"vit_large_patch32_384": "ViT-L/32-384", "vit_base_patch16_224": "ViT-B/16-224", "dinov2_small": "DINOv2-S/14"}
MIB = 1 << 20


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="*", type=Path)
    parser.add_argument("--into", type=Path, help="a document with marks")
    options = parser.parse_args()
    files = options.results or [file for name in ("side_by_side", "memory") if (file := HERE / "results" / f"{name}.json").exists()]
    tables = {}
    for file in files:
        report = json.loads(file.read_text(encoding="utf-8"))
        kind = "speed" if "runs_per_turn" in report else "memory"
        tables[kind] = (speed if kind == "speed" else memory)(report)
    if options.into:
        fill(options.into, tables)
    else:
        print("\n\n".join(tables.values()))


def fill(document, tables):
    text = document.read_text(encoding="utf-8")
    for kind, lines in tables.items():
        pattern = re.compile(rf"(<!-- bench: {kind} -->\n).*?(<!-- bench: end -->)", re.DOTALL)
        text, found = pattern.subn(lambda marks: f"{marks[1]}{lines}\n{marks[2]}", text)
        if not found:
            raise SystemExit(f"{document} has no mark <!-- bench: {kind} -->")
    document.write_text(text, encoding="utf-8")


def speed(report):
    lines = [
        "| model | batch | ours | peer | ours, ms | peer, ms | peer / ours (range) |",
        "|:--|--:|:--|:--|--:|--:|--:|",
    ]
    for result in report["results"]:
        for contest in result["contests"]:
            low, high = contest["ratio_range"]
            own, theirs = short(contest["ours"], "pellucid "), short(contest["peer"], "")
            lines.append(
                f"| {NAMES[result['model']]} | {result['batch']} | {own} | {theirs} | {contest['ours_median_ms']:.1f}"
                f" | {contest['peer_median_ms']:.1f} | **{contest['ratio_median']:.2f}** ({low:.2f} to {high:.2f}) |"
            )
    return "\n".join(lines + [""] + [*peak_lines(report), *notes(report)])


def short(name, prefix):
    return name.removeprefix(prefix).removesuffix(" f32")


def peak_lines(report):
    """Achieved GFLOP/s of our passes beside what the processor can do."""
    peaks = {name: max(value, report.get("fma_peak_after", {}).get(name, 0.0)) for name, value in report["fma_peak"].items()}
    lines = ["| GFLOP/s | batch | GFLOP | forward | of the peak | forward + rollout | of the peak |", "|:--|--:|--:|--:|--:|--:|--:|"]
    for result in report["results"]:
        for precision, peak in (("f32", peaks.get("f32")), ("bf16", peaks.get("bf16"))):
            rates = [rate(result, f"pellucid {task} {precision}") for task in ("forward", "rollout")]
            if any(rates):
                cells = [cell for value in rates for cell in (figure(value), share(value, peak))]
                model = NAMES[result["model"]] + ("" if precision == "f32" else " bf16")
                lines.append(f"| {model} | {result['batch']} | {result['work']['forward_gflop']:.1f} | {' | '.join(cells)} |")
    measured = ", ".join(f"{name} {value:.0f}" for name, value in peaks.items())
    return [*lines, "", f"Measured peak in GFLOP/s, loops that only multiply and add: {measured or 'not measured'}.", ""]


def rate(result, name):
    milliseconds = result["medians_ms"].get(name)
    return result["work"]["forward_gflop"] / milliseconds * 1e3 if milliseconds else None


def figure(value):
    return "" if value is None else f"{value:.0f}"


def share(value, peak):
    return "" if value is None or not peak else f"{100 * value / peak:.0f} %"


def notes(report):
    machine = report["machine"]
    busy = max(result["cores_used_by_others"] for result in report["results"])
    idle = {worker["name"]: max(result["idle_cores"][worker["name"]] for result in report["results"]) for worker in report["workers"]}
    versions = "; ".join(", ".join(f"{name} {version}" for name, version in worker["versions"].items()) for worker in report["workers"])
    return [
        f"A ratio above 1: ours is faster. {machine['cpu']}, {machine['cores']} cores; {report['when']}. {versions}.",
        f"Cores used by other programs: {busy:.2f}{' (too loud to publish)' if busy > LOUD else ''}; by idle workers: "
        + ", ".join(f"{name} {cores:.2f}" for name, cores in idle.items())
        + ".",
    ]


def memory(report):
    lines = ["| model | batch | worker | task | loaded, MiB | peak, MiB | above loaded | above its forward | L·N²·4 |", "|:--|--:|:--|:--|--:|--:|--:|--:|--:|"]
    for result in report["results"]:
        allowed = result["work"]["fused_maps_bytes"] / MIB
        forward = {key(row): row for row in result["tasks"] if row["task"] == "forward"}
        for row in result["tasks"]:
            extra = (row["running_peak"] - row["loaded"]) / MIB
            bare = forward[key(row)]
            above = extra - (bare["running_peak"] - bare["loaded"]) / MIB
            task = row["task"] + ("" if row["precision"] == "f32" else " bf16")
            lines.append(
                f"| {NAMES[result['model']]} | {result['batch']} | {row['worker']} | {task} | {row['loaded'] / MIB:.0f}"
                f" | {max(row['loading_peak'], row['running_peak']) / MIB:.0f} | {extra:.1f} | {'' if row is bare else f'{above:.1f}'} | {allowed:.1f} |"
            )
    machine = report["machine"]
    return "\n".join(lines + ["", f"Resident memory of a process of its own, three runs. {machine['cpu']}, {machine['cores']} cores; {report['when']}."])


def key(row):
    return row["worker"], row["precision"]


if __name__ == "__main__":
    main()
