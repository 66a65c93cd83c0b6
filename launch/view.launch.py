"""Show the results of the node in RViz or Foxglove; included by demo.launch.py and replay.launch.py."""

from pathlib import Path

from launch.actions import DeclareLaunchArgument
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription

CONFIG = Path(__file__).parents[1] / "config"
ARGUMENTS = {  # name: (default, description)
    "namespace": ("", "Namespace of the node whose results are shown"),
    "use_sim_time": ("false", "Use the clock of a simulation or bag"),
    "image": ("image", "Topic of the camera"),
    "rviz": ("false", "Start RViz with config/dmmi.rviz"),
    "fixed_frame": ("camera", "Fixed frame of RViz: that of the images, or another one known to tf"),
    "foxglove": (
        "false",
        "Start foxglove_bridge. In Foxglove, import the layout config/foxglove.json and choose the topic of "
        "the camera in its panel Camera",
    ),
}
TOPICS = ("dmmi/overlay", "dmmi/labels", "dmmi/poses")


def generate_launch_description() -> LaunchDescription:
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    parameters = {"use_sim_time": LaunchConfiguration("use_sim_time")}
    rviz = Node(
        package="rviz2",
        executable="rviz2",
        namespace=LaunchConfiguration("namespace"),
        arguments=["-d", str(CONFIG / "dmmi.rviz"), "-f", LaunchConfiguration("fixed_frame")],
        parameters=[parameters],
        # The layout has absolute names; these remappings move them into the namespace.
        remappings=[("/image", LaunchConfiguration("image")), *((f"/{topic}", topic) for topic in TOPICS)],
        condition=IfCondition(LaunchConfiguration("rviz")),
    )
    foxglove = Node(
        package="foxglove_bridge",
        executable="foxglove_bridge",
        parameters=[parameters],
        condition=IfCondition(LaunchConfiguration("foxglove")),
    )
    return LaunchDescription([*arguments, rviz, foxglove])
