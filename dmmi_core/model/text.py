"""The BERT-family text encoder."""

from torch import Tensor, nn
from transformers import BertConfig, BertModel

from dmmi_core.config import TextEncoderConfig


class TextEncoder(nn.Module):
    """BERT without its pooler, and a linear projection to `width` if its hidden size differs."""

    def __init__(self, config: TextEncoderConfig, width: int):
        super().__init__()
        self.bert = BertModel(BertConfig(**vars(config)), add_pooling_layer=False)
        same = config.hidden_size == width
        self.projection = nn.Identity() if same else nn.Linear(config.hidden_size, width)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """ids int64 (B, L), mask bool (B, L), True for real tokens -> E (B, L, width)."""
        return self.projection(self.features(ids, mask))

    def features(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the features before the projection, (B, L, config.hidden_size)."""
        return self.bert(input_ids=ids, attention_mask=mask.long()).last_hidden_state
