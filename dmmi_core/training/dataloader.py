"""Batches of a training, split over the processes."""

from collections.abc import Iterator

import torch
from torch.utils.data import DataLoader, Dataset
from transformers import PreTrainedTokenizerBase

from dmmi_core.config import DmmiConfig
from dmmi_core.data.collate import Collate
from dmmi_core.data.dataset import SampleDataset
from dmmi_core.data.sampler import TrainingSampler
from dmmi_core.data.sources import training_samples, training_scenes
from dmmi_core.data.synthesis.dataset import SceneDataset
from dmmi_core.errors import InputError
from dmmi_core.training.recipe import Recipe


def open_dataset(recipe: Recipe, config: DmmiConfig) -> tuple[Dataset, int]:
    """Return the samples by their position in the training, and the number of optimizer steps."""
    data = recipe.data
    if data.from_templates:
        assert recipe.steps is not None  # as `Recipe` requires of templates
        scenes = training_scenes(data)
        dataset: Dataset = SceneDataset(
            scenes, data.images, config.image_size, recipe.seed, bad_share=data.bad_share
        )
        return dataset, recipe.steps
    samples = training_samples(data)
    sampler = TrainingSampler(
        samples.kinds,
        samples.groups,
        recipe.seed,
        balanced=data.balanced,
        draw_sentence=data.draw_sentence,
    )
    steps = recipe.steps or max(1, (recipe.epochs or 0) * sampler.epoch_length // recipe.batch_size)
    dataset = SampleDataset(
        samples,
        data.images,
        config.image_size,
        sampler,
        antialias=config.antialias,
        bad_share=data.bad_share,
    )
    return dataset, steps


class ShardedBatchSampler:
    """Batch sampler of one process: its part of each batch, split evenly over its forward passes."""

    def __init__(self, recipe: Recipe, *, rank: int, processes: int):
        parts = processes * recipe.accumulate
        if recipe.batch_size % parts:
            raise InputError(
                f"batch_size {recipe.batch_size} cannot be split over {processes} processes with accumulate "
                f"{recipe.accumulate}: it must be a multiple of {parts}"
            )
        self._size, self._rank, self._processes = recipe.batch_size // parts, rank, processes
        self._accumulate = recipe.accumulate

    def positions(self, start: int, steps: int) -> Iterator[list[int]]:
        """Yield the positions of the samples of each forward pass, from step `start` to step `steps`."""
        for forward in range(start * self._accumulate, steps * self._accumulate):
            first = (forward * self._processes + self._rank) * self._size
            yield list(range(first, first + self._size))


def open_loader(
    dataset: Dataset,
    positions: Iterator[list[int]],
    recipe: Recipe,
    config: DmmiConfig,
    tokenizer: PreTrainedTokenizerBase,
) -> DataLoader:
    """Return a loader of the batches at `positions`, for `ShardedBatchSampler.positions`."""
    return DataLoader(
        dataset,
        batch_sampler=positions,
        collate_fn=Collate(tokenizer, config.max_tokens, fill=config.attend_padding),
        num_workers=recipe.workers,
        pin_memory=torch.cuda.is_available() and recipe.device != "cpu",
    )
