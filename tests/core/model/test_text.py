import pytest
import torch

from dmmi_core.errors import ModelError
from dmmi_core.model.text import TextEncoder
from dmmi_core.tokenizer import load_tokenizer, tokenize
from helpers.tiny import CONFIG, TEXT_ENCODER, WORDS, randomize


def pieces(ids: torch.Tensor) -> str:
    return " ".join(WORDS[i] for i in ids)


def test_texts_become_word_pieces_padded_to_the_longest(tokenizer):
    ids, mask = tokenize(tokenizer, ["The Zebras, left!", "dog"], max_tokens=20)
    assert [pieces(row) for row in ids] == [
        "[CLS] the zeb ##ra ##s , left ! [SEP]",
        "[CLS] dog [SEP]" + 6 * " [PAD]",
    ]
    assert mask.dtype == torch.bool
    assert mask.tolist() == [[True] * 9, [True] * 3 + [False] * 6]


@pytest.mark.parametrize("limit", [3, 8, 20])
def test_long_texts_are_cut_before_the_last_token(tokenizer, limit):
    ids, mask = tokenize(tokenizer, ["dog " * 2000], limit)
    assert pieces(ids[0]) == " ".join(["[CLS]", *["dog"] * (limit - 2), "[SEP]"])
    assert mask.all()


def test_a_tokenizer_folder_is_read_back(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    assert load_tokenizer(tmp_path)("the zebras")["input_ids"] == tokenizer("the zebras")["input_ids"]


def write_remote_code(folder):
    """Write files that ask to run Python code next to them."""
    (folder / "tokenizer_config.json").write_text(
        '{"tokenizer_class": "Evil", "auto_map": {"AutoTokenizer": ["evil.Evil", "evil.Evil"]}}'
    )
    (folder / "evil.py").write_text(f"open({str(folder / 'executed')!r}, 'w').close()\nclass Evil: pass\n")


def write_damaged(folder):
    (folder / "tokenizer.json").write_text("{")
    (folder / "tokenizer_config.json").write_text("{}")


@pytest.mark.parametrize("write", [lambda folder: None, write_damaged, write_remote_code])
def test_a_folder_without_a_usable_tokenizer(write, tmp_path, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: "y")  # should anybody be asked whether to run code
    write(tmp_path)
    with pytest.raises(ModelError, match="no tokenizer in"):
        load_tokenizer(tmp_path)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("width", [TEXT_ENCODER.hidden_size, 24], ids=["as BERT", "projected"])
@torch.no_grad()
def test_padding_does_not_change_the_features(tokenizer, width):
    torch.manual_seed(0)
    encoder = TextEncoder(TEXT_ENCODER, width).double().eval()
    randomize(encoder)
    texts = ["the dog on the left", "a cup"]
    ids, mask = tokenize(tokenizer, texts, CONFIG.max_tokens)
    together = encoder(ids, mask)
    assert together.shape == (2, 7, width)
    garbage = torch.where(mask, ids, len(WORDS) - 1)
    torch.testing.assert_close(encoder(garbage, mask)[mask], together[mask], rtol=1e-10, atol=1e-12)
    for text, features, real in zip(texts, together, mask, strict=True):
        alone = encoder(*tokenize(tokenizer, [text], CONFIG.max_tokens))[0]
        torch.testing.assert_close(alone, features[real], rtol=1e-10, atol=1e-12)
