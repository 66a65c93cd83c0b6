"""The node on a bag, which plays once the node is active; arguments of dmmi.launch.py go through.

ros2 launch dmmi replay.launch.py bag:=kitchen image:=/camera/image_raw text:="the cups on the left"
"""

from pathlib import Path

from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    IncludeLaunchDescription,
    RegisterEventHandler,
)
from launch.event_handlers import OnProcessExit
from launch.substitutions import LaunchConfiguration

from launch import LaunchDescription

HERE = Path(__file__).parent


def generate_launch_description() -> LaunchDescription:
    arguments = [
        DeclareLaunchArgument("bag", description="Folder of the bag, or its mcap file"),
        DeclareLaunchArgument("rate", default_value="1.0", description="Speed of the replay"),
    ]
    # Loading the model takes longer than many a bag lasts. The node is asked, since the message of its
    # transition may come before anybody hears it.
    namespace = LaunchConfiguration("namespace")
    waiting = ExecuteProcess(
        cmd=[["until ros2 lifecycle get ", namespace, "/dmmi | grep -q ^active; do sleep 0.2; done"]],
        name="wait_until_active",
        shell=True,
    )
    player = ExecuteProcess(
        cmd=[
            *("ros2", "bag", "play", LaunchConfiguration("bag")),
            *("--clock", "--rate", LaunchConfiguration("rate")),
        ],
        output="screen",
    )
    play = RegisterEventHandler(OnProcessExit(target_action=waiting, on_exit=[player]))
    node = IncludeLaunchDescription(
        str(HERE / "dmmi.launch.py"), launch_arguments={"use_sim_time": "true"}.items()
    )
    view = IncludeLaunchDescription(str(HERE / "view.launch.py"))
    return LaunchDescription([*arguments, node, view, waiting, play])
