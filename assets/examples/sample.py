"""Make the page's samples: ``python assets/examples/sample.py [--model M] [--out FOLDER]``.

Each shows a person, a garment and what the model makes of them, side by side, as
``sample-PERSON--GARMENT.jpg``; with it the picture that a shared link shows, and the page's icon. Nothing but
the example pictures is read. They are to be made anew when the embedded model changes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).resolve().parent
SAMPLES = (("ben", "checked-shirt"), ("anna", "dotted-blouse"), ("carla", "long-sleeve"))
SEED = 5
HEIGHT, GAP = 288, 44
GROUND, INK, CLAY = (250, 248, 245), (43, 39, 35), (180, 77, 43)
LINK_SIZE, LINK_HEIGHT = (1200, 630), 400


def main() -> None:
    """Make all of them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="mini")
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--pairs", nargs="*", metavar="PERSON--GARMENT", help="others than the usual ones")
    options = parser.parse_args()

    sys.path.insert(0, str(HERE.parents[1]))
    from ladi.engine import Engine
    from ladi.preprocess.photo import read_photo
    from ladi.records import request_of

    engine = Engine.load(options.model, device="cpu")
    pairs = [tuple(pair.split("--")) for pair in options.pairs or ()] or SAMPLES
    made = []
    for person, garment in pairs:
        photos = [read_photo(HERE / name) for name in (f"person-{person}.jpg", f"garment-{garment}.jpg")]
        result = engine.try_on(request_of(*photos, {"seed": SEED}))
        pictures = [Image.fromarray(pixels) for pixels in (*(one.pixels for one in photos), result.images[0])]
        made.append(pictures)
        row(pictures, HEIGHT).save(options.out / f"sample-{person}--{garment}.jpg", quality=88, optimize=True)
    link(made[0]).save(options.out / "link.jpg", quality=88, optimize=True)
    icon().save(options.out / "icon.png", optimize=True)


def row(pictures: list[Image.Image], height: int) -> Image.Image:
    """Person + garment → result, of one height, each three quarters as wide."""
    width = height * 3 // 4
    canvas = Image.new("RGB", (3 * width + 2 * GAP, height), GROUND)
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(size=34)
    for place, (picture, sign) in enumerate(zip(pictures, ("+", "=", ""), strict=True)):
        left = place * (width + GAP)
        scale = max(width / picture.width, height / picture.height)
        cover = picture.resize(
            (round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS
        )
        # The garment is shown whole, people from the head down.
        corner = ((cover.width - width) // 2, 0)
        canvas.paste(cover.crop((*corner, corner[0] + width, height)), (left, 0))
        draw.text((left + width + GAP / 2, height / 2), sign, fill=INK, font=font, anchor="mm")
    return canvas


def link(pictures: list[Image.Image]) -> Image.Image:
    """What a shared link shows."""
    canvas = Image.new("RGB", LINK_SIZE, GROUND)
    strip = row(pictures, LINK_HEIGHT)
    canvas.paste(strip, ((LINK_SIZE[0] - strip.width) // 2, 50))
    draw = ImageDraw.Draw(canvas)
    middle = LINK_SIZE[0] / 2
    draw.text((middle, 510), "LaDI-VTON", fill=INK, font=ImageFont.load_default(size=60), anchor="mm")
    words = "See how it looks on you: two photos in, one out"
    draw.text((middle, 572), words, fill=CLAY, font=ImageFont.load_default(size=32), anchor="mm")
    return canvas


def icon() -> Image.Image:
    """The page's icon: a T-shirt."""
    canvas = Image.new("RGBA", (256, 256), (0, 0, 0, 0))
    draw = ImageDraw.Draw(canvas)
    draw.rounded_rectangle((0, 0, 255, 255), 56, fill=CLAY)
    half = [(128, 88), (108, 84), (94, 62), (44, 92), (64, 138), (86, 126), (86, 204), (128, 204)]
    draw.polygon([*half, *((255 - x, y) for x, y in reversed(half))], fill=GROUND)
    return canvas.resize((64, 64), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
