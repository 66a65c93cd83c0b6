"""Run the node on images or a video, without a camera. Arguments of dmmi.launch.py are passed on.

ros2 launch dmmi demo.launch.py source:=photographs/ text:="the two cats" rviz:=true
"""

from pathlib import Path

from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, NotEqualsSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchDescription

HERE = Path(__file__).parent
ARGUMENTS = {  # name: (default, description)
    "source": ("", "Image, folder of images or video to publish; empty: use the camera on topic image"),
    "rate": ("10.0", "Frames per second"),
    "hold": ("3.0", "Seconds for which each image is shown"),
}


def generate_launch_description() -> LaunchDescription:
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    camera = Node(
        package="dmmi",
        executable="dmmi_player",
        namespace=LaunchConfiguration("namespace"),
        parameters=[
            {
                "source": ParameterValue(LaunchConfiguration("source"), value_type=str),
                "rate": ParameterValue(LaunchConfiguration("rate"), value_type=float),
                "hold": ParameterValue(LaunchConfiguration("hold"), value_type=float),
            }
        ],
        remappings=[("image", LaunchConfiguration("image"))],
        output="screen",
        condition=IfCondition(NotEqualsSubstitution(LaunchConfiguration("source"), "")),
    )
    # The node first: its file sets the Fast DDS profile, which a camera needs most.
    included = [IncludeLaunchDescription(str(HERE / f"{name}.launch.py")) for name in ("dmmi", "view")]
    return LaunchDescription([*arguments, *included, camera])
