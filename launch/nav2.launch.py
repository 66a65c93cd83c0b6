"""Run the node under nav2's lifecycle manager, which configures and activates it, and watches its heartbeat.

ros2 launch dmmi nav2.launch.py image:=/camera/image_raw bond:=true
"""

from pathlib import Path

from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.substitutions import IfElseSubstitution, LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchDescription

HERE = Path(__file__).parent
BOND_TIMEOUT_S = "4.0"


def generate_launch_description() -> LaunchDescription:
    bond = DeclareLaunchArgument(
        "bond", default_value="false", description="Watch the heartbeat of the node, which needs bondpy"
    )
    node = IncludeLaunchDescription(
        str(HERE / "dmmi.launch.py"), launch_arguments={"autostart": "false"}.items()
    )
    timeout = IfElseSubstitution(LaunchConfiguration("bond"), BOND_TIMEOUT_S, "0.0")
    manager = Node(
        package="nav2_lifecycle_manager",
        executable="lifecycle_manager",
        name="lifecycle_manager_dmmi",
        namespace=LaunchConfiguration("namespace"),
        parameters=[
            {
                "autostart": True,
                "node_names": ["dmmi"],
                "bond_timeout": ParameterValue(timeout, value_type=float),
            }
        ],
        output="screen",
    )
    return LaunchDescription([bond, node, manager])
