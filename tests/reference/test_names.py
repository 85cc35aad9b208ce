"""Every key and shape of the published files, so that they load strictly."""

from __future__ import annotations

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

from ladi.models.emasc import EMASC
from ladi.models.inversion_adapter import InversionAdapter
from ladi.models.refinement import RefinementUNet
from ladi.models.tps import ThinPlateSplineWarp
from tests.reference.filled import PUBLISHED_UNET, manifest


def test_default_sizes_are_the_published_ones(reference_dir):
    """Prevents: a default size, a bias or a buffer that the published files do not have."""
    with torch.device("meta"):
        networks = {
            "warping.refinement": RefinementUNet(),
            "emasc": EMASC(),
            "inversion_adapter": InversionAdapter(),
            "unet": UNet2DConditionModel(**PUBLISHED_UNET),
        }
    networks["warping.tps"] = ThinPlateSplineWarp()
    published = manifest(reference_dir)
    assert set(networks) == set(published)
    for name, network in networks.items():
        shapes = {key: list(tensor.shape) for key, tensor in network.state_dict().items()}
        assert shapes == published[name], name
