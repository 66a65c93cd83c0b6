"""The BERT-family text encoder, and tokenising for it."""

from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import AutoTokenizer, BertConfig, BertModel, PreTrainedTokenizerBase

from dmmi_core.config import TextEncoderConfig
from dmmi_core.errors import ModelError

PLAIN = {"split_special_tokens": True}
"""A typed "[MASK]" is six plain characters."""


class TextEncoder(nn.Module):
    """BERT without its pooler, then a projection to `width` if the two differ."""

    def __init__(self, config: TextEncoderConfig, width: int):
        super().__init__()
        self.bert = BertModel(BertConfig(**vars(config)), add_pooling_layer=False)
        same = config.hidden_size == width
        self.projection = nn.Identity() if same else nn.Linear(config.hidden_size, width)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """ids int64 (B, L), mask bool (B, L), True for real tokens -> (B, L, width)."""
        return self.projection(self.features(ids, mask))

    def features(self, ids: Tensor, mask: Tensor) -> Tensor:
        """The same before the projection: (B, L, hidden_size of the configuration)."""
        return self.bert(input_ids=ids, attention_mask=mask.long()).last_hidden_state


def load_tokenizer(folder: str | Path) -> PreTrainedTokenizerBase:
    """Reads a tokenizer from a local folder; never from a network."""
    try:
        return AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # a damaged file makes transformers raise many kinds
        raise ModelError(f"no tokenizer in {folder}: it needs tokenizer.json or vocab.txt") from error


def tokenize(
    tokenizer: PreTrainedTokenizerBase, texts: list[str], max_tokens: int, *, fill: bool = False
) -> tuple[Tensor, Tensor]:
    """Word-piece ids int64 (B, L) and mask bool (B, L), padded to the longest of `texts`.

    L is at most `max_tokens`; a longer text is cut before [SEP]. With `fill`, as the released network has
    it, L is exactly `max_tokens`, and a longer text loses its [SEP].
    """
    if fill:
        longest = tokenizer(
            texts, padding="max_length", max_length=max_tokens, truncation=False, verbose=False, **PLAIN
        )
        batch = {
            key: torch.tensor([row[:max_tokens] for row in longest[key]])
            for key in ("input_ids", "attention_mask")
        }
    else:
        limits = {"truncation": True, "max_length": max_tokens}
        batch = tokenizer(texts, padding=True, return_tensors="pt", **limits, **PLAIN)
    return batch["input_ids"], batch["attention_mask"].to(torch.bool)
