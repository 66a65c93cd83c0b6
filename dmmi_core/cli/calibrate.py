"""`dmmi calibrate`: sets the presence temperature and threshold of a model folder."""

import argparse
import json
import logging
from dataclasses import asdict, replace
from pathlib import Path

from dmmi_core.cli.options import add_model
from dmmi_core.errors import InputError
from dmmi_core.extras import require
from dmmi_core.files import replaced_file

logger = logging.getLogger(__name__)
LEAST_T_ACC = 50.0
"""Percentage below which the result is warned of."""


def add(commands) -> None:
    parser = commands.add_parser(
        "calibrate",
        help="set the presence threshold of a model",
        description="Fit the temperature of the presence head on held-out samples, choose the threshold with "
        "the highest mean of N-acc and T-acc, and write both into the model's config.json.",
    )
    add_model(parser)
    parser.add_argument(
        "--recipe",
        nargs="+",
        required=True,
        metavar="RECIPE",
        help="use the validation split of this recipe [KEY=VALUE ...]",
    )
    parser.add_argument("--plot", type=Path, metavar="OUT.svg", help="draw the precision-recall curve")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    require("torch", "torchmetrics")
    from dmmi_core.checkpoints.model_folder import find_model, read_config, write_config
    from dmmi_core.evaluation.calibration import calibrate, calibration_samples
    from dmmi_core.training.recipe import read_recipe

    if arguments.plot and not arguments.plot.parent.is_dir():
        raise InputError(f"cannot write {arguments.plot}: does its folder exist?")
    folder = find_model(arguments.model)
    data = read_recipe(arguments.recipe[0], arguments.recipe[1:]).data
    found = calibrate(folder, calibration_samples(data), data.images, device=arguments.device)
    if arguments.plot:
        _draw(found, arguments.plot)
    calibrated = replace(
        read_config(folder), presence_temperature=found.temperature, presence_threshold=found.threshold
    )
    try:
        write_config(calibrated, folder)
    except OSError as error:
        raise InputError(f"cannot write into {folder}: {error.strerror}; calibrate a copy of it") from error
    print(json.dumps(asdict(found)) if arguments.json else _text(found))
    for warning in _warnings(found):
        logger.warning("%s", warning)


def _warnings(found) -> list[str]:
    said = []
    if found.ece_after > found.ece_before:
        said.append(
            f"the calibration error grew from {found.ece_before:.1f} % to {found.ece_after:.1f} %: "
            "are the samples too few, or unlike those of the training?"
        )
    if found.t_acc < LEAST_T_ACC:
        said.append(
            f"T-acc is {found.t_acc:.1f} %: more than half of all targets are missed; train the model "
            "further, or set a lower presence_threshold in its config.json"
        )
    return said


def _draw(found, path: Path) -> None:
    from dmmi_core.evaluation.calibration import THRESHOLDS
    from dmmi_core.visualization.precision_recall import precision_recall_svg

    chosen = THRESHOLDS.tolist().index(found.threshold)
    picture = precision_recall_svg(found.recall, found.precision, chosen, f"threshold {found.threshold}")
    try:
        with replaced_file(path, needed=len(picture)) as new:
            new.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error


def _text(found) -> str:
    return (
        f"temperature {found.temperature:.2f}: expected calibration error {found.ece_before:.1f} % "
        f"-> {found.ece_after:.1f} %\n"
        f"threshold {found.threshold:.2f}: N-acc {found.n_acc:.1f} %, T-acc {found.t_acc:.1f} %"
    )
