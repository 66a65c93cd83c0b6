"""Renew the table of parameters in docs/ros.md from the code: `python scripts/parameters.py`."""

from dataclasses import fields
from pathlib import Path

from dmmi_ros.parameters import Parameters

PAGE = Path(__file__).parents[1] / "docs" / "ros.md"
BEGIN, END = "<!-- parameters: written by scripts/parameters.py -->", "<!-- end of parameters -->"


def with_table(page: str) -> str:
    """Return `page` with the table of parameters between its two marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def table() -> str:
    lines = ["| parameter | type | default | may change while | |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *map(row, fields(Parameters))])


def row(parameter) -> str:
    metadata = parameter.metadata
    description = metadata["description"]
    if metadata["within"]:
        lowest, highest = metadata["within"]
        description += f" From {lowest:,.10g} to {highest:,.10g}."
    if metadata["choices"]:
        description += f" One of {', '.join(map(code, metadata['choices']))}."
    states = metadata["read"].value
    type_ = type(parameter.default).__name__
    return f"| {code(parameter.name)} | {type_} | {shown(parameter.default)} | {states} | {description} |"


def shown(default: object) -> str:
    """Return a default as a parameter file has it."""
    if isinstance(default, bool):
        return code(str(default).lower())
    return code(str(list(default)) if isinstance(default, tuple | list) else str(default) or '""')


def code(text: str) -> str:
    return f"`{text}`"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))
