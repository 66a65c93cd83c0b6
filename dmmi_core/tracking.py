"""The same object keeps its id from frame to frame."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle

import numpy as np

from dmmi_core.result import Instance, Result

MIN_IOU = 0.2
"""Masks that overlap less are different objects. Low, as an object may move half its width in a frame."""
MAX_MISSED = 5
HIGHEST_ID = 2**16 - 1
"""What a label image holds; then ids begin again."""


@dataclass
class _Track:
    """An object as it was last seen, `missed` frames ago."""

    instance: Instance
    missed: int = 0


class Tracker:
    """Gives instances ids that hold over the frames of one camera and one request.

    An instance takes over the id of the track that its mask overlaps most. Of several that want the same
    one, the highest IoU goes first; what is left over is new and gets an id not used before, from 1. A
    track that no instance took over for more than `max_missed` frames in a row ends.
    """

    def __init__(self, *, max_missed: int = MAX_MISSED):
        self._max_missed = max_missed
        self._ids = self._unused_ids()
        self._tracks: list[_Track] = []

    def update(self, instances: tuple[Instance, ...]) -> tuple[Instance, ...]:
        """The instances of the next frame, in their order, with ids that hold."""
        known = _assign(instances, self._tracks)
        ids = [known[index] if index in known else next(self._ids) for index in range(len(instances))]
        named = tuple(replace(item, id=id_) for item, id_ in zip(instances, ids, strict=True))
        lost = [track for track in self._tracks if track.instance.id not in known.values()]
        for track in lost:
            track.missed += 1
        kept = [track for track in lost if track.missed <= self._max_missed]
        self._tracks = [*map(_Track, named), *kept]
        return named

    def _unused_ids(self) -> Iterator[int]:
        for id_ in cycle(range(1, HIGHEST_ID + 1)):
            if all(track.instance.id != id_ for track in self._tracks):
                yield id_


class Trackers:
    """One tracker for each request of one camera."""

    def __init__(self):
        self._trackers: dict[str, Tracker] = {}

    def update(self, results: Sequence[Result], *, requests: Sequence[str]) -> list[Result]:
        """The answers for the next frame, with ids that hold; one to each of `requests`, unless it failed.

        A request that the frame before had goes on; one that is gone begins anew if it comes back.
        """
        self._trackers = {text: self._trackers.get(text, Tracker()) for text in requests}
        return [
            replace(result, instances=self._trackers[result.text].update(result.instances))
            for result in results
        ]


def _assign(instances: tuple[Instance, ...], tracks: list[_Track]) -> dict[int, int]:
    """Which instance, by its index, takes over the id of which track: greedily, by IoU."""
    pairs = [
        (iou, index, track.instance.id)
        for index, instance in enumerate(instances)
        for track in tracks
        if (iou := mask_iou(instance, track.instance)) >= MIN_IOU
    ]
    ids: dict[int, int] = {}
    for _, index, id_ in sorted(pairs, key=lambda pair: -pair[0]):
        if index not in ids and id_ not in ids.values():
            ids[index] = id_
    return ids


def mask_iou(first: Instance, second: Instance) -> float:
    """Intersection over union of two masks of one image size; only where their boxes overlap is it looked."""
    left, top = max(first.roi.x, second.roi.x), max(first.roi.y, second.roi.y)
    right = min(first.roi.x + first.roi.width, second.roi.x + second.roi.width)
    bottom = min(first.roi.y + first.roi.height, second.roi.y + second.roi.height)
    if left >= right or top >= bottom:
        return 0.0
    crops = [
        item.mask[top - item.roi.y : bottom - item.roi.y, left - item.roi.x : right - item.roi.x]
        for item in (first, second)
    ]
    intersection = int(np.count_nonzero(crops[0] & crops[1]))
    return intersection / (first.area + second.area - intersection)
