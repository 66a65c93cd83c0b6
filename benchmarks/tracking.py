"""Count how often moving objects lose their ids, in rendered sequences that are seeded.

    python benchmarks/tracking.py [--sequences 6] [--seed 0] [--json]

Shapes move behind pillars and one another, leave the image and return, while the camera shakes and detections
are missed; the tracker sees their visible masks, at 10 to 30 Hz with uneven intervals. It is compared with
`GreedyIou`, which only compares each mask with the last one. For each kind of sequence the table has:

- switches: frames in which an object has another id than when it was last seen;
- taken: those of them in which the id belonged to another object before;
- lost: of the gaps of 0.3 to 1.2 s in which an object was not seen, those after which its id did not return;
- ids: how many ids an object had, on average;
- IDF1: the F1 score of identities (Ristani et al., 2016) in percent;
- ms: time of an update.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from dmmi_core.cli.program import aligned
from dmmi_core.result import Instance, Roi
from dmmi_core.tracking import Tracker

HEIGHT, WIDTH = 240, 320
DURATION_S = 12.0
RATES_HZ = (10.0, 15.0, 30.0)
DROPPED = 0.05
"""Share of the frames that the node drops for newer ones."""
MIN_AREA, MIN_VISIBLE = 24, 0.1
"""The least that is detected of an object: in pixels, and as a share of its silhouette."""
GAP_S = (0.3, 1.2)
STEP_S = 1 / 60
TURN_S = 0.2
"""Time constant with which an object changes its velocity."""


@dataclass(frozen=True)
class Kind:
    """A kind of sequence; lengths in pixels, speeds in pixels per second.

    `outside` is how far objects go beyond the image before they turn. `shake` is the standard deviation of
    the camera's motion. `missed` is the share of detections that are missed, `false` the number of false
    ones in a frame.
    """

    objects: int = 4
    speed: tuple[float, float] = (30, 90)
    pillars: int = 0
    outside: float = -20
    shake: float = 0
    missed: float = 0
    false: float = 0


KINDS = {
    "crossing": Kind(objects=6),
    "fast": Kind(speed=(100, 200)),
    "behind pillars": Kind(pillars=2),
    "leaving": Kind(outside=70),
    "shaking camera": Kind(shake=10),
    "missed detections": Kind(missed=0.2, false=0.05),
    "all of these": Kind(objects=5, speed=(30, 120), pillars=1, outside=50, shake=6, missed=0.1, false=0.05),
}


@dataclass(frozen=True)
class Detection:
    """The instance of an object, by its number; None for a false detection."""

    object: int | None
    instance: Instance


@dataclass(frozen=True)
class Frame:
    stamp: float
    detections: tuple[Detection, ...]


class Shape:
    """A star-shaped outline that moves with random accelerations and turns back at the ends of its range."""

    def __init__(self, kind: Kind, rng: np.random.Generator) -> None:
        angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        waves = sum(rng.normal(0, 0.12) * np.sin(n * angles + rng.uniform(0, 2 * np.pi)) for n in (2, 3, 4))
        radius = rng.uniform(16, 28)
        stretch = np.array([rng.uniform(0.7, 1.1), rng.uniform(0.9, 1.3)])
        unit = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        self._outline = radius * (1 + waves)[:, None] * unit * stretch
        self._low = np.array([-kind.outside, 40.0])
        self._high = np.array([WIDTH + kind.outside, HEIGHT - 40.0])
        self._centre = rng.uniform(self._low, self._high)
        heading = rng.choice([-1, 1])
        self._wanted = rng.uniform(*kind.speed) * np.array([heading, rng.normal(0, 0.15)])
        self._velocity = self._wanted
        self._agility = np.array([0.15, 0.08]) * np.linalg.norm(self._wanted)
        self._growth = rng.uniform(-0.02, 0.02)
        self._scale = 1.0
        self._rng = rng

    def move(self) -> None:
        self._wanted = self._wanted + self._agility * np.sqrt(STEP_S) * self._rng.normal(size=2)
        self._velocity = self._velocity + (self._wanted - self._velocity) * STEP_S / TURN_S
        self._centre = self._centre + self._velocity * STEP_S
        self._scale *= 1 + self._growth * STEP_S
        speed = np.abs(self._wanted)
        self._wanted = np.where(self._centre < self._low, speed, self._wanted)
        self._wanted = np.where(self._centre > self._high, -speed, self._wanted)

    def silhouette(self, shift: np.ndarray) -> np.ndarray:
        """Return the pixels of the whole shape, seen by a camera moved by `shift`: bool (H, W)."""
        return filled(self._scale * self._outline + self._centre - shift)


def filled(outline: np.ndarray) -> np.ndarray:
    canvas = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(canvas, [np.rint(outline).astype(np.int32)], 1)
    return canvas.astype(bool)


class Camera:
    """Shakes around its place: a random walk with a return."""

    def __init__(self, shake: float, rng: np.random.Generator) -> None:
        self.shift = np.zeros(2)
        self._shake, self._rng, self._velocity = shake, rng, np.zeros(2)

    def move(self) -> None:
        # A damped oscillator of 1.5 Hz, driven by noise that gives its place the deviation `shake`.
        pull, damping = (2 * np.pi * 1.5) ** 2, 6.0
        push = self._shake * np.sqrt(2 * damping * pull / STEP_S) * self._rng.normal(size=2)
        self._velocity += STEP_S * (push - pull * self.shift - damping * self._velocity)
        self.shift = self.shift + STEP_S * self._velocity


def sequence(kind: Kind, seed: int) -> list[Frame]:
    """Render the frames of a sequence; object 0 is the nearest to the camera."""
    rng = np.random.default_rng(seed)
    shapes = [Shape(kind, rng) for _ in range(kind.objects)]
    camera = Camera(kind.shake, rng)
    pillars = [(WIDTH * (n + 0.5) / kind.pillars, rng.uniform(60, 110)) for n in range(kind.pillars)]
    rate = rng.choice(RATES_HZ)
    frames, due = [], 0.0
    blind: dict[int, float] = defaultdict(float)
    for step in range(int(DURATION_S / STEP_S)):
        for moving in (*shapes, camera):
            moving.move()
        now = step * STEP_S
        if now < due:
            continue
        due = now + rng.uniform(0.7, 1.3) / rate
        if rng.random() >= DROPPED:
            seen = _visible(shapes, pillars, camera.shift)
            frames.append(Frame(now, tuple(_detected(seen, kind, blind, now, rng))))
    return frames


def _visible(
    shapes: Sequence[Shape], pillars: Sequence[tuple[float, float]], shift: np.ndarray
) -> dict[int, np.ndarray]:
    """Return the largest visible part of each object of which enough is visible."""
    free = np.ones((HEIGHT, WIDTH), bool)
    for x, width in pillars:
        left = x - width / 2 - shift[0]
        free[:, max(0, int(left)) : max(0, int(left + width))] = False
    parts = {}
    for index, shape in enumerate(shapes):
        silhouette = shape.silhouette(shift)
        visible = silhouette & free
        free &= ~silhouette
        if visible.any():
            _, labels, stats, _ = cv2.connectedComponentsWithStats(visible.astype(np.uint8), connectivity=4)
            part = labels == 1 + np.argmax(stats[1:, cv2.CC_STAT_AREA])
            if part.sum() >= max(MIN_AREA, MIN_VISIBLE * silhouette.sum()):
                parts[index] = part
    return parts


def _detected(
    seen: dict[int, np.ndarray],
    kind: Kind,
    blind: dict[int, float],
    now: float,
    rng: np.random.Generator,
) -> Iterator[Detection]:
    """Yield the detections of a frame, with uneven edges, in no order; misses last up to 0.4 s."""
    detections = []
    for index, mask in seen.items():
        if now >= blind[index] and rng.random() < kind.missed / 3:
            blind[index] = now + rng.uniform(0, 0.4)
        if now < blind[index]:
            continue
        size = rng.choice([1, 2, 3])
        change = cv2.erode if rng.random() < 0.5 else cv2.dilate
        noisy = change(mask.astype(np.uint8), np.ones((size, size), np.uint8)).astype(bool)
        if noisy.sum() >= MIN_AREA:
            detections.append(Detection(index, _instance(noisy)))
    if rng.random() < kind.false:
        x, y, width, height = rng.uniform([0, 0, 12, 12], [WIDTH - 40, HEIGHT - 40, 40, 40])
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * (width, height) + (x, y)
        detections.append(Detection(None, _instance(filled(corners))))
    yield from (detections[index] for index in rng.permutation(len(detections)))


def _instance(mask: np.ndarray) -> Instance:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    roi = Roi(int(columns[0]), int(rows[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)
    return Instance(1, 0.9, int(mask.sum()), roi, mask[roi.slices])


class GreedyIou:
    """The baseline: pairs of highest IoU first, at least 0.2; an id ends after 5 frames without a match."""

    def __init__(self) -> None:
        self._ids = count(1)
        self._tracks: list[tuple[Instance, int]] = []

    def update(self, instances: tuple[Instance, ...], *, stamp: float) -> tuple[Instance, ...]:
        pairs = [
            (iou, index, old)
            for index, instance in enumerate(instances)
            for old, (track, _) in enumerate(self._tracks)
            if (iou := instance.iou(track)) >= 0.2
        ]
        matches: dict[int, int] = {}
        for _, index, old in sorted(pairs, key=lambda pair: -pair[0]):
            if index not in matches and old not in matches.values():
                matches[index] = old
        named = tuple(
            replace(item, id=self._tracks[matches[i]][0].id if i in matches else next(self._ids))
            for i, item in enumerate(instances)
        )
        lost = [pair for old, pair in enumerate(self._tracks) if old not in matches.values()]
        kept = [(instance, missed + 1) for instance, missed in lost if missed < 5]
        self._tracks = [*((item, 0) for item in named), *kept]
        return named


@dataclass
class Counts:
    """The figures of one tracker for one kind of sequence, summed over sequences."""

    switches: int = 0
    taken: int = 0
    gaps: int = 0
    lost: int = 0
    objects: int = 0
    ids: int = 0
    matched: int = 0
    detections: int = 0
    times: list[float] = field(default_factory=list)

    def add(self, frames: Sequence[Frame], tracker: Any) -> None:
        """Run a new tracker over a sequence."""
        owners: dict[int, int | None] = {}
        last: dict[int, tuple[int, float]] = {}
        shared: dict[tuple[int | None, int], int] = defaultdict(int)
        for frame in frames:
            start = time.perf_counter()
            named = tracker.update(tuple(item.instance for item in frame.detections), stamp=frame.stamp)
            self.times.append(time.perf_counter() - start)
            for detection, instance in zip(frame.detections, named, strict=True):
                self._add_detection(detection.object, instance.id, frame.stamp, owners, last)
                shared[detection.object, instance.id] += 1
            for detection, instance in zip(frame.detections, named, strict=True):
                owners.setdefault(instance.id, detection.object)
        self._add_identities(shared)

    def _add_detection(
        self,
        number: int | None,
        id_: int,
        stamp: float,
        owners: dict[int, int | None],
        last: dict[int, tuple[int, float]],
    ) -> None:
        self.detections += 1
        if number is None:
            return
        if number in last:
            old, seen = last[number]
            self.switches += id_ != old
            self.taken += id_ != old and owners.get(id_, number) != number
            if GAP_S[0] <= stamp - seen <= GAP_S[1]:
                self.gaps += 1
                self.lost += id_ != old
        last[number] = (id_, stamp)

    def _add_identities(self, shared: dict[tuple[int | None, int], int]) -> None:
        true = {pair: frames for pair, frames in shared.items() if pair[0] is not None}
        numbers = sorted({number for number, _ in true})
        ids = sorted({id_ for _, id_ in true})
        self.objects += len(numbers)
        self.ids += len(true)
        together = np.array([[true.get((number, id_), 0) for id_ in ids] for number in numbers])
        self.matched += int(together[linear_sum_assignment(together, maximize=True)].sum())

    def row(self) -> dict[str, float]:
        return {
            "switches": self.switches,
            "taken": self.taken,
            "lost": self.lost,
            "gaps": self.gaps,
            "ids": self.ids / self.objects,
            "IDF1": 100 * self.matched / self.detections,
            "ms": 1e3 * float(np.median(self.times)),
        }


TRACKERS: dict[str, Callable[[], Any]] = {"GreedyIou": GreedyIou, "Tracker": Tracker}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sequences", type=int, default=6, help="sequences of each kind")
    parser.add_argument("--seed", type=int, default=0, help="the first sequence's seed")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for name, kind in KINDS.items():
        counts = {tracker: Counts() for tracker in TRACKERS}
        for seed in range(arguments.seed, arguments.seed + arguments.sequences):
            frames = sequence(kind, seed)
            for tracker, make in TRACKERS.items():
                counts[tracker].add(frames, make())
        figures[name] = {tracker: counts[tracker].row() for tracker in TRACKERS}
    print(json.dumps(figures, indent=2) if arguments.json else table(figures))


def table(figures: dict[str, dict[str, dict[str, float]]]) -> str:
    rows = [("sequences", "tracker", "switches", "taken", "lost", "ids", "IDF1", "ms")]
    for kind, trackers in figures.items():
        for tracker, row in trackers.items():
            lost = f"{row['lost']:.0f} of {row['gaps']:.0f}"
            cells = (f"{row[name]:.0f}" for name in ("switches", "taken"))
            rest = (f"{row['ids']:.2f}", f"{row['IDF1']:.1f}", f"{row['ms']:.2f}")
            rows.append((kind, tracker, *cells, lost, *rest))
    return aligned(rows)


if __name__ == "__main__":
    main()
