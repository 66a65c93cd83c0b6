"""Word pieces, against transformers on the same texts."""

from dataclasses import replace

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordPiece

from dmmi_core.errors import ModelError
from dmmi_core.tokenizer import TOKENIZER, WordPieces, tokenize
from helpers.tiny import CONFIG, WORDS

TEXTS = [
    "dog",
    "The two Zebras, on the left!",
    "the dog's",
    "über-wild 🙂",
    "the " * 17,
    "the " * 18,
    "the " * 40,
]


@pytest.mark.parametrize("fill", [False, True])
@pytest.mark.parametrize("text", TEXTS)
def test_as_transformers(tokenizer, text, fill):
    config = replace(CONFIG, attend_padding=fill)
    pieces = WordPieces(tokenizer.backend_tokenizer, config)(text)
    ids, mask = tokenize(tokenizer, [text], config.max_tokens, fill=fill)
    assert pieces.ids.tolist() == ids[0].tolist()
    assert pieces.mask.tolist() == mask[0].tolist()
    assert (pieces.ids.dtype, pieces.mask.dtype) == ("int64", "bool")
    assert pieces.total == len(tokenizer(text, verbose=False)["input_ids"])


@pytest.mark.parametrize("text", ["the [MASK] dog", "[SEP] dog", "dog[PAD]", "[CLS]", "[UNK] [mask]"])
def test_what_is_typed_is_no_special_token(tokenizer, text):
    pieces = WordPieces(tokenizer.backend_tokenizer, CONFIG)(text).ids.tolist()
    assert pieces == tokenizer(text, split_special_tokens=True)["input_ids"]
    assert pieces[0] == tokenizer.cls_token_id and pieces[-1] == tokenizer.sep_token_id
    assert not {tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.mask_token_id} & {*pieces[1:-1]}
    assert tokenizer.mask_token_id in tokenizer("[MASK]")["input_ids"], "the given one is as it was"


def test_the_tokenizer_that_is_given_is_left_alone(tokenizer):
    before = tokenizer.backend_tokenizer.to_str()
    WordPieces(tokenizer.backend_tokenizer, CONFIG)("the " * 40)
    assert tokenizer.backend_tokenizer.to_str() == before


def test_reading(model_folder, tokenizer, tmp_path):
    expected = WordPieces(tokenizer.backend_tokenizer, CONFIG)("the two zebras").ids.tolist()
    assert WordPieces.read(model_folder, CONFIG)("the two zebras").ids.tolist() == expected
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    assert WordPieces.read(tmp_path, CONFIG)("the two zebras").ids.tolist() == expected
    (tmp_path / TOKENIZER).write_text("{")
    with pytest.raises(ModelError, match=r"the tokenizer in .* is damaged"):
        WordPieces.read(tmp_path, CONFIG)


def test_a_tokenizer_of_more_words_than_the_model_is_refused(tokenizer):
    few = replace(CONFIG, text_encoder=replace(CONFIG.text_encoder, vocab_size=len(WORDS) - 1))
    with pytest.raises(ModelError, match=f"has the id {len(WORDS) - 1}, but the model knows"):
        WordPieces(tokenizer.backend_tokenizer, few)


def test_a_tokenizer_that_is_not_berts_is_refused():
    with pytest.raises(ModelError, match=r"not BERT's: it has no \[UNK\], \[SEP\]"):
        WordPieces(Tokenizer(WordPiece({"dog": 0}, unk_token="dog")), CONFIG)
    words = {word: index for index, word in enumerate(WORDS)}
    with pytest.raises(ModelError, match=r"does not put \[CLS\] and \[SEP\] around"):
        WordPieces(Tokenizer(WordPiece(words, unk_token="[UNK]")), CONFIG)
