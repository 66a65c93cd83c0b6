"""Fleets of bags with red boxes, their commands and their ground truth."""

import json
from pathlib import Path

from dmmi_core.data.samples import encode_mask
from helpers.recordings import (
    SECOND,
    SIDE,
    STAMP_OFFSET,
    START,
    TOPIC,
    box_mask,
    raw,
    red_boxes,
    write_bag,
)
from helpers.tiny import ABSENT, PRESENT

BOXES = {
    "north/drive": [((5, 5, 10, 10),), ((5, 5, 10, 10), (30, 20, 10, 20)), ()],
    "south/drive": [((6, 6, 12, 8),), ((20, 30, 9, 9),)],
    "west": [((40, 40, 8, 8), (5, 5, 10, 10)), ((1, 1, 30, 11),), ((1, 2, 30, 11),), ()],
}
"""The red boxes of each second of each bag."""
FRAMES = [(day, at) for day, name in enumerate(BOXES) for at in range(len(BOXES[name]))]
"""The day and the second of each frame."""
TRUE_BOXES = [(5, 5, 10, 10 - number % 5) for number in range(len(FRAMES))]
"""The target of each frame, says the ground truth."""


def write_fleet(folder: Path, names=tuple(BOXES)) -> Path:
    """Write bags that were recorded one day after the other."""
    for day, name in enumerate(BOXES):
        start = START + day * 86400 * SECOND
        frames = [
            (TOPIC, start + at * SECOND, raw(red_boxes(*boxes), start + at * SECOND))
            for at, boxes in enumerate(BOXES[name])
        ]
        if name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write_bag(folder / name, frames)
    return folder


def write_questions(folder: Path) -> list:
    """Write commands and ground truth; return the arguments that name them."""
    folder.mkdir(exist_ok=True)
    commands, truth = folder / "commands.jsonl", folder / "truth.jsonl"
    commands.write_text(json.dumps({"at": 0, "command": f"{PRESENT}\n{ABSENT}"}) + "\n")
    samples = [
        {
            "topic": TOPIC,
            "stamp": START + (day * 86400 + at) * SECOND + STAMP_OFFSET,
            "text": PRESENT,
            "kind": "one",
            "height": SIDE,
            "width": SIDE,
            "segmentations": [encode_mask(box_mask(*box))],
        }
        for (day, at), box in zip(FRAMES, TRUE_BOXES, strict=True)
    ]
    truth.write_text("".join(json.dumps(sample) + "\n" for sample in samples))
    return ["--commands", commands, "--ground-truth", truth]


def without_times(figures: dict) -> dict:
    """Return figures without what differs from run to run."""
    if isinstance(figures, dict):
        return {
            name: without_times(value)
            for name, value in figures.items()
            if name not in ("latency_ms", "elapsed_seconds")
        }
    return [without_times(value) for value in figures] if isinstance(figures, list) else figures
