"""The adversarial term of the second edition's last stage: a network that tells photos from paintings.

L1 and LPIPS are content with the mean of what is possible; a critic is not, because no photo looks like one.
It sees crops at the model's size, of which the photo fills what was not repainted, and the mask, and judges
patches of about forty pixels. Hinge loss, and its features matched with the true photo's (Wang et al., 2018).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

SLOPE = 0.2


class Critic(nn.Module):
    """Crop and mask → one judgement per patch, and the features on the way.

    Args:
        widths: of the halving convolutions.
    """

    def __init__(self, widths: tuple[int, ...] = (64, 128, 256)) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        incoming = 4
        for width in widths:
            blocks.append(spectral_norm(nn.Conv2d(incoming, width, 4, stride=2, padding=1)))
            incoming = width
        self.blocks = nn.ModuleList(blocks)
        self.last = spectral_norm(nn.Conv2d(incoming, 1, 3, padding=1))

    def forward(
        self, picture: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        """(B,3,H,W) in [-1,1] and (B,1,H,W) → (B,1,h,w), positive for photos, and features."""
        hidden = torch.cat([picture, mask * 2 - 1], dim=1)
        features = []
        for block in self.blocks:
            hidden = functional.leaky_relu(block(hidden), SLOPE)
            features.append(hidden)
        return self.last(hidden), tuple(features)


def frozen(critic: nn.Module) -> Mapping[str, torch.Tensor]:
    """The critic's parameters as constants, so that judging paintings does not teach it."""
    return {name: value.detach() for name, value in critic.named_parameters()}


def adversarial_terms(
    critic: nn.Module, painted: torch.Tensor, photo: torch.Tensor, mask: torch.Tensor
) -> dict[str, torch.Tensor]:
    """What painter and critic learn from one batch, in one backward pass.

    Args:
        critic: a :class:`Critic`, perhaps wrapped.
        painted: (B,3,H,W) in [-1,1], the photo outside the mask.
        photo: (B,3,H,W).
        mask: (B,1,H,W), 1 = repainted; patches without any of it do not count.

    Returns:
        ``critic``, which reaches the critic alone; ``fool`` and ``match``, which reach the painting alone.
    """
    real, wanted = critic(photo, mask)
    fake, _ = critic(painted.detach(), mask)
    weight = functional.adaptive_max_pool2d(mask, fake.shape[-2:])
    total = weight.sum().clamp_min(1)
    learn = ((functional.relu(1 - real.float()) + functional.relu(1 + fake.float())) * weight).sum() / total
    judged, seen = functional_call(critic, dict(frozen(critic)), (painted, mask))
    match = [
        functional.l1_loss(one.float(), other.detach().float())
        for one, other in zip(seen, wanted, strict=True)
    ]
    return {
        "critic": learn,
        "fool": -(judged.float() * weight).sum() / total,
        "match": torch.stack(match).mean(),
    }
