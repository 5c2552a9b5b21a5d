"""The GPU table that documents quote, from the committed results of one or more visits; what was not measured says so.

    python gpu_table.py [RESULTS.json ...]                  prints it
    python gpu_table.py --into README.md [RESULTS.json ...]  puts it between `<!-- bench: gpu -->` and `<!-- bench: end -->`

Without names it takes `results/gpu*.json` beside this file: those of `pellucid bench gpu`, whose products may have been taken in
several ways, and those of `gpu_peers.py`. What cannot be read or must not be published is named below the table, and the rest is shown.
"""

import argparse
from pathlib import Path

import table
from gpu_found import AS_FOUND, ENOUGH, Found, median, number, products
from gpu_targets import NOT_MEASURED, TARGETS

HERE = Path(__file__).resolve().parent
NAMES = table.NAMES | {"vit_base_patch16_384": "ViT-B/16-384", "vit_huge_patch14_224": "ViT-H/14-224"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="*", type=Path)
    parser.add_argument("--into", type=Path, help="a document with marks")
    options = parser.parse_args()
    lines = gpu(Found(options.results or sorted((HERE / "results").glob("gpu*.json"))))
    if options.into:
        table.fill(options.into, {"gpu": lines})
    else:
        print(lines)


def gpu(found):
    """Targets with what was measured, then every row, then what it was measured on."""
    lines = ["| one H200, bf16 | target | stretch | measured |", "|:--|--:|--:|--:|"]
    for target in TARGETS:
        lines.append(f"| {target.goal} | {target.target} | {target.stretch} | {target.measured(found)} |")
    if found.ours:
        lines += ["", *ladder(found)]
    return "\n".join(lines + ["", *notes(found)])


def ladder(found):
    """Every row of ours, and the fastest peer that makes the same."""
    lines = [
        "| model | numbers | batch | task | computing, ms (quartiles) | of the floor | elapsed, ms | end to end, ms | peak, MiB | fastest peer, ms | peer / ours |",
        "|:--|:--|--:|:--|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for (model, precision, batch, task, way), row in found.ours.items():
        head = f"| {NAMES.get(model, model)} | {precision} | {batch} | {task}{'' if way == AS_FOUND else f', {way} products'} |"
        if median(row, "computing") is None:
            why = row.get("left_out") or f"only {len(row['computing']['raw'])} runs of {ENOUGH}"
            lines.append(f"{head} {NOT_MEASURED}: {why} | | | | | | |")
            continue
        time, peer = row["computing"], found.fastest(model, precision, batch, task)
        share, bytes_ = row.get("share_of_floor"), row.get("peak_bytes")
        cells = [
            f"{time['median']:.3f} ({time['first_quartile']:.3f} to {time['third_quartile']:.3f})",
            f"{100 * share:.0f} %" if number(share) else "",
            f"{row['elapsed']['median']:.3f}",
            f"{row['end_to_end']['median']:.2f}",
            f"{bytes_ / table.MIB:.0f}" if number(bytes_) else "",
            "" if peer is None else f"{peer[0]:.3f} ({peer[1]})",
            "" if peer is None else f"**{peer[0] / row['elapsed']['median']:.2f}**",
        ]
        lines.append(f"{head} {' | '.join(cells)} |")
    return lines


def notes(found):
    lines = [f"Left aside: {why}." for why in found.refused]
    if not found.reports:
        return lines + ["No results of a GPU are committed."]
    lines.append("Medians of at least 30 replays on random numbers, by the device's events; a ratio above 1: ours is faster.")
    return lines + [ours(report) if "machine" in report else peers(report) for report in found.reports]


def ours(report):
    machine, gates = report["machine"], len(report.get("gates", []))
    return (
        f"{report['made_by']}, products {products(report)}{ways(machine)}: {machine['name']}, CUDA {machine['cuda']}, {clocks(machine)};"
        f" seed {report['seed']}, {gates or 'no'} gates passed, kernels {machine['kernels'][:12]}; {report['when']}."
    )


def ways(machine):
    """What products went through, and what was passed over for it."""
    told = []
    for precision, way in (machine.get("ways") or {}).items():
        if isinstance(way, dict):
            over = f", passed over: {'; '.join(way['passed_over'])}" if way.get("passed_over") else ""
            told.append(f"{precision} through {way.get('through')}{' ' + way['version'] if way.get('version') else ''}{over}")
    return f" ({'; '.join(told)})" if told else ""


def clocks(machine):
    """Of a device that has just worked: before a run it idles, and its clocks say nothing of the run."""
    before, after = [(said or "").strip().splitlines() for said in machine["found"]]
    if after:
        return f"right after the run {after[-1]}"
    return f"before the run {before[-1]}, clocks under load unknown" if before else "clocks unknown"


def peers(report):
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    missing = f"; missing: {', '.join(report['missing'])}" if report["missing"] else ""
    speeds = [row["clocks"]["sm_mhz"] for row in report["rows"] if row.get("clocks")]
    told = f", {min(speeds):.0f} to {max(speeds):.0f} MHz right after rows" if speeds else ", clocks unknown"
    return f"Peers: {versions}, {report.get('device', 'no device')}{told}{missing}; {report['when']}."


if __name__ == "__main__":
    main()
