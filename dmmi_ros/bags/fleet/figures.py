"""The figures of a fleet: of each bag and in total."""

from collections.abc import Sequence
from heapq import nsmallest
from typing import Any

from dmmi_ros.bags.fleet.job import BagResult, Job
from dmmi_ros.bags.summary import SCORES, Summary

WORST = 24
"""Number of the worst answers of all bags."""


def fleet_figures(jobs: Sequence[Job], results: Sequence[BagResult]) -> dict[str, Any]:
    """Return all figures as JSON has them; see docs/bags.md.

    Bags are added up in the order of `jobs`, so the sums do not depend on who evaluated them, and when.
    """
    return {
        "bags": [_of_bag(result) for result in results],
        "failed": sum(bool(result.error) for result in results),
        "total": _total(jobs, results),
        "worst": _worst(results),
    }


def _of_bag(result: BagResult) -> dict[str, Any]:
    if result.error:
        return {"bag": result.name, "error": result.error}
    return {
        "bag": result.name,
        "engine": result.engine,
        "elapsed_seconds": result.elapsed_seconds,
        **result.figures,
    }


def _total(jobs: Sequence[Job], results: Sequence[BagResult]) -> dict[str, Any]:
    good = [(job, result) for job, result in zip(jobs, results, strict=True) if not result.error]
    summary = Summary(scoring=_no_scores() if any(result.sums["scoring"] for _, result in good) else None)
    for _, result in good:
        summary.join(result.sums)
    total = {"skipped": [], **summary.to_dict()}
    for command in total["commands"]:
        del command["over_time"]
    if total["ground_truth"]:  # bags may share a file
        known = {
            str(job.options.ground_truth or job.name): result.figures["ground_truth"]["known"]
            for job, result in good
        }
        total["ground_truth"]["known"] = sum(known.values())
    total["elapsed_seconds"] = round(sum(result.elapsed_seconds for _, result in good), 3)
    return total


def _no_scores() -> Any:
    from dmmi_ros.bags.ground_truth import GroundTruth
    from dmmi_ros.bags.scoring import Scoring

    return Scoring(GroundTruth({}))


def _worst(results: Sequence[BagResult]) -> list[dict[str, Any]]:
    answers = [{"bag": result.name, **answer} for result in results for answer in result.worst]
    return nsmallest(WORST, answers, key=_goodness)


def _goodness(answer: dict[str, Any]) -> float:
    if answer["iou"] is not None:
        return answer["iou"]
    return abs(answer["presence"] - answer["presence_threshold"])


def bag_table(figures: dict[str, Any]) -> list[list[str]]:
    """Return the bags as a table: a row of titles, and a row for each bag."""
    has_scores = figures["total"]["scores"] is not None
    titles = ["bag", "seconds", "frames", "answered", "no target", "dropped", "broken"]
    rows = [
        [bag["bag"], "failed", *("" for _ in titles[2:]), *("" for _ in SCORES if has_scores)]
        if "error" in bag
        else [
            bag["bag"],
            f"{bag['seconds']:.1f}",
            str(sum(topic["frames"] for topic in bag["topics"].values())),
            *(
                str(sum(command[name] for command in bag["commands"]))
                for name in ("answered", "no_target", "dropped", "broken")
            ),
            *(_percent((bag["scores"] or {}).get(name)) for name in SCORES if has_scores),
        ]
        for bag in figures["bags"]
    ]
    return [[*titles, *(SCORES if has_scores else ())], *rows]


def remarks(figures: dict[str, Any]) -> list[str]:
    """Return what the tables have no place for, as lines."""
    lines = [f"{bag['bag']}: {bag['error']}" for bag in figures["bags"] if "error" in bag]
    engines = sorted({bag["engine"] for bag in figures["bags"] if bag.get("engine")})
    if len(engines) > 1:
        lines.append(f"engines differ, and so may results: {'; '.join(engines)}")
    total = figures["total"]
    lines.append(
        f"{total['seconds']:.1f} s of recording, evaluated in {total['elapsed_seconds']:.1f} s of work"
    )
    return lines


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
