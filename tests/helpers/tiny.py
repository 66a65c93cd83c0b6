"""Networks, tokenizers and weights small enough to be made within a test."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn
from transformers import (  # type: ignore[attr-defined]
    BertConfig,
    BertModel,
    BertTokenizerFast,
    PreTrainedTokenizerBase,
)

from dmmi_core.config import DmmiConfig, TextEncoderConfig
from dmmi_core.model import Dmmi, DmmiOutput
from dmmi_core.model.dmmi import EncodedText

torch.set_num_threads(1)  # more threads would slow such small networks down

WORDS = """
    [PAD] [UNK] [CLS] [SEP] [MASK] a an the all every two three four five six one zero and on in
    find show me point at segment look select dog dogs cat cats cup cups bus buses person people
    left right middle side ##most biggest largest smallest zeb ##ra ##s red green , . ! 's
""".split()  # noqa: SIM905

TEXT_ENCODER = TextEncoderConfig(
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=32,
    vocab_size=len(WORDS),
    max_position_embeddings=64,
)
CONFIG = DmmiConfig(
    backbone="test_efficientnet",
    image_mean=(0.5, 0.5, 0.5),
    image_std=(0.5, 0.5, 0.5),
    image_size=64,
    text_encoder=TEXT_ENCODER,
    hidden_size=16,
    normalize_skips=False,
    output_stride=4,
    decoder_heads=2,
    feedforward_size=32,
    decoder_dropout=0.0,
    presence=True,
)
SWIN_ARGS = {
    "embed_dim": 16,
    "depths": [2, 1, 1, 1],
    "num_heads": [1, 2, 2, 4],
    "window_size": 4,
    "always_partition": True,
}
FAMILIES = {
    "swin": {"backbone": "swin_tiny_patch4_window7_224", "backbone_args": SWIN_ARGS, "normalize_skips": True},
    "resnet": {"backbone": "test_resnet"},
    "efficientnet": {"backbone": "test_efficientnet"},
}
"""Settings of a small member of each backbone family that a preset uses."""


def make_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Write a vocabulary of WORDS to `folder`, and return its tokenizer."""
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    return BertTokenizerFast(vocab=str(vocabulary), model_max_length=TEXT_ENCODER.max_position_embeddings)


def make_model(config: DmmiConfig = CONFIG, seed: int = 0) -> Dmmi:
    """Return a float32 network in evaluation mode; no weight is zero, one or symmetric by initialisation."""
    torch.manual_seed(seed)
    model = Dmmi(config).eval()
    randomize(model)
    return model


def randomize(module: nn.Module) -> None:
    """Draw norms, biases and buffers at random."""
    for name, value in [*module.named_parameters(), *module.named_buffers()]:
        if name.endswith("running_var"):
            nn.init.uniform_(value, 0.5, 1.5)
        elif value.is_floating_point() and value.dim() < 2:
            nn.init.normal_(value, 1.0 if name.endswith("weight") else 0.0, 0.2)


def write_backbone(path: Path, name: str = CONFIG.backbone, **arguments: Any) -> None:
    torch.manual_seed(0)
    torch.save(timm.create_model(name, **arguments).state_dict(), path)


def write_text_encoder(folder: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    torch.manual_seed(0)
    BertModel(BertConfig(**vars(TEXT_ENCODER))).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


PRESENT, ABSENT = "the dogs", "dog"


class RedFinder(nn.Module):
    """Fake network: the probability of foreground is how much redder than green a pixel is.

    The presence depends on the length of the text: 0.9 for PRESENT, 0.1 for ABSENT.
    """

    SIDE = 64

    def __init__(self, presence: bool = True):
        super().__init__()
        self.config = replace(CONFIG, image_size=self.SIDE, presence=presence)
        self.encoded: list[list[int]] = []
        self.seen: list[Tensor] = []

    def normalize(self, image: Tensor) -> Tensor:
        assert image.dtype == torch.uint8
        return image / 255

    def encode_text(self, ids: Tensor, mask: Tensor) -> EncodedText:
        assert mask.all() and len(ids) == 1
        self.encoded.append(ids[0].tolist())
        return EncodedText(ids[..., None].float())

    def forward(
        self, image: Tensor, text: EncodedText, mask: Tensor, image_of: Tensor | None = None
    ) -> DmmiOutput:
        self.seen.append(image)
        if image_of is not None:
            image = image[image_of]
        red = (image[:, 0] - image[:, 1]).clamp(1e-4, 1 - 1e-4)
        logits = torch.stack([torch.zeros_like(red), red.logit()], dim=1)
        lengths = mask.sum(dim=1)
        presence = torch.where(lengths > 3, 0.9, 0.1).logit() if self.config.presence else None
        return DmmiOutput(logits, text.features, presence)
