"""The instances in one foreground map, by the grouping that the options or the text ask for."""

import numpy as np

from dmmi_core.errors import InputError
from dmmi_core.grammar import count_of
from dmmi_core.instances.centre_grouping import group_by_centres
from dmmi_core.instances.grouping import GROUPINGS, group_instances, grouping_for
from dmmi_core.result import Instance
from dmmi_core.segmenter_options import Options

CENTRES = "centres"
CentreMaps = tuple[np.ndarray, np.ndarray]
"""Heat map and offsets of the instance head, as `group_by_centres` takes them."""


def check_grouping(grouping: str | None, *, has_head: bool) -> None:
    """Raise InputError for a grouping that does not exist or needs an instance head that is missing."""
    known = (CENTRES, *GROUPINGS) if has_head else tuple(GROUPINGS)
    if grouping not in (None, *known):
        raise InputError(f"grouping is {grouping!r}; it must be one of {', '.join(known)}")


def default_grouping(expression: str, *, has_head: bool) -> str:
    """Return the grouping for an expression if the options name none."""
    return grouping_for(expression, several=CENTRES if has_head else "watershed")


def find_instances(
    probability: np.ndarray,
    expression: str,
    grouping: str,
    maps: CentreMaps | None,
    options: Options,
) -> tuple[Instance, ...]:
    """Return the instances in a map of foreground probabilities, float32 (H, W), of the image's size.

    `maps` are those of the instance head, for the grouping "centres"; a number in the expression bounds the
    centres.
    """
    if grouping == CENTRES and maps is not None:
        return group_by_centres(
            probability,
            *maps,
            mask_threshold=options.mask_threshold,
            min_area=options.min_area,
            count=count_of(expression),
        )
    return group_instances(probability, options.mask_threshold, options.min_area, grouping)
