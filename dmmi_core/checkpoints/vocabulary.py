"""A smaller vocabulary: only the word pieces that people's requests need, and enough to spell any other."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn
from transformers import PreTrainedTokenizerBase

from dmmi_core.errors import InputError
from dmmi_core.model import Dmmi
from dmmi_core.tokenizer import TOKENIZER, load_tokenizer

CONTINUED = "##"
"""Begins a piece that continues a word."""


def read_vocabulary(path: str | Path) -> list[str]:
    """Read the word pieces in a file, one a line. Raises InputError."""
    try:
        return Path(path).read_text(encoding="utf-8").split()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text") from error


def trim_vocabulary(
    network: Dmmi, tokenizer: PreTrainedTokenizerBase, pieces: Sequence[str]
) -> PreTrainedTokenizerBase:
    """Keep only the embeddings of `pieces` in `network`, in this order; return the tokenizer for them.

    What the network makes of a text stays the same, but for words that had a piece of their own which is not
    kept: they are spelled by smaller ones. Raises InputError where a text could become unreadable.
    """
    ids = tokenizer.get_vocab()
    _check(pieces, ids, tokenizer.all_special_tokens)
    embeddings = network.text.bert.embeddings.word_embeddings
    rows = torch.tensor([ids[piece] for piece in pieces], device=embeddings.weight.device)
    smaller = _renumbered(tokenizer, pieces)
    network.text.bert.set_input_embeddings(_rows_of(embeddings, rows, smaller.pad_token_id))
    network.text.bert.config.vocab_size = len(pieces)
    network.config = replace(
        network.config, text_encoder=replace(network.config.text_encoder, vocab_size=len(pieces))
    )
    return smaller


def spelling_pieces(vocabulary: Sequence[str]) -> list[str]:
    """Return the pieces of one ASCII or Latin letter, digit, mark or symbol, to spell any such text."""
    return [piece for piece in vocabulary if _is_latin(piece.removeprefix(CONTINUED))]


def _is_latin(text: str) -> bool:
    """Whether it is one character of Latin writing, its marks and its symbols included."""
    if len(text) != 1:
        return False
    point = ord(text)
    return point < 0x250 or 0x1E00 <= point < 0x1F00 or 0x2000 <= point < 0x2C00


def _check(pieces: Sequence[str], ids: dict[str, int], special: Sequence[str]) -> None:
    kept = set(pieces)
    if len(kept) < len(pieces):
        raise InputError(f"the vocabulary has {len(pieces) - len(kept)} word pieces twice")
    if unknown := [piece for piece in pieces if piece not in ids]:
        raise InputError(f"the tokenizer lacks {_some(unknown)} of the vocabulary")
    if missing := [piece for piece in (*special, *spelling_pieces(list(ids))) if piece not in kept]:
        raise InputError(f"the vocabulary lacks {_some(missing)}, without which texts become unreadable")


def _some(pieces: list[str]) -> str:
    rest = f" and {len(pieces) - 3} more word pieces" if len(pieces) > 3 else ""
    return ", ".join(map(repr, pieces[:3])) + rest


def _rows_of(embeddings: nn.Embedding, rows: torch.Tensor, padding: int) -> nn.Embedding:
    kept = embeddings.weight.detach()[rows].clone()
    smaller = nn.Embedding.from_pretrained(kept, freeze=False, padding_idx=padding)
    smaller.weight.requires_grad_(embeddings.weight.requires_grad)
    return smaller.train(embeddings.training)


def _renumbered(tokenizer: PreTrainedTokenizerBase, pieces: Sequence[str]) -> PreTrainedTokenizerBase:
    """Return the same tokenizer with other ids: the positions in `pieces`."""
    ids = {piece: index for index, piece in enumerate(pieces)}
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        path = Path(folder, TOKENIZER)
        settings = json.loads(path.read_text(encoding="utf-8"))
        settings["model"]["vocab"] = ids
        settings["added_tokens"] = [
            {**token, "id": ids[token["content"]]} for token in settings["added_tokens"]
        ]
        settings["added_tokens"].sort(key=lambda token: token["id"])
        if settings.get("padding"):
            settings["padding"]["pad_id"] = ids[settings["padding"]["pad_token"]]
        _renumber_template(settings["post_processor"], ids)
        path.write_text(json.dumps(settings, ensure_ascii=False), encoding="utf-8")
        smaller = load_tokenizer(folder)
    smaller.name_or_path = tokenizer.name_or_path
    return smaller


def _renumber_template(processor: dict, ids: dict[str, int]) -> None:
    """Renumber the processor that puts [CLS] and [SEP] around a text, in either of its forms."""
    for token in processor.get("special_tokens", {}).values():
        token["ids"] = [ids[name] for name in token["tokens"]]
    for name in ("cls", "sep"):
        if name in processor:
            processor[name][1] = ids[processor[name][0]]
