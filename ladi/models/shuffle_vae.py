"""The second edition's autoencoder: pixels shuffled into channels, no normalisation, colour from the start.

Stable Diffusion's autoencoder, made small, spends its time on full-size layers and forgets colours, because
group norm takes each group's mean away. This one starts at half size, where 2×2 pixels are twelve channels,
and a straight path beside its blocks, one linear map per 8×8 patch, carries the colours:

```
picture ─► unshuffle ─► stem ─► level 1/2 ─► 1/4 ─► 1/8 ─► head ─┐
   └──────────────── patches ─► linear ──────────────────────────┴─► moments
latent ─► entry ─► level 1/8 ─► 1/4 ─► 1/2 ─► exit ─► shuffle ─┐
   └──────────────── linear ─► patches ────────────────────────┴─► picture
```

Without a head the latent is the straight path alone, and the levels are there for what they hand out.

The decoder may also tell what each pixel shows, and what light falls on a garment. Then the warped garment
itself is laid where the picture shows one (``laying.py``): a network that must paint a pattern which may be
a pixel off is content with its mean, and nothing else here would keep it sharp.

It hands out features and accepts skips as ``vae.py``'s does, at four depths instead of five; it knows nothing
of masks.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils.accelerate_utils import apply_forward_hook
from torch import nn
from torch.nn import functional

from ladi.models.laying import LIGHT_CHANNELS, LaidGarment, lay_garment
from ladi.models.vae import DepthSkip, sample_moments


class PixelNorm(nn.LayerNorm):
    """Layer norm over the channels of each pixel: (B,C,h,w) → the same."""

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Normalises; memory stays channels-last where it was."""
        return super().forward(hidden.movedim(1, -1)).movedim(-1, 1)


class Unit(nn.Module):
    """Two 3×3 convolutions around a shortcut; it starts as the identity.

    The norm lies beside the shortcut, so that no colour is lost to it.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = PixelNorm(channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        for parameter in self.conv2.parameters():
            nn.init.zeros_(parameter)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """(B,C,h,w) → the same."""
        return hidden + self.conv2(functional.silu(self.conv1(self.norm(hidden))))


class ShuffleEncoder(nn.Module):
    """Picture → mean of the latent, and the features on the way."""

    def __init__(
        self, widths: Sequence[int], units: Sequence[int], latent_channels: int, *, head: bool = True
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(12, widths[0], 3, padding=1)
        self.levels = nn.ModuleList(
            nn.Sequential(*(Unit(width) for _ in range(count)))
            for width, count in zip(widths, units, strict=True)
        )
        self.shrink = nn.ModuleList(
            nn.Sequential(PixelNorm(fine), nn.Conv2d(fine, coarse, 4, stride=2, padding=1))
            for fine, coarse in zip(widths[:-1], widths[1:], strict=True)
        )
        self.head = (
            nn.Sequential(PixelNorm(widths[-1]), nn.Conv2d(widths[-1], latent_channels, 3, padding=1))
            if head
            else None
        )
        patch = 2 ** len(widths)
        self.patches = nn.Conv2d(3, latent_channels, patch, stride=patch)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        """(B,3,H,W) → (B,L,H/8,W/8), and features, shallowest first."""
        hidden = self.stem(functional.pixel_unshuffle(image, 2))
        features = [hidden]
        for index, level in enumerate(self.levels):
            hidden = level(hidden)
            features.append(hidden)
            if index < len(self.shrink):
                hidden = self.shrink[index](hidden)
        straight = self.patches(image)
        return straight if self.head is None else self.head(hidden) + straight, tuple(features)

    def mean(self, image: torch.Tensor) -> torch.Tensor:
        """(B,3,H,W) → the latent (B,L,H/8,W/8) alone."""
        return self.patches(image) if self.head is None else self(image)[0]


class ShuffleDecoder(nn.Module):
    """Latent → picture."""

    def __init__(
        self, widths: Sequence[int], units: Sequence[int], latent_channels: int, told: int = 0
    ) -> None:
        super().__init__()
        self.entry = nn.Conv2d(latent_channels, widths[-1], 3, padding=1)
        self.levels = nn.ModuleList(
            nn.Sequential(*(Unit(width) for _ in range(count)))
            for width, count in zip(widths, units, strict=True)
        )
        self.grow = nn.ModuleList(
            nn.Sequential(PixelNorm(coarse), nn.Conv2d(coarse, 4 * fine, 3, padding=1))
            for fine, coarse in zip(widths[:-1], widths[1:], strict=True)
        )
        self.norm = PixelNorm(widths[0])
        self.exit = nn.Conv2d(widths[0], 12, 3, padding=1)
        self.layers = nn.Conv2d(widths[0], 4 * told, 3, padding=1) if told else None
        patch = 2 ** len(widths)
        self.patches = nn.ConvTranspose2d(latent_channels, 3, patch, stride=patch)

    def forward(
        self,
        latents: torch.Tensor,
        skips: Sequence[torch.Tensor] | None = None,
        adapt: DepthSkip | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """(B,L,h,w) → picture (B,3,8h,8w), and what else is told of each pixel (B,T,8h,8w), if anything."""

        def with_skips(hidden: torch.Tensor, depth: int) -> torch.Tensor:
            if skips is not None:
                hidden = hidden + skips[depth]
            return hidden if adapt is None else hidden + adapt(depth, hidden)

        hidden = self.entry(latents)
        for index in reversed(range(len(self.levels))):
            hidden = self.levels[index](with_skips(hidden, index + 1))
            if index:
                hidden = functional.pixel_shuffle(self.grow[index - 1](hidden), 2)
        hidden = self.norm(with_skips(hidden, 0))
        picture = functional.pixel_shuffle(self.exit(hidden), 2) + self.patches(latents)
        if self.layers is None:
            return picture, None
        return picture, functional.pixel_shuffle(self.layers(hidden), 2)


class ShuffleAutoencoder(ModelMixin, ConfigMixin):
    """Encoder and decoder, in the place of ``EmascAutoencoderKL`` and with its methods.

    Args:
        latent_channels: L.
        widths: channels at half, quarter and eighth size.
        encoder_units: residual units at each of these sizes.
        decoder_units: likewise.
        layers: what the decoder tells apart beside painting, one logit for each; 0 for nothing.
        light: whether it also tells the light on a garment, so that the garment itself can be laid.
        head: whether the encoder's levels have a say in the latent.
        log_variance: of every latent, with which the decoder was trained.
        scaling_factor: what latents are multiplied by for the UNet.
    """

    @register_to_config
    def __init__(
        self,
        latent_channels: int = 16,
        widths: tuple[int, ...] = (64, 128, 160),
        encoder_units: tuple[int, ...] = (2, 3, 3),
        decoder_units: tuple[int, ...] = (4, 4, 4),
        layers: int = 0,
        log_variance: float = -6.0,
        scaling_factor: float = 1.0,
        light: bool = False,
        head: bool = True,
    ) -> None:
        super().__init__()
        self.encoder = ShuffleEncoder(widths, encoder_units, latent_channels, head=head)
        self.decoder = ShuffleDecoder(
            widths, decoder_units, latent_channels, layers + (LIGHT_CHANNELS if light else 0)
        )
        self.use_slicing = False

    def enable_slicing(self) -> None:
        """Encodes and decodes one picture at a time."""
        self.use_slicing = True

    def disable_slicing(self) -> None:
        """Encodes and decodes all pictures at once."""
        self.use_slicing = False

    @property
    def scale_factor(self) -> int:
        """Picture pixels per latent pixel."""
        return 2 ** len(self.config.widths)

    @property
    def skip_channels(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Widths of the features handed out and of the skips accepted, shallowest first."""
        widths = (self.config.widths[0], *self.config.widths)
        return widths, widths

    def forward(self, image: torch.Tensor, noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Encodes, draws and decodes, in one call as data-parallel wrappers need it.

        Args:
            image: (B,3,H,W) in [-1,1].
            noise: (B,L,H/8,W/8), standard normal.

        Returns:
            Moments (B,2L,H/8,W/8), and the reconstruction (B,3,H,W).
        """
        moments, _ = self.encode_with_features(image)
        return moments, self.decode_with_skips(sample_moments(moments, noise))

    @apply_forward_hook
    def encode_with_features(self, image: torch.Tensor) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        """Encodes, and keeps what EMASC needs on the way.

        Args:
            image: (B,3,H,W) in [-1,1].

        Returns:
            The latent distribution's moments (B,2L,H/8,W/8), and the features after the stem and after every
            level, shallowest first.
        """
        if self.use_slicing and len(image) > 1:
            rows = [self.encode_with_features(row) for row in image.split(1)]
            features_of_rows = zip(*(features for _, features in rows), strict=True)
            return torch.cat([moments for moments, _ in rows]), tuple(map(torch.cat, features_of_rows))
        mean, features = self.encoder(image)
        return torch.cat([mean, torch.full_like(mean, self.config.log_variance)], dim=1), features

    @apply_forward_hook
    def decode_with_skips(
        self,
        latents: torch.Tensor,
        skips: Sequence[torch.Tensor] | None = None,
        adapt: DepthSkip | None = None,
    ) -> torch.Tensor:
        """Decodes, adding skips at each depth; arguments as ``EmascAutoencoderKL.decode_with_skips``.

        Returns:
            (B,3,8h,8w), about [-1,1], not clamped.
        """
        return self.decoder(latents, skips, adapt)[0]

    @apply_forward_hook
    def decode_with_layers(
        self,
        latents: torch.Tensor,
        skips: Sequence[torch.Tensor] | None = None,
        adapt: DepthSkip | None = None,
        laid: LaidGarment | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """As ``decode_with_skips``, with the layers' logits (B,K,8h,8w) where the decoder was given any.

        ``laid``, where the decoder tells the light, is the warped garment to lay where one shows.
        """
        picture, told = self.decoder(latents, skips, adapt)
        return self.finished(picture, told, laid)

    def finished(
        self, picture: torch.Tensor, told: torch.Tensor | None, laid: LaidGarment | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The decoder's answer as picture and logits, the garment laid if it can be."""
        if told is None:
            return picture, None
        logits, light = told[:, : self.config.layers], told[:, self.config.layers :]
        if laid is not None and self.config.light:
            picture = lay_garment(picture.float(), logits.float(), light.float(), laid)
        return picture, logits
