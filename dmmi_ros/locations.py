"""Where the instances in a frame are, from its depth image, in the frame of the camera or the robot."""

from collections.abc import Sequence

from std_msgs.msg import Header

from dmmi_core.result import Result
from dmmi_ros.camera import Frame
from dmmi_ros.conversion.depth import DepthOptions, Location
from dmmi_ros.parameters import Parameters
from dmmi_ros.topics.depth import DepthInput
from dmmi_ros.topics.transforms import Transforms


def locate(
    results: Sequence[Result],
    frame: Frame,
    depth: DepthInput,
    settings: Parameters,
    transforms: Transforms | None,
) -> tuple[Header, Sequence[Sequence[Location | None]]]:
    """Return the location of each instance of each result, None without depth, and the header they refer to.

    May wait for the frame's depth image and transform; see `DepthInput.locate`. Raises `InputError` as that
    does, and if the transform is unknown.
    """
    header = frame.message.header
    located = depth.locate(
        results,
        header,
        tolerance=settings.depth_tolerance,
        arrival=frame.arrival,
        options=DepthOptions(
            units=settings.depth_units,
            nearest=settings.depth_nearest,
            farthest=settings.depth_farthest,
            min_share=settings.depth_min_share,
        ),
    )
    return (header, located) if transforms is None else transforms.move(located, header)
