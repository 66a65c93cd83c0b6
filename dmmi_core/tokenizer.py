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

TOKENIZER, VOCABULARY = "tokenizer.json", "vocab.txt"
PLAIN = {"split_special_tokens": True}
"""Reads a typed "[MASK]" as six plain characters."""
SPECIAL = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
"""BERT's special tokens by their names in transformers."""


class Pieces(NamedTuple):
    """The word pieces of one text."""

    ids: np.ndarray
    """int64 (L,), with [CLS] and [SEP]."""
    mask: np.ndarray
    """bool (L,): True for real tokens, False for padding."""
    total: int
    """Number of pieces before the text was cut to the model's `max_tokens`."""


class WordPieces:
    """Tokenizes one text at a time, with the ids that `tokenize` gives.

    Raises ModelError for a tokenizer that is not BERT's, or has ids that the model does not know.
    """

    def __init__(self, tokenizer: Tokenizer, config: DmmiConfig):
        _check(tokenizer, config)
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
        """Raises ModelError if the tokenizer cannot read the text."""
        try:
            ids = self._tokenizer.encode(text).ids
        except Exception as error:  # the library has no narrower class
            raise ModelError(f"the model's tokenizer is damaged: {one_line(error)}") from error
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


def _check(tokenizer: Tokenizer, config: DmmiConfig) -> None:
    """Raise ModelError if `tokenizer` does not fit the model."""
    if lacking := [token for token in SPECIAL.values() if tokenizer.token_to_id(token) is None]:
        raise ModelError(f"the tokenizer is not BERT's: it has no {', '.join(lacking)}")
    around = [tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]")]
    if tokenizer.encode("").ids != around:
        raise ModelError("the tokenizer is not BERT's: it does not put [CLS] and [SEP] around a text")
    known, highest = config.text_encoder.vocab_size, max(tokenizer.get_vocab().values())
    if highest >= known:
        raise ModelError(f"the tokenizer has the id {highest}, but the model knows {known} word pieces")


def load_tokenizer(folder: str | Path) -> "PreTrainedTokenizerBase":
    """Read BERT's tokenizer from a local folder with tokenizer.json or vocab.txt, never from a network.

    A vocab.txt without settings is read as that of an uncased BERT. Raises ModelError.
    """
    try:
        tokenizer = _read_tokenizer(Path(folder))
    except Exception as error:  # a damaged file makes transformers raise many kinds
        raise ModelError(f"no tokenizer in {folder}: it needs tokenizer.json or vocab.txt") from error
    ids = tokenizer.backend_tokenizer.get_vocab(with_added_tokens=False)  # transformers adds what lacks
    if lacking := [token for token in SPECIAL.values() if token not in ids]:
        raise ModelError(f"the tokenizer in {folder} is not BERT's: it has no {', '.join(lacking)}")
    # A tokenizer.json alone does not say which of its tokens are for padding, masking and so on.
    unnamed: dict = {name: token for name, token in SPECIAL.items() if getattr(tokenizer, name) is None}
    tokenizer.add_special_tokens(unnamed)
    return tokenizer


def _read_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    from transformers import AutoTokenizer, BertTokenizerFast  # type: ignore[attr-defined]

    settings = (TOKENIZER, "tokenizer_config.json", "config.json")
    if (folder / VOCABULARY).is_file() and not any((folder / name).is_file() for name in settings):
        return BertTokenizerFast(str(folder / VOCABULARY))
    return AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)


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
