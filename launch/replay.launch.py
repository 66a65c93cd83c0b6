"""Run the node on a bag, which plays once the node is active. Arguments of dmmi.launch.py are passed on.

ros2 launch dmmi replay.launch.py bag:=kitchen image:=/camera/image_raw text:="the cups on the left"
"""

from pathlib import Path

from launch.action import Action
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    IncludeLaunchDescription,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    Shutdown,
    TimerAction,
)
from launch.conditions import UnlessCondition
from launch.event_handlers import OnProcessExit
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode

from launch import LaunchContext, LaunchDescription

HERE = Path(__file__).parent
PATIENCE_S = 30.0
"""Seconds after which a hint tells what the replay waits for."""


def generate_launch_description() -> LaunchDescription:
    arguments = [
        DeclareLaunchArgument("bag", description="Bag folder or mcap file"),
        DeclareLaunchArgument("rate", default_value="1.0", description="Speed of the replay"),
    ]
    node = IncludeLaunchDescription(
        str(HERE / "dmmi.launch.py"), launch_arguments={"use_sim_time": "true"}.items()
    )
    view = IncludeLaunchDescription(str(HERE / "view.launch.py"))
    return LaunchDescription([*arguments, node, view, OpaqueFunction(function=play_once_active)])


def play_once_active(context: LaunchContext) -> list[Action]:
    """Return the actions that wait for the node and then play the bag.

    All names are resolved here, as a group that includes this file drops them before the handlers run.
    """
    node, bag, rate = (
        LaunchConfiguration(name).perform(context) for name in ("full_node_name", "bag", "rate")
    )
    # Loading the model may take longer than the bag lasts. Poll the state of the node, because the message of
    # its transition may come before anybody listens.
    waiting = ExecuteProcess(
        # The trap: a process that Ctrl-C ends by its signal is reported as an error.
        cmd=[f"trap 'exit 0' INT; until ros2 lifecycle get {node} | grep -q ^active; do sleep 0.2; done"],
        name="wait_until_active",
        shell=True,
    )
    player = ExecuteProcess(cmd=["ros2", "bag", "play", bag, "--clock", "--rate", rate], output="screen")
    hint = TimerAction(
        period=PATIENCE_S,
        actions=[LogInfo(msg=f"The bag waits for {node} to be active; if it never is, its log says why")],
    )

    def play(_event, _context) -> ExecuteProcess:
        hint.cancel()
        return player

    def is_node(action: Action) -> bool:
        return isinstance(action, LifecycleNode) and action.node_name == node

    def end_replay(_event, context: LaunchContext) -> list[Action]:
        if context.is_shutdown:  # a second shutdown would raise an error
            return []
        return [LogInfo(msg=f"{node} has ended, and so does the replay"), Shutdown()]

    end = OnProcessExit(target_action=is_node, on_exit=end_replay)
    return [
        waiting,
        hint,
        RegisterEventHandler(OnProcessExit(target_action=waiting, on_exit=play)),
        RegisterEventHandler(end, condition=UnlessCondition(LaunchConfiguration("use_respawn"))),
    ]
