"""Timed commands: the one that holds at a time, and errors in files."""

import json

import pytest

from dmmi_core.errors import InputError
from dmmi_ros.bags.command_schedule import read_schedule

SECOND = 10**9


@pytest.fixture
def read(tmp_path):
    def read(*lines: str):
        path = tmp_path / "commands.jsonl"
        path.write_text("\n".join(lines), encoding="utf-8")
        return read_schedule(path)

    return read


def test_what_holds_when(read):
    schedule = read(
        '{"at": 1, "command": "the cat"}',
        "",
        '{"at": 2.5, "command": " the dog \\n\\nthe cat\\nthe dog"}',
        '{"at": 4, "command": ""}',
    )
    moments = [0, SECOND - 1, SECOND, 2.5 * SECOND - 1, 2.5 * SECOND, 4 * SECOND, 1e6 * SECOND]
    held = [schedule.at(int(moment)) for moment in moments]
    assert [[(r.command_id, r.text) for r in command.requests] if command else None for command in held] == [
        None,
        None,
        [(1, "the cat")],
        [(1, "the cat")],
        [(2, "the dog"), (2, "the cat")],
        [],
        [],
    ]
    assert held[4].text == "the dog\nthe cat"


def test_since_when_a_line_is_asked(read):
    texts = ["cat", "cat\\ndog", "dog", "", "dog", "cat\\ndog"]
    schedule = read(*(f'{{"at": {at}, "command": "{text}"}}' for at, text in enumerate(texts)))
    assert schedule.texts == ["cat", "dog"]
    assert [
        {request.text: request.since for request in command.requests} for command in schedule.commands
    ] == [
        {"cat": 1},
        {"cat": 1, "dog": 2},
        {"dog": 2},
        {},
        {"dog": 4},
        {"cat": 5, "dog": 4},
    ]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("at 3: the cat", "not JSON: "),
        pytest.param("[" * 100_000, "not JSON: ", id="deep"),
        ('{"at": 3, "command": "the \\ud800 cat"}', "\"command\" has half a character, '\\ud800'"),
        (
            json.dumps({"at": 3, "command": "\n".join(f"the cat {number}" for number in range(17))}),
            '"command" has 17 requests; the node answers 16',
        ),
        ('"the cat"', 'a command is {"at": SECONDS, "command": TEXT}'),
        ('{"at": 3}', 'a command is {"at": SECONDS, "command": TEXT}'),
        ('{"at": "3", "command": "x"}', "\"at\" must be seconds since the start of the bag, not '3'"),
        ('{"at": true, "command": "x"}', '"at" must be seconds since the start of the bag, not True'),
        ('{"at": NaN, "command": "x"}', '"at" must be seconds since the start of the bag, not nan'),
        ('{"at": 1e300, "command": "x"}', '"at" must be seconds since the start of the bag, not 1e+300'),
        (f'{{"at": {10**400}, "command": "x"}}', '"at" must be seconds since the start of the bag, not 1000'),
        ('{"at": -1, "command": "x"}', '"at" must be seconds since the start of the bag, not -1'),
        ('{"at": 3, "command": 5}', '"command" must be a text, not 5'),
        ('{"at": 2, "command": "x"}', '"at" must be later than on the line before'),
    ],
)
def test_mistakes(read, tmp_path, line, complaint):
    with pytest.raises(InputError) as raised:
        read('{"at": 2, "command": "the cat"}', "", line)
    assert str(raised.value).startswith(f"{tmp_path / 'commands.jsonl'}, line 3: {complaint}")


def test_lines_end_at_line_feeds_only(read):
    """JSON texts may contain Unicode line ends; these separate requests, as in the node."""
    schedule = read('{"at": 0, "command": "the cat\u2028the dog\u0085the cup"}\r', '{"at": 1, "command": ""}')
    assert [request.text for request in schedule.commands[0].requests] == ["the cat", "the dog", "the cup"]


@pytest.mark.parametrize("lines", [[], ['{"at": 2, "command": ""}']])
def test_no_commands(read, lines):
    with pytest.raises(InputError, match=r"has no commands$"):
        read(*lines)


def test_no_file(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*missing: No such file or directory"):
        read_schedule(tmp_path / "missing")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"cannot read .*binary: not UTF-8"):
        read_schedule(tmp_path / "binary")
