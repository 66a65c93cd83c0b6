"""Texts as the ids of word pieces. Without transformers, whose import takes seconds."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from tokenizers import Tokenizer

from dmmi_core.checkpoints.folder import TOKENIZER
from dmmi_core.config import DmmiConfig
from dmmi_core.errors import ModelError, one_line


class Pieces(NamedTuple):
    ids: np.ndarray
    """int64 (L,), with [CLS] and [SEP]."""
    mask: np.ndarray
    """bool (L,): True, but for what fills a text of a model that attends to padding."""
    count: int
    """Before what is past the model's `max_tokens` was cut off."""


class WordPieces:
    """As `dmmi_core.model.text.tokenize` has it, of one text at a time."""

    def __init__(self, tokenizer: Tokenizer, config: DmmiConfig):
        self._tokenizer = Tokenizer.from_str(tokenizer.to_str())  # a copy, for what is changed here
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True  # "[MASK]" in a text is what somebody typed
        self._limit, self._fill = config.max_tokens, config.attend_padding

    @classmethod
    def read(cls, folder: Path, config: DmmiConfig) -> "WordPieces":
        """Of the tokenizer in a model folder. Raises ModelError."""
        if not (folder / TOKENIZER).is_file():  # a vocabulary alone, which only transformers understands
            from dmmi_core.model.text import load_tokenizer

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
            count=len(ids),
        )
