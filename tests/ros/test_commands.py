"""The current command."""

from dmmi_ros.commands import MAX_REQUESTS, Commands


def accept(commands: Commands, text: str, timeout: float = 0.0):
    return commands.accept(text, timeout=timeout)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_holds_until_replaced():
    commands = Commands()
    assert commands.current(timeout=0.0) is None
    accept(commands, "the cat")
    assert (commands.current(timeout=0.0).id, commands.current(timeout=0.0).text) == (1, "the cat")
    accept(commands, "the dog")
    assert (commands.current(timeout=0.0).id, commands.current(timeout=0.0).text) == (2, "the dog")


def test_a_repeated_command_is_a_new_one():
    commands = Commands()
    assert [accept(commands, "the cat").id for _ in range(3)] == [1, 2, 3]


def test_blank_text_cancels_and_has_no_id():
    commands = Commands()
    accept(commands, "the cat")
    for blank in ("", "  \n\t", "\u200b", "\ufeff\n\u3164"):
        assert accept(commands, blank) is None
        assert commands.current(timeout=0.0) is None
    assert accept(commands, " the dog \n").id == 2
    assert commands.current(timeout=0.0).text == "the dog"


def test_times_out_after_and_not_at_the_limit():
    clock = Clock()
    commands = Commands(clock=clock)
    accept(commands, "the cat")
    clock.now = 5.0
    assert commands.current(timeout=5.0).text == "the cat"
    clock.now = 5.1
    assert commands.current(timeout=5.0) is None


def test_what_timed_out_does_not_come_back():
    clock = Clock()
    commands = Commands(clock=clock)
    accept(commands, "the cat")
    clock.now = 5.1
    assert commands.current(timeout=5.0) is None
    assert commands.current(timeout=0.0) is None  # though there is no limit any more


def test_frames_are_awaited_since_the_first_of_commands_without_a_break():
    clock = Clock()
    commands = Commands(clock=clock)

    def awaited_since(text: str) -> float:
        clock.now += 1.0
        return accept(commands, text).awaited_since

    assert [awaited_since("the cat"), awaited_since("the dog"), awaited_since("the dog")] == [1.0, 1.0, 1.0]
    accept(commands, "")
    assert awaited_since("the cat") == 4.0
    clock.now += 10.0
    assert commands.current(timeout=5.0) is None
    assert awaited_since("the cat") == 15.0


def test_a_command_that_timed_out_unnoticed_is_not_carried_on():
    clock = Clock()
    commands = Commands(clock=clock)
    accept(commands, "the cat")
    clock.now = 60.0
    assert accept(commands, "the dog", timeout=5.0).awaited_since == 60.0


def test_a_command_goes_on_in_what_replaces_it_and_not_in_what_comes_after_a_break():
    commands = Commands(clock=iter(range(100)).__next__)
    first = accept(commands, "the cat")
    assert commands.goes_on(first, timeout=0.0)
    accept(commands, "the dog")
    assert commands.goes_on(first, timeout=0.0)
    accept(commands, "")
    assert not commands.goes_on(first, timeout=0.0)
    accept(commands, "the cat")
    assert not commands.goes_on(first, timeout=0.0)


def test_saying_it_again_starts_the_time_anew():
    clock = Clock()
    commands = Commands(clock=clock)
    accept(commands, "the cat")
    clock.now = 4.0
    accept(commands, "the cat")
    clock.now = 8.0
    assert commands.current(timeout=5.0).id == 2


def test_one_request_a_line():
    command = accept(Commands(), "the cat\r\n\n  the dog \n \t\nthe cat\n")
    assert command.requests == ("the cat", "the dog")
    assert command.text == "the cat\nthe dog"
    assert command.left_out == 0


def test_many_requests_are_bounded():
    lines = [f"cat {number}" for number in range(MAX_REQUESTS + 3)]
    command = accept(Commands(), "\n".join(lines))
    assert command.requests == tuple(lines[:MAX_REQUESTS])
    assert command.left_out == 3
