"""The training loop: one process or many (torchrun, accelerate launch), mixed precision, resumable."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Any, cast

import torch
from accelerate import Accelerator
from timm.layers import convert_sync_batchnorm
from torch import Tensor

from dmmi_core.checkpoints.saved_network import save_model
from dmmi_core.data.collate import Batch
from dmmi_core.data.samples import Sample
from dmmi_core.data.sources import held_out_samples
from dmmi_core.device import select_device
from dmmi_core.distributed import gather_list
from dmmi_core.errors import InputError, ModelError, one_line
from dmmi_core.evaluation.evaluate import evaluate
from dmmi_core.model import Dmmi
from dmmi_core.segmenter import Segmenter
from dmmi_core.training.dataloader import ShardedBatchSampler, open_dataset, open_loader
from dmmi_core.training.ema import moving_average
from dmmi_core.training.initialization import initial_model
from dmmi_core.training.logger import TrainingLogger
from dmmi_core.training.objective import Objective, weighted_sum
from dmmi_core.training.optimizer import learning_rate_factor, parameter_groups, train_mode, unreached
from dmmi_core.training.recipe import Recipe
from dmmi_core.training.training_state import LAST, load_state, save_state

logger = logging.getLogger(__name__)
MODEL, BEST = "model", "best"


class Trainer:
    """Training as a recipe describes it.

    Args:
        recipe: all settings. `run` resumes from the last checkpoint in its output folder, if there is one.

    Raises:
        InputError: the recipe does not fit the machine or the data.
        ModelError: weights are missing or do not fit.
    """

    def __init__(self, recipe: Recipe):
        self.recipe, self.output = recipe, Path(recipe.output)
        self.accelerator = _accelerator(recipe)
        torch.manual_seed(recipe.seed)
        self.model, self.tokenizer = initial_model(recipe)
        self.dataset, self.steps = open_dataset(recipe, self.model.config)
        self.batch_sampler = ShardedBatchSampler(
            recipe, rank=self.accelerator.process_index, processes=self.accelerator.num_processes
        )
        self._prepare()
        self.step = 0
        self.best: float | None = None

    def _prepare(self) -> None:
        """Set up the model, its average, the objective and the optimizer on the device."""
        recipe, accelerator = self.recipe, self.accelerator
        if accelerator.num_processes > 1 and accelerator.device.type == "cuda":
            self.model = convert_sync_batchnorm(self.model)
        self.model.to(accelerator.device).to(memory_format=torch.channels_last)
        train_mode(self.model, recipe)
        self.average = None if recipe.ema_decay is None else moving_average(self.model, recipe.ema_decay)
        objective = Objective(
            self.model,
            background_weight=recipe.background_weight,
            gather_negatives=recipe.gather_negatives,
        )
        on_gpu = accelerator.device.type == "cuda"
        optimizer = torch.optim.AdamW(parameter_groups(self.model, recipe), fused=on_gpu or None)
        self.objective, self.optimizer = accelerator.prepare(objective, optimizer)

    @property
    def result(self) -> Dmmi:
        """Return the network that is evaluated and saved."""
        return self.model if self.average is None else cast(Dmmi, self.average.module)

    def run(self) -> None:
        """Train to the last step, saving checkpoints and the best model.

        Raises ModelError if the loss is not finite or a checkpoint is damaged or of another recipe.
        """
        self.output.mkdir(parents=True, exist_ok=True)
        self._resume()
        if len(set(gather_list([self.step]))) > 1:
            raise ModelError(f"processes find different checkpoints; all machines must share {self.output}")
        if self.step >= self.steps:
            return
        recipe = self.recipe
        recent: list[dict[str, Tensor]] = []
        validation = held_out_samples(recipe.data) if recipe.validate_every else ()
        log = TrainingLogger(
            self.output,
            start=self.step,
            steps=self.steps,
            batch_size=recipe.batch_size,
            enabled=self.accelerator.is_main_process,
        )
        for batches in self._batches():
            recent.append(self._train_step(batches))
            log.advance()
            if self._is_due(recipe.log_every):
                log.report(self.step, self._means(recent), self.optimizer.param_groups[0]["lr"])
                recent = []
            if validation and self._is_due(recipe.validate_every):
                self._validate(validation, log)
            if self._is_due(recipe.checkpoint_every):
                if recent:
                    self._means(recent)  # raises if a loss is nan: such weights must not replace good ones
                self._save()
        log.close()

    def _is_due(self, every: int | None) -> bool:
        """Return whether an action of every `every` steps, and after the last step, is due."""
        return every is not None and (self.step % every == 0 or self.step == self.steps)

    def _batches(self) -> Iterator[list[Batch]]:
        """Yield the batches of this process's forward passes, for each optimizer step that is left."""
        positions = self.batch_sampler.positions(self.step, self.steps)
        loader = iter(open_loader(self.dataset, positions, self.recipe, self.model.config, self.tokenizer))
        while batches := list(islice(loader, self.recipe.accumulate)):
            yield batches

    def _train_step(self, batches: list[Batch]) -> dict[str, Tensor]:
        """Do one optimizer step, and return the mean loss terms of this process."""
        recipe, accelerator = self.recipe, self.accelerator
        # Dropout depends on the step and the process alone, so that resuming is exact.
        torch.manual_seed(recipe.seed + self.step * accelerator.num_processes + accelerator.process_index)
        factor = learning_rate_factor(self.step, self.steps, recipe.warmup_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * factor
        means = self._backward(batches)
        if accelerator.num_processes > 1:
            self._require_gradients()
        if recipe.clip_norm is not None:
            accelerator.clip_grad_norm_(self.objective.parameters(), recipe.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.average is not None:
            self.average.update_parameters(self.model)
        self.step += 1
        return means

    def _backward(self, batches: list[Batch]) -> dict[str, Tensor]:
        """Compute the gradients of the mean loss over `batches`, and return the mean loss terms.

        Processes synchronise their gradients after the last batch only.
        """
        means: dict[str, Tensor] = {}
        for number, batch in enumerate(batches, start=1):
            last = number == len(batches)
            with nullcontext() if last else self.accelerator.no_sync(self.objective):
                terms = self.objective(batch.to(self.accelerator.device))
                terms = {"total": weighted_sum(terms, self.recipe.losses), **terms}
                self.accelerator.backward(terms["total"] / len(batches))
            for name, value in terms.items():
                means[name] = means.get(name, 0) + value.detach() / len(batches)
        return means

    def _require_gradients(self) -> None:
        """Raise ModelError for a parameter that the loss does not reach: processes cannot synchronise it."""
        if names := unreached(self.model):
            raise ModelError(
                f"{len(names)} parameters have no effect on the loss, such as {names[0]}; "
                "several processes need them in the recipe's freeze"
            )

    def _means(self, recent: list[dict[str, Tensor]]) -> dict[str, float]:
        """Average the last steps' loss terms over all processes. Raises ModelError if one is not finite."""
        rows = torch.stack([torch.stack(list(terms.values())) for terms in recent])
        rows = self.accelerator.reduce(rows, "mean").cpu()
        for step, total in enumerate(rows[:, 0], start=self.step - len(recent)):
            if not torch.isfinite(total):
                raise ModelError(f"the loss is {total.item()} at step {step}; try a lower learning_rate")
        return dict(zip(recent[0], rows.mean(dim=0).tolist(), strict=True))

    def _validate(self, samples: Sequence[Sample], log: TrainingLogger) -> None:
        """Score the network, and save it as the best model if it is."""
        segmenter = Segmenter.of_network(self.result, self.tokenizer, device=str(self.accelerator.device))
        scores = evaluate(segmenter, samples, self.recipe.data.images)
        train_mode(self.model, self.recipe)  # the segmenter has set evaluation mode
        log.report_scores(self.step, scores)
        score = scores[self.recipe.select_by]
        if score is not None and (self.best is None or score > self.best):
            self.best = score
            if self.accelerator.is_main_process:
                save_model(self.result, self.tokenizer, self.output / BEST)

    def _save(self) -> None:
        if self.accelerator.is_main_process:
            save_state(self._state(), self.output)
            save_model(self.result, self.tokenizer, self.output / MODEL)
        self.accelerator.wait_for_everyone()

    def _state(self) -> dict[str, Any]:
        """Return all that resuming needs."""
        parts: dict[str, Any] = {"model": self.model, "optimizer": self.optimizer, "average": self.average}
        parts["scaler"] = self.accelerator.scaler
        states = {name: part.state_dict() for name, part in parts.items() if part is not None}
        return {"step": self.step, "best": self.best, **states}

    def _resume(self) -> None:
        """Load the last checkpoint, if there is one. Raises ModelError if it does not fit."""
        state = load_state(self.output, self.accelerator.device)
        if state is None:
            return
        try:
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            if self.average is not None:
                self.average.load_state_dict(state["average"])
            if self.accelerator.scaler is not None:
                self.accelerator.scaler.load_state_dict(state["scaler"])
            self.step, self.best = state["step"], state["best"]
        except (RuntimeError, ValueError, KeyError) as error:
            raise ModelError(
                f"{self.output / LAST} is of another recipe; choose another output folder"
            ) from error
        # The learning rates are those of the recipe, even if the checkpoint has others.
        for group, mine in zip(
            self.optimizer.param_groups, parameter_groups(self.model, self.recipe), strict=True
        ):
            group.update({name: value for name, value in mine.items() if name != "params"})
        logger.info("going on from step %d of %d in %s", self.step, self.steps, self.output)


def _accelerator(recipe: Recipe) -> Accelerator:
    """Return the accelerator. Raises InputError for a precision and ModelError for a device not available."""
    device = select_device(recipe.device)
    if recipe.precision == "fp16" and device.type == "cpu":
        raise InputError("recipe: precision fp16 needs a GPU; on a CPU it must be fp32 or bf16")
    precision = "no" if recipe.precision == "fp32" else recipe.precision
    try:
        accelerator = Accelerator(cpu=device.type == "cpu", mixed_precision=precision)
    except ValueError as error:  # an earlier training of this process had another precision
        raise InputError(f"precision {recipe.precision} cannot be used: {one_line(error)}") from error
    if not accelerator.is_main_process:
        logging.getLogger("dmmi_core").setLevel(logging.ERROR)
    return accelerator
