"""What the results of visits to a GPU say, once what must not be published has been put aside; why is told of all of it."""

import json
import math

DEVICE = "H200"  # Whose table it is.
ENOUGH = 30  # Replays of a figure to publish.
AS_FOUND = "as found"
CLOCKS = ("computing", "elapsed", "end_to_end")


class Found:
    """Rows of all results by model, precision, batch and task (ours, with their products) or recipe (peers)."""

    def __init__(self, files):
        self.reports, self.refused, self.ours, self.peers = [], [], {}, {}
        for file in files:
            report, why = read(file)
            try:
                why = why or refusal(report) or self.twice(report)
            except (AttributeError, KeyError, TypeError) as error:
                why = f"it is not as this benchmark writes it: {error!r}"
            if why:
                self.refused.append(f"{why} ({file.name})")
            else:
                self.reports.append(report)
                self.take(report, file.name)

    def twice(self, report):
        """Of two results of one way, which one to believe is for people to say."""
        ours, peers = keyed(report)
        if ours.keys() & self.ours.keys() or peers.keys() & self.peers.keys():
            return f"a second result of {products(report) + ' products' if ours else 'peers'}: keep one of the two"
        return None

    def take(self, report, name):
        """All rows; of those that are no figures, why."""
        whys = {}
        for rows, all_rows in zip(keyed(report), (self.ours, self.peers)):
            for key, row in rows.items():
                why = None if "left_out" in row else row_refusal(report, row)
                if why:
                    whys[why] = whys.get(why, 0) + 1
                all_rows[key] = row | {"left_out": why} if why else row
        self.refused += [f"{count} rows: {why} ({name})" for why, count in whys.items()]

    def own(self, model, batch, task, precision="bf16", products=AS_FOUND, clock="elapsed"):
        """Median milliseconds of ours, or None."""
        return median(self.ours.get((model, precision, batch, task, products)), clock)

    def peer(self, model, batch, *recipes, precision="bf16"):
        """The fastest of these recipes, or None."""
        times = [median(self.peers.get((model, precision, batch, recipe)), "elapsed") for recipe in recipes]
        return min((time for time in times if time is not None), default=None)

    def fastest(self, model, precision, batch, task):
        """Median and name of the fastest recipe for a task, or None."""
        rows = [row for key, row in self.peers.items() if key[:3] == (model, precision, batch) and row["task"] == task]
        times = [(time, row["recipe"]) for row in rows if (time := median(row, "elapsed")) is not None]
        return min(times, default=None)


def read(file):
    """A result and nothing, or nothing and why."""
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        return None, f"it cannot be read: {error.strerror or error}"
    except ValueError as error:
        return None, f"it is no whole JSON, as of a run that was ended while it wrote: {error}"
    known = isinstance(report, dict) and report.get("kind") in ("pellucid bench gpu", "peers gpu")
    return (report, None) if known else (None, "it is no result of this benchmark")


def keyed(report):
    """Rows of ours and of peers, by what they are of."""
    way = products(report)
    ours = {(row["model"], row["precision"], row["batch"], row["task"], way): row for row in report.get("ladder", [])}
    return ours, {(row["model"], row["precision"], row["batch"], row["recipe"]): row for row in report.get("rows", [])}


def products(report):
    """The way that was asked for; `auto` asks for none."""
    asked = report.get("machine", {}).get("products")
    return AS_FOUND if asked in (None, "", "auto") else asked


def refusal(report):
    """Why a result is no figure; nothing where it is one."""
    machine = report.get("machine", {})
    if machine.get("emulated"):
        return "an emulated device has no speed"
    if report.get("quick"):
        return "a quick run has no figures"
    device = machine.get("name", report.get("device"))
    if DEVICE not in (device or "") and (machine or report.get("rows")):
        return f"{device or 'an unknown device'} is not the {DEVICE} of this table"
    gates = report.get("gates", [])
    if report.get("ladder") and not gates:
        return "nothing was held against the processor, so its rows may be times of anything: measure with --parts parity,ladder"
    failed = sum(not passed(gate) for gate in gates)
    return f"{failed} gates of parity failed" if failed else None


def passed(gate):
    return gate.get("passed") is True and number(gate.get("seen", 0.0))


def row_refusal(report, row):
    """Why one row is no figure."""
    ours = "machine" in report
    there = [row[clock] for clock in CLOCKS if clock in row]
    if len(there) < (len(CLOCKS) if ours else 1):
        return "there are no times"
    if not all(sound(times) for times in there):
        return "the times are no numbers"
    return other_way(report, row["precision"]) if ours else None


def other_way(report, precision):
    """Where products were asked to go one way, why it is not known that they did."""
    asked, way = products(report), (report["machine"].get("ways") or {}).get(precision)
    if asked == AS_FOUND:
        return None
    through = way.get("through") if isinstance(way, dict) else None
    if not through:
        return f"{asked} was asked for, and what products went through is not told"
    return None if way_of(through) == asked else f"{asked} was asked for, but products went through {through}"


def way_of(through):
    """The name by which a way is asked for: own kernels by warpgroups are `wgmma`."""
    return next((way for way in ("cublaslt", "wgmma", "own") if way in through.lower()), through)


def sound(times):
    values = [times.get(name) for name in ("median", "first_quartile", "third_quartile")] + list(times.get("raw") or [None])
    return all(number(value) and value > 0 for value in values)


def number(value):
    return isinstance(value, (int, float)) and math.isfinite(value)


def median(row, clock):
    if row is None or "left_out" in row or clock not in row or len(row[clock]["raw"]) < ENOUGH:
        return None
    return row[clock]["median"]
