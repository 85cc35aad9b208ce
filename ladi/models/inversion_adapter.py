"""The textual-inversion adapter: a garment's CLIP features → pseudo-word embeddings (paper section 3.3).

The file ``inversion_adapter_{d}.pth`` holds it. The module does not see pictures or text: the features come
from the vision encoder, and the pseudo-words are put into the text encoder, in ``diffusion/conditioning.py``.

Names of parameters are the published checkpoint's; sizes are configuration.
"""

from __future__ import annotations

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import nn
from transformers import CLIPVisionConfig
from transformers.models.clip.modeling_clip import CLIPEncoderLayer


class InversionAdapter(ModelMixin, ConfigMixin):
    """One CLIP encoder layer, its first token, and an MLP.

    Args:
        hidden_size: width of the vision encoder's hidden states.
        intermediate_size: width inside the encoder layer's MLP.
        num_heads: heads of the encoder layer's attention.
        num_layers: encoder layers, 1 as published.
        mlp_width: width of the two hidden layers after the encoder.
        num_words: pseudo-words per garment.
        word_dim: width of the text encoder's token embeddings.
        dropout: between the last layers, in training only.
    """

    @register_to_config
    def __init__(
        self,
        hidden_size: int = 1280,
        intermediate_size: int = 5120,
        num_heads: int = 16,
        num_layers: int = 1,
        mlp_width: int = 5120,
        num_words: int = 16,
        word_dim: int = 1024,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        layer_config = CLIPVisionConfig(
            hidden_size=hidden_size,
            intermediate_size=intermediate_size,
            num_attention_heads=num_heads,
            num_hidden_layers=num_layers,
            hidden_act="gelu",
            attn_implementation="sdpa",
        )
        self.encoder_layers = nn.ModuleList(CLIPEncoderLayer(layer_config) for _ in range(num_layers))
        self.post_layernorm = nn.LayerNorm(hidden_size, eps=layer_config.layer_norm_eps)
        self.layers = nn.Sequential(
            nn.Linear(hidden_size, mlp_width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(mlp_width, mlp_width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(mlp_width, num_words * word_dim),
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Turns a garment's features into words.

        Args:
            features: (B,N,hidden_size), the vision encoder's ``last_hidden_state``, class token first.

        Returns:
            (B,num_words,word_dim).
        """
        hidden = features
        for layer in self.encoder_layers:
            hidden = layer(hidden, attention_mask=None)  # [B,N,hidden_size]
        hidden = self.post_layernorm(hidden[:, 0])  # [B,hidden_size]
        return self.layers(hidden).unflatten(1, (self.config.num_words, self.config.word_dim))
