"""The action `~/find` of a real node."""

import pytest
from action_msgs.msg import GoalStatus
from builtin_interfaces.msg import Duration
from rclpy.action import ActionClient

from dmmi.action import Find
from dmmi.msg import Segmentation
from helpers.expectations import assert_finds

pytestmark = pytest.mark.timeout(120)
SUCCEEDED, CANCELED, ABORTED = (
    GoalStatus.STATUS_SUCCEEDED,
    GoalStatus.STATUS_CANCELED,
    GoalStatus.STATUS_ABORTED,
)


class Goal:
    """A goal that was sent; collects its feedback and, in `response`, its status and result."""

    def __init__(self, client, finder: ActionClient, **goal):
        self._client = client
        self.feedback: list[Find.Feedback] = []
        self.response = None
        sent = finder.send_goal_async(
            Find.Goal(**goal), lambda message: self.feedback.append(message.feedback)
        )
        client.wait_for(sent.done, "answer to a goal")
        self.handle = sent.result()
        assert self.handle.accepted
        self.handle.get_result_async().add_done_callback(self._end)

    def _end(self, future) -> None:
        self.response = future.result()

    def result(self) -> Find.Result:
        self._client.wait_for(lambda: self.response, "end of a goal")
        return self.response.result

    @property
    def status(self) -> int:
        return self.response.status


@pytest.fixture
def find(client):
    """Return a function that sends a goal to the node."""
    finder = ActionClient(client, Find, "dmmi/find")
    client.wait_for(finder.server_is_ready, "action server")
    yield lambda command="the red boxes", **goal: Goal(client, finder, command=command, **goal)
    finder.destroy()


@pytest.fixture
def see(client):
    """Return a function that sends a frame and waits for the feedback of goals about it."""

    def see(pixels, *goals):
        counts = [len(goal.feedback) for goal in goals]
        header = client.send(pixels)
        client.wait_for(
            lambda: all(len(goal.feedback) > n for goal, n in zip(goals, counts, strict=True)), "feedback"
        )
        return header

    return see


def test_it_succeeds_once_frames_in_a_row_agree(client, scene, find, see):
    goal = find(agreeing_frames=2)
    client.wait_for_report(goals=1, message="active")
    see(scene.image, goal)
    see(scene.image * 0, goal)
    see(scene.image, goal)
    assert goal.response is None
    header = see(scene.image, goal)
    result = goal.result()
    assert (goal.status, result.found, result.message) == (SUCCEEDED, True, "")
    assert result.segmentation.header == header
    assert_finds(result.segmentation, scene.masks["red"])
    assert [each.agreeing_frames for each in goal.feedback] == [1, 0, 1, 2]
    no_target, many = Segmentation.NO_TARGET, Segmentation.MANY
    assert [each.status for each in goal.feedback] == [many, no_target, many, many]
    assert [each.presence for each in goal.feedback] == pytest.approx([0.6, 0.2, 0.6, 0.6])
    assert goal.feedback[-1].header == header
    assert not client.segmentations  # nothing on the topics
    client.wait_for_report(goals=0, message="no command", frames_processed=4, frames_without_a_command=0)


def test_goals_and_the_command_are_answered_from_the_same_frames(client, scene, find, see):
    client.command("the green box")
    red, blue = find("the red boxes", agreeing_frames=2), find("the blue box")
    headers = [see(scene.image, red, blue), see(scene.image, red, blue)]
    assert_finds(red.result().segmentation, scene.masks["red"])
    assert blue.response is None
    client.wait_for(lambda: len(client.segmentations) == 2, "results of the command")
    assert [each.header for each in client.segmentations] == headers
    assert {each.command for each in client.segmentations} == {"the green box"}
    blue.handle.cancel_goal_async()
    assert blue.result().message == "cancelled"
    assert blue.status == CANCELED


def test_a_goal_is_aborted_when_its_time_is_over(client, find):
    goal = find("the blue box", time_limit=Duration(nanosec=1_000_000))
    result = goal.result()
    assert (goal.status, result.found) == (ABORTED, False)
    assert result.message == "not found within 0.001 s: no frame came"
    assert result.segmentation.status == Segmentation.FAILED


@pytest.mark.parametrize(
    ("goal", "reason"),
    [
        ({"command": "\u200b"}, "a goal has one request, this one has 0: say what to look for"),
        ({"command": "a\nb"}, "a goal has one request, this one has 2: say what to look for"),
        ({"camera": "left"}, "no camera 'left': there is ''"),
        ({"time_limit": Duration(sec=-1)}, "the time limit is negative: give seconds, or 0 for none"),
    ],
)
def test_a_bad_goal_is_told_why(find, goal, reason):
    sent = find(**goal)
    assert sent.result().message == reason
    assert sent.status == ABORTED


def test_a_request_that_fails_goes_on_until_the_end(client, scene, find, see):
    goal = find("explode")
    see(scene.image, goal)
    assert goal.feedback[0].status == Segmentation.FAILED
    goal.handle.cancel_goal_async()
    assert goal.result().message == "cancelled: the stub was told to explode"


def test_goals_end_with_the_active_node(client, find):
    goal = find()
    assert client.change_state("deactivate")
    assert goal.result().message == "the node is not active any more: no frame came"
    assert find().result().message == "the node is not active"


def test_more_goals_than_the_node_can_serve_are_refused(client, find):
    goals = [find(f"the red box {number}") for number in range(9)]
    assert goals.pop().result().message == "the node is busy with 8 goals; send it again later"
    for goal in goals:
        goal.handle.cancel_goal_async()
    assert {goal.result().message for goal in goals} == {"cancelled: no frame came"}
