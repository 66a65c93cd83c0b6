"""Starts the node, and has it configure and activate itself unless autostart:=false.

ros2 launch dmmi dmmi.launch.py image:=/camera/image_raw
"""

from pathlib import Path

from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import EnvironmentVariable, LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchContext, LaunchDescription

CONFIG = Path(__file__).parents[1] / "config"
ARGUMENTS = {  # name: (default, description)
    "namespace": ("", "Namespace of the node"),
    "use_sim_time": ("false", "Use the clock of a simulation"),
    "autostart": ("true", "Configure and activate the node, also after each respawn"),
    "params_file": (str(CONFIG / "dmmi.yaml"), "Parameters of the node"),
    "use_respawn": ("false", "Start the node again if it crashes"),
    "log_level": ("info", "Log level of the node"),
    "model": ("", "Model shipped with the package, or path of a model folder; empty: as in params_file"),
    "device": ("", "auto, cpu, cuda, cuda:1, ...; empty: as in params_file"),
    "image": ("image", "Topic of the camera; compressed images come from below it"),
    "command": ("command", "Topic of the commands"),
}


def generate_launch_description() -> LaunchDescription:
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    # Without it, Fast DDS loses frames between processes. A profile of the user's own stays.
    profile = EnvironmentVariable(
        "FASTDDS_DEFAULT_PROFILES_FILE", default_value=str(CONFIG / "fastdds_images.xml")
    )
    environment = SetEnvironmentVariable("FASTDDS_DEFAULT_PROFILES_FILE", profile)
    return LaunchDescription([*arguments, environment, OpaqueFunction(function=make_node)])


def make_node(context: LaunchContext) -> list[LifecycleNode]:
    node = LifecycleNode(
        package="dmmi",
        executable="dmmi_node",
        name="dmmi",
        namespace=LaunchConfiguration("namespace"),
        parameters=[LaunchConfiguration("params_file"), overrides(context)],
        remappings=[(topic, LaunchConfiguration(topic)) for topic in ("image", "command")],
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
        respawn=LaunchConfiguration("use_respawn"),
        respawn_delay=2.0,
        output="screen",
    )
    return [node]


def overrides(context: LaunchContext) -> dict[str, ParameterValue]:
    """The parameters that arguments decide, whatever params_file says."""
    types = {"use_sim_time": bool, "autostart": bool, "model": str, "device": str}
    return {
        name: ParameterValue(LaunchConfiguration(name), value_type=type_)
        for name, type_ in types.items()
        if LaunchConfiguration(name).perform(context)
    }
