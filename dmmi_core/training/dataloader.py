"""The batches of a training, and which part of each is for which process."""

from collections.abc import Iterator

import torch
from torch.utils.data import DataLoader, Dataset
from transformers import PreTrainedTokenizerBase

from dmmi_core.config import DmmiConfig
from dmmi_core.data.collate import Collate
from dmmi_core.data.dataset import SampleDataset
from dmmi_core.data.sampler import Schedule
from dmmi_core.data.sources import training_samples, training_scenes
from dmmi_core.data.synthesis.dataset import SceneDataset
from dmmi_core.errors import InputError
from dmmi_core.training.recipe import Recipe


def open_dataset(recipe: Recipe, config: DmmiConfig) -> tuple[Dataset, int]:
    """The samples by their position in the training, and the number of optimizer steps that it takes."""
    data = recipe.data
    if data.from_templates:
        return SceneDataset(training_scenes(data), data.images, config.image_size, recipe.seed), recipe.steps
    samples = training_samples(data)
    schedule = Schedule(
        samples.kinds,
        samples.groups,
        recipe.seed,
        balanced=data.balanced,
        draw_sentence=data.draw_sentence,
    )
    steps = recipe.steps or max(1, recipe.epochs * schedule.epoch_length // recipe.batch_size)
    dataset = SampleDataset(samples, data.images, config.image_size, schedule, antialias=config.antialias)
    return dataset, steps


class Share:
    """A process's part of every batch: as many samples for each of its forward passes as for any other's."""

    def __init__(self, recipe: Recipe, *, rank: int, processes: int):
        parts = processes * recipe.accumulate
        if recipe.batch_size % parts:
            raise InputError(
                f"batch_size {recipe.batch_size} cannot be split over {processes} processes with accumulate "
                f"{recipe.accumulate}: it must be a multiple of {parts}"
            )
        self._size, self._rank, self._processes = recipe.batch_size // parts, rank, processes
        self._accumulate = recipe.accumulate

    def positions(self, start: int, steps: int) -> Iterator[range]:
        """Positions of each forward pass, from step `start` on."""
        for turn in range(start * self._accumulate, steps * self._accumulate):
            first = (turn * self._processes + self._rank) * self._size
            yield range(first, first + self._size)


def open_loader(
    dataset: Dataset,
    positions: Iterator[range],
    recipe: Recipe,
    config: DmmiConfig,
    tokenizer: PreTrainedTokenizerBase,
) -> DataLoader:
    return DataLoader(
        dataset,
        batch_sampler=positions,
        collate_fn=Collate(tokenizer, config.max_tokens, fill=config.attend_padding),
        num_workers=recipe.workers,
        pin_memory=torch.cuda.is_available() and recipe.device != "cpu",
    )
