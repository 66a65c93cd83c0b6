"""Tracking: objects keep their ids from frame to frame."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle

from dmmi_core.result import Instance, Result

MIN_IOU = 0.2
"""IoU below which two masks are different objects; low, as objects may move half their width in a frame."""
MAX_MISSED = 5
HIGHEST_ID = 2**16 - 1
"""Largest id that a label image can hold; after it, ids start again at 1."""


@dataclass
class _Track:
    """An object as it was last seen, `missed` frames ago."""

    instance: Instance
    missed: int = 0


class Tracker:
    """Gives instances ids that persist over the frames of one camera and one request.

    Instances are assigned to tracks greedily, the pair of highest IoU first. An instance without a track
    starts a new one, whose id was not used before. A track ends after more than `max_missed` frames in a
    row without an instance.
    """

    def __init__(self, *, max_missed: int = MAX_MISSED) -> None:
        self._max_missed = max_missed
        self._ids = self._unused_ids()
        self._tracks: list[_Track] = []

    def update(self, instances: tuple[Instance, ...]) -> tuple[Instance, ...]:
        """Return the instances of the next frame, in their order, with persistent ids."""
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

    def __init__(self) -> None:
        self._trackers: dict[str, Tracker] = {}

    def update(self, results: Sequence[Result], *, requests: Sequence[str]) -> list[Result]:
        """Return the results for the next frame with persistent ids.

        There is one result for each of `requests`, except those that failed. Tracks of a request end with
        the first frame that lacks it in `requests`.
        """
        self._trackers = {text: self._trackers.get(text, Tracker()) for text in requests}
        return [
            replace(result, instances=self._trackers[result.text].update(result.instances))
            for result in results
        ]


def _assign(instances: tuple[Instance, ...], tracks: list[_Track]) -> dict[int, int]:
    """Match instances and tracks greedily by IoU; return the id of the track for each matched index."""
    pairs = [
        (iou, index, track.instance.id)
        for index, instance in enumerate(instances)
        for track in tracks
        if (iou := instance.iou(track.instance)) >= MIN_IOU
    ]
    ids: dict[int, int] = {}
    for _, index, id_ in sorted(pairs, key=lambda pair: -pair[0]):
        if index not in ids and id_ not in ids.values():
            ids[index] = id_
    return ids
