"""Tracking: objects keep their ids from frame to frame, and through occlusions of about a second."""

from collections import deque
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import replace
from itertools import cycle
from statistics import median

import numpy as np

from dmmi_core.result import Instance, Result, Roi

HIGHEST_ID = 2**16 - 1
"""Largest id that a label image can hold; after it, ids start again at 1."""
MEMORY_S, MEMORY_FRAMES = 1.5, 5
"""A track ends if its object is not seen for this many seconds and usual frame intervals."""
FIRST_INTERVAL_S = 0.1
"""The usual frame interval before there were two stamps."""
MIN_IOU = 0.1
"""IoU from which a mask continues a track that the motion model has moved on."""

# The motion model's lengths are in sizes of the object, so that it holds at any distance and resolution.
NOISE = 0.05
"""Standard deviation of a measured centre."""
FIRST_SPEED = 4.0
"""Standard deviation of the velocity of an object that was seen once, per second."""
ACCELERATION = 10.0
"""Standard deviation of the acceleration, per second squared."""
REACH, MAX_REACH = 0.5, 2.0
"""How far from its prediction an object may turn up: `REACH` and two deviations, but at most `MAX_REACH`."""
SHRINKING_S = 3.0
"""Time constant with which the size follows masks that become smaller."""


class Track:
    """An object over time: its last mask, and a Kalman filter of constant velocity for its centre.

    The size is that of the whole object. Where something hides a part of it, the visible part is smaller, and
    the centre of the whole may lie anywhere where the whole covers the visible part. Of these points, the one
    closest to the prediction counts, so that an object that moves behind something does not seem to brake.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        """The object as it was last seen."""
        self.unseen = 0.0
        """Seconds since then."""
        self._is_lost = False  # not seen in the last frame
        self._centre, self._size = _centre_and_size(instance.roi)
        self._velocity = np.zeros(2)
        self._travelled = np.zeros(2)  # since the object was last seen
        self._covariance = self._scale**2 * np.diag([NOISE**2, FIRST_SPEED**2])  # of position and velocity

    @property
    def _scale(self) -> float:
        return float(np.sqrt(self._size.prod()))

    def predict(self, interval: float) -> None:
        """Move the object on by `interval` seconds."""
        self._is_lost = self.unseen > 0
        self.unseen += interval
        self.shift(interval * self._velocity)
        transition = np.array([[1.0, interval], [0.0, 1.0]])
        push = ACCELERATION * self._scale * np.array([interval**2 / 2, interval])
        self._covariance = transition @ self._covariance @ transition.T + np.outer(push, push)

    def shift(self, step: np.ndarray) -> None:
        """Move the prediction by x, y."""
        self._centre, self._travelled = self._centre + step, self._travelled + step

    def overlap(self, instance: Instance) -> float:
        """Return the IoU of a mask with the object's last one at the predicted place.

        If the last one is that of the last frame, its own place counts too: objects may stop or turn.
        """
        x, y = np.rint(self._travelled).astype(int).tolist()
        last, roi = self.instance, self.instance.roi
        moved = replace(last, roi=replace(roi, x=roi.x + x, y=roi.y + y))
        return max(moved.iou(instance), 0.0 if self._is_lost else last.iou(instance))

    def distance(self, instance: Instance) -> float:
        """Return how far an instance is from the predicted position, as a share of the object's reach."""
        deviation = np.sqrt(self._covariance[0, 0]) / self._scale
        distance = np.linalg.norm(self.offset(instance)) / self._scale
        return float(distance / min(REACH + 2 * deviation, MAX_REACH))

    def offset(self, instance: Instance) -> np.ndarray:
        """Return by how much, as x, y, the prediction misses the object if `instance` is its visible part."""
        centre, visible = _centre_and_size(instance.roi)
        hidden = np.maximum(self._size - visible, 0)
        return np.clip(self._centre, centre - hidden / 2, centre + hidden / 2) - self._centre

    def update(self, instance: Instance) -> None:
        """Correct the prediction: the object is now seen as `instance`."""
        offset = self.offset(instance)
        gain = self._covariance[0] / (self._covariance[0, 0] + (NOISE * self._scale) ** 2)
        self._centre = self._centre + gain[0] * offset
        self._velocity = self._velocity + gain[1] * offset
        self._covariance = self._covariance - np.outer(gain, self._covariance[0])
        _, visible = _centre_and_size(instance.roi)
        self._size = np.maximum(visible, self._size * np.exp(-self.unseen / SHRINKING_S))
        self.instance, self.unseen, self._travelled = instance, 0.0, np.zeros(2)


class Tracker:
    """Gives instances ids that persist over the frames of one camera and one request.

    An instance continues the track whose last mask, moved on, it overlaps most; else the track that is
    nearest, if that is within reach. An instance without a track starts one, with an id that was not used
    before.
    """

    def __init__(self) -> None:
        self._ids = self._unused_ids()
        self._tracks: list[Track] = []
        self._stamp: float | None = None
        self._intervals = deque([FIRST_INTERVAL_S], maxlen=9)

    def update(self, instances: tuple[Instance, ...], *, stamp: float) -> tuple[Instance, ...]:
        """Return the instances of the next frame, in their order, with persistent ids.

        `stamp` is the time of the frame in seconds. A stamp that does not advance (a camera that sets none, a
        clock that is set back a little) counts as the usual interval; one far in the past ends all tracks.
        """
        self._advance(stamp)
        _follow_camera(instances, self._tracks)
        tracks = _assign(instances, self._tracks)
        named = []
        for index, instance in enumerate(instances):
            track = tracks.get(index)
            named.append(replace(instance, id=track.instance.id if track else next(self._ids)))
            if track:
                track.update(named[-1])
            else:
                self._tracks.append(Track(named[-1]))
        return tuple(named)

    def _advance(self, stamp: float) -> None:
        """Move the tracks on to the time of the next frame; end those that were not seen for too long."""
        elapsed = 0.0 if self._stamp is None else stamp - self._stamp
        self._stamp = stamp
        if elapsed > 0:
            self._intervals.append(elapsed)
        usual = median(self._intervals)
        memory = max(MEMORY_S, MEMORY_FRAMES * usual)
        for track in self._tracks:
            track.predict(elapsed if elapsed > 0 else usual)
        self._tracks = [track for track in self._tracks if track.unseen <= memory and elapsed >= -memory]

    def _unused_ids(self) -> Iterator[int]:
        for id_ in cycle(range(1, HIGHEST_ID + 1)):
            if all(track.instance.id != id_ for track in self._tracks):
                yield id_


class Trackers:
    """One tracker for each request of one camera."""

    def __init__(self) -> None:
        self._trackers: dict[str, Tracker] = {}

    def update(self, results: Sequence[Result], *, requests: Sequence[str], stamp: float) -> list[Result]:
        """Return the results for the next frame with persistent ids.

        There is one result for each of `requests`, except those that failed. Tracks of a request end with
        the first frame that lacks it in `requests`. `stamp` is the time of the frame in seconds.
        """
        self._trackers = {text: self._trackers.get(text, Tracker()) for text in requests}
        return [
            replace(item, instances=self._trackers[item.text].update(item.instances, stamp=stamp))
            for item in results
        ]


def _follow_camera(instances: Sequence[Instance], tracks: Sequence[Track]) -> None:
    """Move all predictions by what is common to the offsets of several objects: then the camera has moved."""
    overlapping = _pair(instances, tracks, _no_overlap, limit=1 - MIN_IOU)
    offsets = np.array([track.offset(instances[index]) for index, track in overlapping.items()])
    if len(offsets) > 1:
        least, most = offsets.min(axis=0), offsets.max(axis=0)
        for track in tracks:
            track.shift(np.maximum(least, 0) + np.minimum(most, 0))


def _assign(instances: Sequence[Instance], tracks: Sequence[Track]) -> dict[int, Track]:
    """Return the tracks of instances by their index: pairs that overlap first, then pairs within reach."""
    overlapping = _pair(instances, tracks, _no_overlap, limit=1 - MIN_IOU)
    others = [track for track in tracks if track not in overlapping.values()]
    near = _pair(instances, others, Track.distance, limit=1, besides=overlapping)
    return overlapping | near


def _pair(
    instances: Sequence[Instance],
    tracks: Sequence[Track],
    cost: Callable[[Track, Instance], float],
    *,
    limit: float,
    besides: Container[int] = (),
) -> dict[int, Track]:
    """Return tracks by the index of their instance: pairs of a cost up to `limit`, the lowest first."""
    pairs = [
        (cost(track, instance), index, track)
        for index, instance in enumerate(instances)
        for track in tracks
        if index not in besides
    ]
    paired: dict[int, Track] = {}
    for value, index, track in sorted(pairs, key=lambda pair: pair[0]):
        if value <= limit and index not in paired and track not in paired.values():
            paired[index] = track
    return paired


def _no_overlap(track: Track, instance: Instance) -> float:
    return 1 - track.overlap(instance)


def _centre_and_size(roi: Roi) -> tuple[np.ndarray, np.ndarray]:
    """Return the centre and the size of a box, as x, y."""
    size = np.array([roi.width, roi.height], float)
    return np.array([roi.x, roi.y]) + size / 2, size
