"""Draw the README's picture: a person, a garment, and the person in the garment.

    python assets/screenshots/before_after.py

Both pictures are our own (``assets/examples``), the result is the embedded model's at its defaults.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
PERSON, GARMENT = "person-ben.jpg", "garment-checked-shirt.jpg"
HEIGHT, GAP = 420, 16


def main() -> None:
    """Paint, and write the three beside each other."""
    from ladi import Engine, Settings, TryOnRequest, read_photo

    person, garment = (read_photo(ROOT / "assets" / "examples" / name) for name in (PERSON, GARMENT))
    result = Engine.load().try_on(TryOnRequest(person, garment, settings=Settings(seed=1)))
    pictures = [Image.fromarray(pixels) for pixels in (person.pixels, garment.pixels, result.images[0])]
    shown = [
        one.resize((one.width * HEIGHT // one.height, HEIGHT), Image.Resampling.LANCZOS) for one in pictures
    ]
    width = sum(one.width for one in shown) + GAP * (len(shown) - 1)
    canvas, left = Image.new("RGB", (width, HEIGHT), "white"), 0
    for one in shown:
        canvas.paste(one, (left, 0))
        left += one.width + GAP
    canvas.save(Path(__file__).with_name("before-after.jpg"), quality=88)


if __name__ == "__main__":
    main()
