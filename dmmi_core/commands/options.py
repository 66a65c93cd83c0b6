"""Options that several subcommands have."""

import argparse


def add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", default="dmmi-lite", help="a shipped model's name, or a folder (%(default)s)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (%(default)s)")
