"""A trimmed vocabulary: the same network for what is kept, and any text still readable."""

import string
from dataclasses import replace

import pytest
import torch
from transformers import BertTokenizerFast

from dmmi_core.checkpoints.saved_network import load_model, save_model
from dmmi_core.checkpoints.vocabulary import read_vocabulary, spelling_pieces, trim_vocabulary
from dmmi_core.errors import InputError
from dmmi_core.tokenizer import WordPieces, load_tokenizer, tokenize
from helpers.paths import ROOT
from helpers.tiny import CONFIG, WORDS, make_model

LETTERS = sorted({*string.ascii_lowercase, *string.digits, *string.punctuation, "ø"} - {*WORDS})
_CONTINUED = {f"##{c}" for c in (*LETTERS, "a")} - {*WORDS}
WHOLE = ["[unused0]", *WORDS, *LETTERS, *sorted(_CONTINUED), "猫", "zebra"]
"""In an order in which no special token keeps its id."""
KEPT = [piece for piece in WHOLE if piece not in ("[unused0]", "zebra", "cats", "猫")]
TEXTS = ["the two dogs on the left", "Every cup!", "wølf's 2 boxes"]
LIST = ROOT / "training" / "dmmi-lite-vocabulary.txt"


@pytest.fixture
def whole(tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(WHOLE) + "\n", encoding="utf-8")
    return BertTokenizerFast(vocab=str(tmp_path / "vocab.txt"), model_max_length=64)


@pytest.fixture
def network():
    text = replace(CONFIG.text_encoder, vocab_size=len(WHOLE))
    return make_model(replace(CONFIG, text_encoder=text))


def test_what_is_kept_means_the_same(whole, network):
    before = network.text(*tokenize(whole, TEXTS, 20))
    trimmed = trim_vocabulary(network, whole, KEPT)
    ids, mask = tokenize(trimmed, TEXTS, 20)
    assert torch.equal(network.text(ids, mask), before)
    assert [trimmed.convert_ids_to_tokens(row) for row in ids.tolist()] == [
        whole.convert_ids_to_tokens(row) for row in tokenize(whole, TEXTS, 20)[0].tolist()
    ]
    assert network.config.text_encoder.vocab_size == len(KEPT) == len(trimmed)
    assert network.text.bert.embeddings.word_embeddings.weight.shape == (len(KEPT), 16)


def test_a_rare_word_is_spelled(whole, network):
    trimmed = trim_vocabulary(network, whole, KEPT)
    assert whole.tokenize("zebra cats") == ["zebra", "cats"]
    assert trimmed.tokenize("zebra cats") == ["zeb", "##ra", "cat", "##s"]
    assert "[UNK]" not in trimmed.tokenize("wølf_42#")
    assert trimmed.tokenize("猫") == ["[UNK]"]


def test_special_tokens_have_their_new_ids(whole, network):
    trimmed = trim_vocabulary(network, whole, KEPT)
    assert type(trimmed) is type(whole) and trimmed.model_max_length == whole.model_max_length
    for name in ("pad", "unk", "cls", "sep", "mask"):
        assert getattr(trimmed, f"{name}_token_id") == KEPT.index(f"[{name.upper()}]")
    assert trimmed("dog")["input_ids"] == [KEPT.index(piece) for piece in ("[CLS]", "dog", "[SEP]")]
    assert network.text.bert.embeddings.word_embeddings.padding_idx == KEPT.index("[PAD]")


def test_it_survives_a_model_folder(whole, network, tmp_path):
    trimmed = trim_vocabulary(network, whole, KEPT)
    expected = network.text(*tokenize(trimmed, TEXTS, 20))
    save_model(network, trimmed, tmp_path / "model")
    loaded, tokenizer = load_model(tmp_path / "model")
    assert tokenizer.get_vocab() == {piece: index for index, piece in enumerate(KEPT)}
    features = loaded.text(*tokenize(tokenizer, TEXTS, 20))
    assert torch.allclose(features, expected, atol=0.01), "but for the halved precision of the file"
    pieces = WordPieces.read(tmp_path / "model", loaded.config)
    for text in (*TEXTS, "zebra 猫"):
        assert pieces(text).ids.tolist() == load_tokenizer(tmp_path / "model")(text)["input_ids"]


def test_what_was_frozen_or_not_stays_so(whole, network):
    network.text.bert.requires_grad_(False)
    trim_vocabulary(network, whole, KEPT)
    assert not network.text.bert.embeddings.word_embeddings.weight.requires_grad


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        ([*KEPT, "unicorn"], "the tokenizer lacks 'unicorn'"),
        ([*KEPT, "dog"], "1 word pieces twice"),
        ([piece for piece in KEPT if piece != "[MASK]"], r"the vocabulary lacks '\[MASK\]'"),
        ([piece for piece in KEPT if piece != "##q"], "the vocabulary lacks '##q'"),
        (WORDS, "and .* more word pieces, without which texts become unreadable"),
    ],
)
def test_a_list_that_would_not_do(whole, network, pieces, message):
    with pytest.raises(InputError, match=message) as raised:
        trim_vocabulary(network, whole, pieces)
    assert "\n" not in str(raised.value)
    assert network.config.text_encoder.vocab_size == len(WHOLE), "nothing has changed"


def test_a_list_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        read_vocabulary(tmp_path / "none.txt")
    (tmp_path / "image.png").write_bytes(b"\x89PNG\xff")
    with pytest.raises(InputError, match="is not UTF-8 text"):
        read_vocabulary(tmp_path / "image.png")


def test_the_list_of_dmmi_lite():
    pieces = read_vocabulary(LIST)
    assert pieces[:5] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert len(pieces) == len(set(pieces)) == 12_000
    letters = {*string.ascii_lowercase, *string.digits, *string.punctuation}
    assert letters | {f"##{c}" for c in string.ascii_lowercase + string.digits} <= set(
        spelling_pieces(pieces)
    )
    assert {"refrigerator", "giraffe", "umbrella", "pedestrians", "leftmost", "##most"} & set(pieces)
