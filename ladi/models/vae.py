"""The autoencoder of Stable Diffusion, handing out encoder features and accepting decoder skips.

It is diffusers' ``AutoencoderKL`` with the same parameters and names, so any of its checkpoints loads; added
are the two methods that EMASC needs (paper section 3.3). It knows nothing of masks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils.accelerate_utils import apply_forward_hook

__all__ = ["DepthSkip", "EmascAutoencoderKL", "ModelMixin", "sample_moments"]

DepthSkip = Callable[[int, torch.Tensor], torch.Tensor]
"""(depth, hidden (B,C,h,w)) → what to add there, the same shape; depth 0 is the shallowest."""


def sample_moments(moments: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """A latent from its distribution: (B,2L,h,w) mean and log-variance, (B,L,h,w) noise → (B,L,h,w)."""
    mean, log_variance = moments.chunk(2, dim=1)
    return mean + torch.exp(0.5 * log_variance.clamp(-30.0, 20.0)) * noise


class EmascAutoencoderKL(AutoencoderKL):
    """``AutoencoderKL`` with encoder features out and decoder skips in."""

    @property
    def scale_factor(self) -> int:
        """Picture pixels per latent pixel, 8 as published."""
        return 2 ** (len(self.config.block_out_channels) - 1)

    @property
    def skip_channels(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Widths of the features handed out and of the skips accepted, shallowest first."""
        widths = tuple(self.config.block_out_channels)
        incoming = (widths[0], widths[0], *widths[:-1])
        outgoing = (widths[0], *widths[1:], widths[-1])
        return incoming, outgoing

    @apply_forward_hook
    def encode_with_features(self, image: torch.Tensor) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        """Encodes, and keeps what EMASC needs on the way.

        Args:
            image: (B,3,H,W) in [-1,1].

        Returns:
            The latent distribution's moments (B,2L,H/8,W/8), and the features after the first convolution and
            at the input of every down block, shallowest first; the first two are equal.
        """
        if self.use_slicing and len(image) > 1:
            rows = [self.encode_with_features(row) for row in image.split(1)]
            features_of_rows = zip(*(features for _, features in rows), strict=True)
            moments = torch.cat([moments for moments, _ in rows])
            return moments, tuple(torch.cat(depth) for depth in features_of_rows)
        encoder = self.encoder
        hidden = encoder.conv_in(image)
        features = [hidden]
        for block in encoder.down_blocks:
            features.append(hidden)
            hidden = block(hidden)
        hidden = encoder.mid_block(hidden)
        hidden = encoder.conv_out(encoder.conv_act(encoder.conv_norm_out(hidden)))
        moments = self.quant_conv(hidden) if self.quant_conv is not None else hidden
        return moments, tuple(features)

    @apply_forward_hook
    def decode_with_skips(
        self,
        latents: torch.Tensor,
        skips: Sequence[torch.Tensor] | None = None,
        adapt: DepthSkip | None = None,
    ) -> torch.Tensor:
        """Decodes, adding skips at each depth.

        All rows at once, also with slicing on: the skips belong to rows, and whoever makes them slices.

        Args:
            latents: (B,L,h,w), already divided by the scaling factor.
            skips: one tensor per depth, shallowest first, as ``EMASC`` returns them; none decodes plainly.
            adapt: makes a further skip at each depth from what the decoder has there, as ``GarmentSkips``
                does.

        Returns:
            (B,3,8h,8w), about [-1,1], not clamped.
        """
        decoder = self.decoder
        hidden = self.post_quant_conv(latents) if self.post_quant_conv is not None else latents
        hidden = decoder.mid_block(decoder.conv_in(hidden))

        def with_skips(hidden: torch.Tensor, depth: int) -> torch.Tensor:
            if skips is not None:
                hidden = hidden + skips[depth]
            return hidden if adapt is None else hidden + adapt(depth, hidden)

        deepest = len(decoder.up_blocks)
        for index, block in enumerate(decoder.up_blocks):
            hidden = with_skips(hidden, deepest - index)
            if torch.is_grad_enabled() and decoder.gradient_checkpointing:
                hidden = decoder._gradient_checkpointing_func(block, hidden)
            else:
                hidden = block(hidden)
        hidden = decoder.conv_act(decoder.conv_norm_out(hidden))
        return decoder.conv_out(with_skips(hidden, 0))
