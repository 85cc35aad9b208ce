"""Draw the example pictures: ``python assets/examples/draw.py [--only NAME …] [--out FOLDER]``.

Everything is computed from numbers in these files; no picture is read, apart from scikit-image's
public-domain one of an astronaut, and nothing is downloaded. The same script draws the same pictures.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from canvas import hex_colour
from cloth import along_sleeve, checks, dots, plain, stripes, sunset
from figures import Person, draw_person
from garments import Cut, Design, draw_garment
from PIL import Image
from skimage import data
from trimmings import roll_neck, shirt_front

LONG = {"sleeve": "long", "hem": 930}


def striped_tee() -> Design:
    """A sailor's T-shirt."""
    cloth = stripes([("#f3f0e8", 34), ("#22375a", 20)], 18)
    return Design(Cut(), cloth, hex_colour("#22375a"), 3, hex_colour("#d9d5cb"), along_sleeve(cloth))


def checked_shirt() -> Design:
    """A flannel shirt with collar and buttons."""
    cloth = checks("#b8312f", [("#3a1414", 0, 26), ("#1f1010", 42, 5), ("#e8d8c8", 60, 3)], 74)
    cut = Cut(**LONG, neckline="collar", neck=82, neck_depth=112, rib=0, waist=226, hem_width=232)
    trim = shirt_front(cloth, hex_colour("#efe6da"))
    return Design(cut, cloth, hex_colour("#8d2422"), 11, hex_colour("#8f2a28"), along_sleeve(cloth, 12), trim)


def printed_tee() -> Design:
    """A white T-shirt with a round print."""
    return Design(
        Cut(), sunset("#fbfaf6"), hex_colour("#f4f2ec"), 21, hex_colour("#dcd9d2"), plain("#fbfaf6")
    )


def long_sleeve() -> Design:
    """A plain green long-sleeved top."""
    return Design(Cut(**LONG), plain("#3d6b57"), hex_colour("#38624f"), 5, hex_colour("#2d5142"))


def sleeveless_top() -> Design:
    """A coral top without sleeves."""
    cut = Cut(
        sleeve="none",
        neck=112,
        neck_depth=150,
        shoulder=176,
        shoulder_drop=30,
        chest=216,
        armpit=352,
        waist=204,
        hem_width=238,
        hem=900,
        rib=12,
    )
    return Design(cut, plain("#e8806a"), hex_colour("#de7460"), 31, hex_colour("#b85a49"))


def roll_neck_jumper() -> Design:
    """A ribbed camel-coloured jumper with a roll neck."""
    cut = Cut(
        **LONG,
        neckline="high",
        neck=98,
        neck_depth=46,
        neck_top=120,
        rib=18,
        chest=224,
        waist=214,
        hem_width=218,
    )
    colour = hex_colour("#b98a5a")
    return Design(cut, plain("#b98a5a"), colour, 41, colour, None, roll_neck(colour), knitted=True)


def dotted_blouse() -> Design:
    """A navy blouse with white dots and a V-neck."""
    cloth = dots("#27304f", "#f4f1ea", 58, 9)
    cut = Cut(neckline="v", neck=98, neck_depth=170, rib=13, waist=214, hem_width=236)
    return Design(cut, cloth, hex_colour("#222a46"), 51, hex_colour("#1c233b"), along_sleeve(cloth, 20))


def baseball_tee() -> Design:
    """A light grey top with dark red sleeves."""
    return Design(
        Cut(**LONG), plain("#cfd1d4"), hex_colour("#8e2a35"), 61, hex_colour("#a9abb0"), plain("#8e2a35")
    )


GARMENTS: dict[str, Callable[[], Design]] = {
    "striped-tee": striped_tee,
    "checked-shirt": checked_shirt,
    "printed-tee": printed_tee,
    "long-sleeve": long_sleeve,
    "sleeveless-top": sleeveless_top,
    "roll-neck": roll_neck_jumper,
    "dotted-blouse": dotted_blouse,
    "baseball-tee": baseball_tee,
}


PEOPLE: dict[str, Person] = {
    "anna": Person(
        skin=hex_colour("#e8b596"),
        hair=hex_colour("#5a3822"),
        style="long",
        lips=hex_colour("#b8524e"),
        iris=hex_colour("#5d7a58"),
        top=plain("#dcd9d1"),
        sleeve="short",
        trousers=hex_colour("#3f5675"),
        seed=2,
        tilt=2.5,
    ),
    "ben": Person(
        skin=hex_colour("#8f5f41"),
        hair=hex_colour("#1d1714"),
        style="short",
        lips=hex_colour("#7a4238"),
        iris=hex_colour("#3a2417"),
        top=plain("#5d6f8a"),
        sleeve="long",
        trousers=hex_colour("#4a4740"),
        seed=4,
        shoulders=152,
        waist=122,
        hips=130,
        tilt=-1.5,
    ),
    "carla": Person(
        skin=hex_colour("#c68d68"),
        hair=hex_colour("#2b1b14"),
        style="bun",
        lips=hex_colour("#9c4a48"),
        iris=hex_colour("#4a2f1c"),
        top=plain("#4f7f83"),
        sleeve="none",
        trousers=hex_colour("#cdbd9f"),
        seed=8,
        shoulders=132,
        waist=106,
        hips=132,
        left_arm=((-172, 552), (-190, 726)),
        right_arm=((168, 556), (176, 732)),
        wall=hex_colour("#e3e6e8"),
        tilt=-3,
    ),
}
ASTRONAUT_BOX = (24, 0, 408, 512)
"""The 3:4 part of scikit-image's picture that shows her from head to waist (left, top, right, bottom)."""


def main() -> None:
    """Draw all pictures, or those named, into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", help="names without person- or garment-")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()

    def wanted(name: str) -> bool:
        return not options.only or name in options.only

    for name, design in GARMENTS.items():
        if wanted(name):
            draw_garment(design()).save(options.out / f"garment-{name}.jpg")
    for name, person in PEOPLE.items():
        if wanted(name):
            draw_person(person).save(options.out / f"person-{name}.jpg")
    if wanted("astronaut"):
        picture = Image.fromarray(data.astronaut()).crop(ASTRONAUT_BOX)
        picture.save(options.out / "person-astronaut.jpg", quality=92, optimize=True)


if __name__ == "__main__":
    main()
