"""Start the node, which configures and activates itself unless autostart:=false.

ros2 launch dmmi dmmi.launch.py image:=/camera/image_raw
ros2 launch dmmi dmmi.launch.py cameras:="front=/front/image_raw left=/left/image_raw"
"""

import re
from pathlib import Path

from launch.actions import (
    DeclareLaunchArgument,
    OpaqueFunction,
    SetEnvironmentVariable,
    SetLaunchConfiguration,
)
from launch.substitutions import EnvironmentVariable, LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.utilities import make_namespace_absolute, prefix_namespace

from launch import LaunchContext, LaunchDescription

CONFIG = Path(__file__).parents[1] / "config"
NAME = "dmmi"  # name of the node
ARGUMENTS = {  # name: (default, description)
    "namespace": ("", "Namespace of the node"),
    "use_sim_time": ("false", "Use the clock of a simulation or bag"),
    "autostart": ("true", "Configure and activate the node at start and after each respawn"),
    "params_file": (str(CONFIG / "dmmi.yaml"), "Parameter file of the node"),
    "bond": ("", "Keep a bond with nav2's lifecycle manager (true or false); empty: as in params_file"),
    "use_respawn": ("false", "Restart the node if it crashes"),
    "log_level": ("info", "Log level of the node"),
    "model": ("", "Model shipped with the package, or path of a model folder; empty: as in params_file"),
    "device": ("", "auto, cpu, cuda, cuda:1, ...; empty: as in params_file"),
    "engine": ("", "auto, torch, compiled, onnx, openvino; empty: as in params_file"),
    "precision": ("", "auto, fp32, bf16, fp16; empty: as in params_file"),
    "image": ("image", "Topic of the camera; compressed images are expected below it"),
    "depth": ("", "Topic of depth images, for 3D positions; empty: as in params_file"),
    "camera_info": ("camera_info", "Topic of the camera calibration, needed for depth"),
    "cameras": ("", "Several cameras with their topics: 'front=/front/image_raw left=/left/image_raw'"),
    "command": ("command", "Topic of the commands"),
    "text": ("", "First command, also after a respawn; empty: as in params_file"),
}
TOPICS = ("image", "depth", "camera_info", "command")


def generate_launch_description() -> LaunchDescription:
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    # Without this profile, Fast DDS loses frames between processes. A profile set by the user is kept.
    profile = EnvironmentVariable(
        "FASTDDS_DEFAULT_PROFILES_FILE", default_value=str(CONFIG / "fastdds_images.xml")
    )
    environment = SetEnvironmentVariable("FASTDDS_DEFAULT_PROFILES_FILE", profile)
    return LaunchDescription([*arguments, environment, OpaqueFunction(function=make_node)])


def make_node(context: LaunchContext) -> list[SetLaunchConfiguration | LifecycleNode]:
    """Return the action that starts the node, and one that publishes its full name."""
    cameras = read_cameras(context)
    node = LifecycleNode(
        package="dmmi",
        executable="dmmi_node",
        name=NAME,
        namespace=LaunchConfiguration("namespace"),
        parameters=[LaunchConfiguration("params_file"), overrides(context, cameras=list(cameras))],
        remappings=[
            *((name, topic) for name in TOPICS if (topic := LaunchConfiguration(name).perform(context))),
            *((f"{camera}/image", topic) for camera, topic in cameras.items()),
        ],
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
        respawn=LaunchConfiguration("use_respawn"),
        respawn_delay=2.0,
        output="screen",
    )
    # Tells the full name of the node to launch files that include this one.
    return [SetLaunchConfiguration("full_node_name", absolute(context, NAME)), node]


def absolute(context: LaunchContext, name: str) -> str:
    """Return the fully qualified name of the node."""
    pushed = context.launch_configurations.get("ros_namespace")
    namespace = prefix_namespace(pushed, LaunchConfiguration("namespace").perform(context))
    return make_namespace_absolute(prefix_namespace(namespace, name))


def read_cameras(context: LaunchContext) -> dict[str, str]:
    """Return the topic of each camera in the argument `cameras`."""
    pairs = LaunchConfiguration("cameras").perform(context).split()
    if not all(re.fullmatch(r"\w+=[\w/]+", pair) for pair in pairs):
        raise ValueError("cameras must be like 'front=/front/image_raw left=/left/image_raw'")
    cameras = dict(pair.split("=") for pair in pairs)
    if len(cameras) < len(pairs):
        raise ValueError(f"cameras must have names of their own, not those of {' '.join(pairs)!r}")
    if cameras and LaunchConfiguration("depth").perform(context):
        raise ValueError(
            "depth is the topic of a single camera; for several, set parameter depth in params_file, and "
            "remap NAME/depth and NAME/camera_info of each"
        )
    return cameras


def overrides(context: LaunchContext, *, cameras: list[str]) -> dict[str, ParameterValue | bool | list[str]]:
    """Return the parameters that arguments set; they override params_file."""
    types = dict.fromkeys(("use_sim_time", "autostart", "bond"), bool)
    types |= dict.fromkeys(("model", "device", "engine", "precision", "text"), str)
    decided = {
        name: ParameterValue(LaunchConfiguration(name), value_type=type_)
        for name, type_ in types.items()
        if LaunchConfiguration(name).perform(context)
    }
    if LaunchConfiguration("depth").perform(context):
        decided["depth"] = True
    return {**decided, "cameras": cameras} if cameras else decided
