"""A result's file: the picture, how it was made, and that it was made by a generative model.

The PNG carries the settings as JSON, from which the same picture can be asked for again, and the IPTC's
``DigitalSourceType`` for photos that a trained model has changed, in XMP. Nothing of the original photo's
metadata gets into it. What the settings mean is not known here.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ladi.files import written_whole
from ladi.types import PhotoError

SETTINGS = "ladi-vton"
"""The PNG's text chunk with the settings."""
XMP = "XML:com.adobe.xmp"
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""The IPTC's term for a picture in which generated parts are composed with captured ones."""

COMMENT = b"ladi-vton "
"""What a JPEG's comment begins with, before the settings."""
PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
    f'Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}" xmp:CreatorTool="LaDI-VTON"/>'
    "</rdf:RDF></x:xmpmeta>"
    '<?xpacket end="w"?>'
)


def describe_png(settings: dict[str, Any]) -> PngInfo:
    """The chunks that mark a PNG as made by a model, with what it was made by.

    Args:
        settings: plain values only: numbers, words, switches.
    """
    chunks = PngInfo()
    chunks.add_text(SETTINGS, json.dumps(settings, sort_keys=True))
    chunks.add_itxt(XMP, PACKET)
    return chunks


def read_settings(path: str | Path) -> dict[str, Any]:
    """The settings that a result carries, PNG or JPEG.

    Raises:
        PhotoError: not a picture that this project wrote, or one that has lost its settings on the way.
    """
    name = Path(path).name
    try:
        with Image.open(path) as image:
            image.load()
            comment = image.info.get("comment", b"")
            text = getattr(image, "text", {}).get(SETTINGS)
            if text is None and isinstance(comment, bytes) and comment.startswith(COMMENT):
                text = comment.removeprefix(COMMENT).decode()
    except (OSError, ValueError, SyntaxError) as error:
        raise PhotoError(f"“{name}” cannot be read as a picture: give a result's file.") from error
    if text is None:
        raise PhotoError(
            f"“{name}” carries no settings: give a result as it was downloaded, not a copy that an "
            "editor or a messenger has saved anew."
        )
    try:
        settings = json.loads(text)
    except json.JSONDecodeError as error:
        raise PhotoError(f"The settings in “{name}” are damaged: set the sliders by hand.") from error
    if not isinstance(settings, dict):
        raise PhotoError(f"The settings in “{name}” are damaged: set the sliders by hand.")
    return settings


_PNG_LEVEL = 3
"""Half the time of the usual 6 for a few per cent more bytes; it matters from 20 megapixels on."""


def save_png(pixels: np.ndarray, path: str | Path, chunks: PngInfo | None = None) -> None:
    """Write (H,W,3) or (H,W,4) uint8 as a PNG with no metadata but ``chunks``, whole or not at all.

    Raises:
        PhotoError: If the folder does not exist or cannot be written to.
    """
    target = Path(path)
    try:
        with written_whole(target) as draft:
            Image.fromarray(pixels).save(draft, format="PNG", compress_level=_PNG_LEVEL, pnginfo=chunks)
    except OSError as error:
        raise PhotoError(f"“{target.name}” cannot be written ({error.strerror}); check its folder.") from None


def encode_png(pixels: np.ndarray, chunks: PngInfo | None = None) -> bytes:
    """What ``save_png`` writes."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG", compress_level=_PNG_LEVEL, pnginfo=chunks)
    return file.getvalue()


def name_pictures(out: Path, count: int) -> list[Path]:
    """``result.png``, ``result-2.png``, …: one name for each picture."""
    return [out if index == 0 else out.with_stem(f"{out.stem}-{index + 1}") for index in range(count)]
