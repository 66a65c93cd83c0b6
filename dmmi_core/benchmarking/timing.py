"""Latencies of several engines that run in turn, so that other load on the machine affects all alike."""

import time
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from dmmi_core.segmenter import Segmenter

WARM_UP = 2
"""First runs of each engine, which do not count."""
Name = TypeVar("Name", bound=Hashable)


def run_in_turn(
    segmenters: Mapping[Name, Segmenter], images: Sequence[np.ndarray], texts: Sequence[str], runs: int
) -> dict[Name, list[dict[str, float]]]:
    """Return the milliseconds of each step and their `total`, for each segmenter and run."""
    laps: dict[Name, list[dict[str, float]]] = {name: [] for name in segmenters}
    for _ in range(WARM_UP + runs):
        for name, segmenter in segmenters.items():
            start = time.perf_counter()
            results = segmenter.batch(images, texts)
            total = 1e3 * (time.perf_counter() - start)
            laps[name].append({**results[0].timing_ms, "total": total})
    return {name: values[WARM_UP:] for name, values in laps.items()}


def summary(laps: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the median, `<step>_ms`, and the 99th percentile, `<step>_p99_ms`, of each step."""
    found = {}
    for step in laps[0]:
        values = [lap[step] for lap in laps]
        found[f"{step}_ms"] = float(np.median(values))
        found[f"{step}_p99_ms"] = float(np.percentile(values, 99))
    return found


def new_text_ms(segmenter: Segmenter, runs: int) -> float:
    """Return the median time, in ms, to encode a text that was not encoded before."""
    seconds = []
    for number in range(WARM_UP + runs):
        pieces = segmenter.word_pieces(f"the {number} cups on the left side")
        start = time.perf_counter()
        segmenter.engine.encode(pieces.ids, pieces.mask)
        seconds.append(time.perf_counter() - start)
    return 1e3 * float(np.median(seconds[WARM_UP:]))
