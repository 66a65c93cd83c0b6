"""Texts as word-piece ids: one at a time for inference, in batches of tensors for training.

Inference uses the `tokenizers` library alone: PyTorch and transformers take seconds to import.
"""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from tokenizers import Tokenizer

from dmmi_core.config import DmmiConfig
from dmmi_core.errors import ModelError, one_line

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase

TOKENIZER = "tokenizer.json"
PLAIN = {"split_special_tokens": True}
"""Reads a typed "[MASK]" as six plain characters."""


class Pieces(NamedTuple):
    """The word pieces of one text."""

    ids: np.ndarray
    """int64 (L,), with [CLS] and [SEP]."""
    mask: np.ndarray
    """bool (L,): True for real tokens, False for padding."""
    total: int
    """Number of pieces before the text was cut to the model's `max_tokens`."""


class WordPieces:
    """Tokenizes one text at a time, with the ids that `tokenize` gives."""

    def __init__(self, tokenizer: Tokenizer, config: DmmiConfig):
        self._tokenizer = Tokenizer.from_str(tokenizer.to_str())  # a copy, since its settings change here
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True  # as PLAIN
        self._limit, self._fill = config.max_tokens, config.attend_padding

    @classmethod
    def read(cls, folder: Path, config: DmmiConfig) -> "WordPieces":
        """Read the tokenizer of a model folder. Raises ModelError."""
        if not (folder / TOKENIZER).is_file():  # vocab.txt alone, which only transformers reads
            return cls(load_tokenizer(folder).backend_tokenizer, config)
        try:
            return cls(Tokenizer.from_file(str(folder / TOKENIZER)), config)
        except Exception as error:  # the library has no narrower class
            raise ModelError(f"the tokenizer in {folder} is damaged: {one_line(error)}") from error

    def __call__(self, text: str) -> Pieces:
        ids = self._tokenizer.encode(text).ids
        if self._fill:
            kept, missing = ids[: self._limit], max(0, self._limit - len(ids))
        else:
            kept, missing = ids if len(ids) <= self._limit else [*ids[: self._limit - 1], ids[-1]], 0
        padding = self._tokenizer.token_to_id("[PAD]")
        return Pieces(
            ids=np.array(kept + [padding] * missing, np.int64),
            mask=np.array([True] * len(kept) + [False] * missing),
            total=len(ids),
        )


def load_tokenizer(folder: str | Path) -> "PreTrainedTokenizerBase":
    """Read a transformers tokenizer from a local folder, never from a network. Raises ModelError."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # a damaged file makes transformers raise many kinds
        raise ModelError(f"no tokenizer in {folder}: it needs tokenizer.json or vocab.txt") from error


def tokenize(
    tokenizer: "PreTrainedTokenizerBase", texts: list[str], max_tokens: int, *, fill: bool = False
) -> "tuple[Tensor, Tensor]":
    """Return word-piece ids int64 (B, L) and mask bool (B, L), padded to the longest of `texts`.

    L is at most `max_tokens`; a longer text is cut before [SEP]. With `fill`, as in the released network,
    L is exactly `max_tokens`, and a longer text loses its [SEP].
    """
    import torch

    if fill:
        whole = tokenizer(
            texts, padding="max_length", max_length=max_tokens, truncation=False, verbose=False, **PLAIN
        )
        batch = {
            key: torch.tensor([row[:max_tokens] for row in whole[key]])
            for key in ("input_ids", "attention_mask")
        }
    else:
        limits = {"truncation": True, "max_length": max_tokens}
        batch = tokenizer(texts, padding=True, return_tensors="pt", **limits, **PLAIN)
    return batch["input_ids"], batch["attention_mask"].to(torch.bool)
