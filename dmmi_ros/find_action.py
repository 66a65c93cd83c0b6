"""The action ~/find: one request, looked for until frames agree that it is there or the time is over."""

from collections.abc import Callable, Sequence
from typing import Any

from geometry_msgs.msg import PoseArray
from rclpy.action import ActionServer, CancelResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_msgs.msg import Header

from dmmi.action import Find
from dmmi_core.errors import InputError, describe
from dmmi_core.result import Result
from dmmi_ros.commands import requests_in
from dmmi_ros.conversion.messages import FAILED, MessageBuilder
from dmmi_ros.futures import awaitable
from dmmi_ros.searches import MAX_SEARCHES, Search, Searches, Seen

NO_FRAME = "no frame came"


class FindAction:
    """Serves ~/find of `node`: each goal is one of `searches`, which the worker's thread answers.

    `cameras` returns the names of the cameras, the default one first; `is_active` whether frames are
    processed.
    """

    def __init__(
        self,
        node: Node,
        searches: Searches,
        *,
        cameras: Callable[[], Sequence[str]],
        is_active: Callable[[], bool],
    ):
        self._node = node
        self._searches = searches
        self._cameras = cameras
        self._is_active = is_active
        self._messages = MessageBuilder.for_rclpy()
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)  # a limit holds while a simulation is paused
        self._under_way: dict[bytes, Search] = {}
        self._server: ActionServer = ActionServer(
            node,
            Find,
            "~/find",
            self._execute,
            cancel_callback=self._on_cancel,
            callback_group=ReentrantCallbackGroup(),
        )

    def destroy(self) -> None:
        """End the server; its goals must have ended."""
        self._server.destroy()

    def _on_cancel(self, goal: ServerGoalHandle) -> CancelResponse:
        if search := self._under_way.get(_key(goal)):
            search.end("cancelled")
        return CancelResponse.ACCEPT

    async def _execute(self, goal: ServerGoalHandle) -> Find.Result:
        try:
            search, ended = self._begin(goal)
        except InputError as error:
            goal.abort()
            return self._result(goal.request.command, None, reason=describe(error))
        limit = _seconds(goal.request.time_limit)
        late = f"not found within {limit:g} s"
        # A timer without a limit never fires, as it would have to wait for years.
        timer = self._node.create_timer(limit or 1e8, lambda: search.end(late), clock=self._steady)
        try:
            reason = await ended
        finally:
            self._node.destroy_timer(timer)
            self._searches.remove(search)
            del self._under_way[_key(goal)]
        if not reason:
            goal.succeed()
        elif goal.is_cancel_requested:
            goal.canceled()
        else:
            goal.abort()
        return self._result(search.request, search, reason=reason)

    def _begin(self, goal: ServerGoalHandle) -> tuple[Search, Any]:
        """Return the search of a goal, begun, and the future of its end. Raises `InputError`."""
        ended: Any = awaitable(self._node)
        search = Search(
            self._checked_request(goal.request),
            camera=self._checked_camera(goal.request.camera),
            needed=max(1, goal.request.agreeing_frames),
            on_frame=lambda seen: goal.publish_feedback(_feedback(seen)),
            on_end=ended.set_result,
        )
        self._under_way[_key(goal)] = search
        self._searches.add(search)
        return search, ended

    def _checked_request(self, goal: Find.Goal) -> str:
        if not self._is_active():
            raise InputError("the node is not active")
        if len(self._searches) >= MAX_SEARCHES:
            raise InputError(f"the node is busy with {MAX_SEARCHES} goals; send it again later")
        requests = requests_in(goal.command)
        if len(requests) != 1:
            raise InputError(f"a goal has one request, this one has {len(requests)}: say what to look for")
        if _seconds(goal.time_limit) < 0:
            raise InputError("the time limit is negative: give seconds, or 0 for none")
        return requests[0]

    def _checked_camera(self, name: str) -> str:
        cameras = self._cameras()
        if name and name not in cameras:
            raise InputError(f"no camera {name!r}: there is {', '.join(map(repr, cameras))}")
        return name or cameras[0]

    def _result(self, request: str, search: Search | None, *, reason: str) -> Find.Result:
        seen = search.last if search else None
        header, outcome = (seen.header, seen.outcome) if seen else (Header(), InputError(NO_FRAME))
        if reason and isinstance(outcome, Exception):
            reason = f"{reason}: {describe(outcome)}" if search else reason
        return Find.Result(
            found=not reason,
            message=reason,
            segmentation=self._messages.answer(request, outcome, header=header, command_id=0),
            poses=search.poses if search and search.poses else PoseArray(header=header),
        )


def _key(goal: ServerGoalHandle) -> bytes:
    return bytes(goal.goal_id.uuid)


def _seconds(duration: Any) -> float:
    return duration.sec + 1e-9 * duration.nanosec


def _feedback(seen: Seen) -> Find.Feedback:
    feedback = Find.Feedback(header=seen.header, agreeing_frames=seen.agreeing)
    if isinstance(seen.outcome, Result):
        feedback.status, feedback.presence = int(seen.outcome.status), float(seen.outcome.presence)
    else:
        feedback.status = FAILED
    return feedback
