"""The BERT-family text encoder."""

from torch import Tensor, nn
from transformers import BertConfig, BertModel

from dmmi_core.config import TextEncoderConfig


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
