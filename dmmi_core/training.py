"""A plain single-process trainer: CPU or GPU, mixed precision, resumable."""

import json
import logging
import os
import time
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from transformers import PreTrainedTokenizerBase

from dmmi_core import losses
from dmmi_core.checkpoint import load_model, save_model
from dmmi_core.config import PRESETS, preset
from dmmi_core.data.batching import Batch, Collate
from dmmi_core.data.dataset import SceneDataset
from dmmi_core.data.scenes import is_validation, read_scenes
from dmmi_core.device import select_device
from dmmi_core.errors import InputError, ModelError
from dmmi_core.model import Dmmi
from dmmi_core.model.text import load_tokenizer
from dmmi_core.pretrained import load_backbone, load_text_encoder, read_weights, resolve
from dmmi_core.recipe import LossRecipe, Recipe

logger = logging.getLogger(__name__)
STATE, LOG, MODEL = "training.pt", "log.jsonl", "model"


class Trainer:
    """Trains as a recipe says; `run` goes on from the last checkpoint in the output folder, if it has one."""

    def __init__(self, recipe: Recipe):
        if recipe.precision not in ("fp32", "bf16"):
            raise InputError(f"recipe: precision is {recipe.precision!r}; it must be fp32 or bf16")
        self.recipe = recipe
        self.output = Path(recipe.output)
        self.device = select_device(recipe.device)
        torch.manual_seed(recipe.seed)
        model, self.tokenizer = starting_point(recipe)
        self.model = model.to(self.device, memory_format=torch.channels_last).train()
        self._freeze()
        self.optimizer = torch.optim.AdamW(self._groups())
        self.step = 0

    def run(self) -> None:
        self.output.mkdir(parents=True, exist_ok=True)
        self._resume()
        recipe, started, since = self.recipe, time.monotonic(), self.step
        recent: list[dict[str, float]] = []
        for batch in self._batches():
            recent.append(self._train_step(batch.to(self.device)))
            if self.step % recipe.log_every == 0:
                rate = (self.step - since) * recipe.batch_size / (time.monotonic() - started)
                self._report({name: fmean(terms[name] for terms in recent) for name in recent[0]}, rate)
                recent = []
            if self.step % recipe.checkpoint_every == 0 or self.step == recipe.steps:
                self._save()

    def _batches(self) -> DataLoader:
        recipe, config = self.recipe, self.model.config
        scenes = read_scenes(recipe.data.annotations)
        scenes = [scene for scene in scenes if not is_validation(scene.image, recipe.data.validation_share)]
        dataset = SceneDataset(scenes, recipe.data.images, recipe.image_size, recipe.seed)
        return DataLoader(
            dataset,
            batch_size=recipe.batch_size,
            sampler=range(self.step * recipe.batch_size, recipe.steps * recipe.batch_size),
            collate_fn=Collate(self.tokenizer, config.max_tokens, fill=config.attend_padding),
            num_workers=recipe.workers,
            pin_memory=self.device.type == "cuda",
        )

    def _train_step(self, batch: Batch) -> dict[str, float]:
        torch.manual_seed(self.recipe.seed + self.step)  # dropout goes by the step, so that resuming is exact
        self._set_learning_rates()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.precision == "bf16"):
            terms = training_losses(self.model, batch, self.recipe.background_weight)
        total = weighted_sum(terms, self.recipe.losses)
        if not torch.isfinite(total):
            raise ModelError(f"the loss is {total.item()} at step {self.step}; try a lower learning_rate")
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        return {"total": total.item(), **{name: value.item() for name, value in terms.items()}}

    def _freeze(self) -> None:
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad_(not name.startswith(self.recipe.freeze))
        for name, module in self.model.named_modules():
            if self.recipe.freeze and f"{name}.".startswith(tuple(f"{p}." for p in self.recipe.freeze)):
                module.eval()  # frozen norms keep their statistics, frozen text its dropout off

    def _groups(self) -> list[dict]:
        """Image encoder and the rest, each without weight decay for norms and biases."""
        groups: dict[tuple[bool, bool], list[Tensor]] = {}
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                groups.setdefault((name.startswith("visual."), parameter.dim() > 1), []).append(parameter)
        recipe = self.recipe
        return [
            {
                "params": params,
                "peak": recipe.backbone_learning_rate if visual else recipe.learning_rate,
                "weight_decay": recipe.weight_decay if matrix else 0.0,
            }
            for (visual, matrix), params in groups.items()
        ]

    def _set_learning_rates(self) -> None:
        """Linear warm-up, then the paper's polynomial decay, power 0.9."""
        recipe = self.recipe
        factor = (1 - self.step / recipe.steps) ** 0.9 * min(
            1.0, (self.step + 1) / max(recipe.warmup_steps, 1)
        )
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * factor

    def _report(self, means: dict[str, float], rate: float) -> None:
        left = (self.recipe.steps - self.step) * self.recipe.batch_size / rate
        text = "  ".join(f"{name} {value:.3f}" for name, value in means.items())
        logger.info(
            "step %d/%d  %s  %.1f images/s  %.0f min left",
            self.step,
            self.recipe.steps,
            text,
            rate,
            left / 60,
        )
        with open(self.output / LOG, "a", encoding="utf-8") as file:
            file.write(json.dumps({"step": self.step, **means, "images_per_s": rate}) + "\n")

    def _save(self) -> None:
        state = {
            "step": self.step,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        temporary = self.output / f"{STATE}.new"
        torch.save(state, temporary)
        os.replace(temporary, self.output / STATE)
        save_model(self.model, self.tokenizer, self.output / MODEL)

    def _resume(self) -> None:
        path = self.output / STATE
        if not path.exists():
            return
        state = read_weights(path, self.device)
        try:
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            # The recipe's rates hold, also where they are not those of the part before.
            for group, mine in zip(self.optimizer.param_groups, self._groups(), strict=True):
                group.update({name: value for name, value in mine.items() if name != "params"})
        except (RuntimeError, ValueError, KeyError) as error:
            raise ModelError(f"{path} is of another recipe; choose another output folder") from error
        self.step = state["step"]
        logger.info("going on from step %d in %s", self.step, path)


def starting_point(recipe: Recipe) -> tuple[Dmmi, PreTrainedTokenizerBase]:
    """A preset with its pretrained encoders, or a model folder with everything that it holds."""
    if recipe.model not in PRESETS and Path(recipe.model).is_dir():
        model, tokenizer = load_model(Path(recipe.model))
        model.config = replace(model.config, image_size=recipe.image_size)
        return model, tokenizer
    model = Dmmi(replace(preset(recipe.model), image_size=recipe.image_size))
    load_backbone(model, recipe.backbone_weights)
    load_text_encoder(model, recipe.text_weights)
    return model, load_tokenizer(resolve(recipe.text_weights))


def training_losses(model: Dmmi, batch: Batch, background_weight: float = 1.0) -> dict[str, Tensor]:
    """Every loss term that the model's configuration has, unweighted among each other."""
    text = model.encode_text(batch.ids, batch.mask)
    erased = model.encode_text(batch.erased_ids, batch.mask)
    output = model(model.normalize(batch.image), text, batch.mask, erased=erased)
    has_target, logits = batch.has_target, output.logits.float()
    terms = {
        "segmentation": losses.segmentation_loss(logits, batch.target, background_weight),
        "dice": losses.dice_loss(logits, batch.target),
    }
    if output.recovered is not None:
        terms["similarity"] = losses.similarity_loss(
            output.text.float(), output.recovered.float(), batch.mask, has_target
        )
    if output.image_embedding is not None:
        terms["contrast"] = losses.contrastive_loss(
            output.image_embedding.float(), output.text_embedding.float(), has_target
        )
    if output.presence is not None:
        terms["presence"] = losses.presence_loss(output.presence.float(), has_target)
    return terms


def weighted_sum(terms: dict[str, Tensor], weights: LossRecipe) -> Tensor:
    return sum(getattr(weights, name) * value for name, value in terms.items())
