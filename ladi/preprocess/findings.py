"""What may be wrong with a photo, in plain words that say what to do about it.

Every finding is an error, which stops the try-on, or a warning, which does not. Whether there is one is
judged in ``checks.py`` and by whoever meets it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ladi.settings import NOTE_CODE, TryOnRequest
from ladi.types import Finding, Garment, GarmentError, LadiError, PersonError, PersonParts, PhotoError, Size

USE_ANYWAY = " To use it all the same, choose “Use it anyway” (--force)."
"""Behind every refusal of a garment's picture."""
TURN_IT = " To have that done, choose “Turn it” (--turn)."
"""Behind every sentence on a picture that should be turned."""
INVERT_IT = " If it marks what should stay, choose “Invert masks” (--invert-mask)."
"""Behind the sentence on a mask that is probably inverted."""
_LIES = {90: "lie on its side", 180: "be upside down", 270: "lie on its side"}
_TURNS = {90: "a quarter to the right", 180: "the other way up", 270: "a quarter to the left"}

_ERRORS = {
    "photo_too_small": "The photo has only {pixels} pixels; use one of at least 512 pixels on each side.",
    "garment_too_small": "The garment picture has only {pixels} pixels; use one of at least 512 each way.",
    "person_without_shoulders": "The shoulders are not in the photo; use one that shows head to hips.",
    "person_found_turned": "The photo seems to {lie}; it should be turned {how}, so that the head is on top.",
    "person_too_small": "The person is only about {tall} pixels tall; use a photo taken closer up.",
    "garment_empty": "No garment was found in this picture; use one that shows the whole garment.",
    "garment_on_person": "The garment picture shows a person; use one of the garment alone.",
    "garment_not_offered": "This looks like {kind}, but this model knows {known} only; use another garment.",
    "garment_none": "No garment was recognised in this picture; use one that shows a garment alone.",
}
_WARNINGS = {
    "photo_small": "The photo has only {pixels} pixels; a larger one gives a finer result.",
    "garment_small": "The garment picture has only {pixels} pixels; a larger one gives a finer result.",
    "photo_blurred": "The photo looks blurred, and so will the result; use a sharper one.",
    "garment_blurred": "The garment picture looks blurred, and so will the result; use a sharper one.",
    "person_several": "Of several people only the most prominent is dressed; crop the photo to one.",
    "person_shoulder_hidden": "One shoulder is hidden or cut off; a photo with both gives a better fit.",
    "person_back_view": "The person is seen from behind; use a photo from the front, as garments are shown.",
    "person_side_view": "The person is seen from the side; a photo from the front gives a better fit.",
    "person_not_upright": "The photo seems to {lie}; it should be turned {how}, so that the head is on top.",
    "person_turned": "The photo was turned {how}, because it seemed to {lie}.",
    "person_headless": "The head is cut off, so shoulders and hips place the garment; check the result.",
    "person_cut_below": "The photo ends above the hips, and so will the garment; its hem will not be seen.",
    "person_in_dress": "The person wears a dress; what comes out below the new top will be invented.",
    "person_in_long_dress": "The person wears a dress; below the new top it stays as it is.",
    "person_with_bag": "A bag or strap is worn over the clothes; check where it meets the new garment.",
    "person_small": "The person is only about {tall} pixels tall; a closer photo gives a finer result.",
    "mask_on_face": "The mask covers the face, which will be painted anew; leave the face out of it.",
    "mask_large": "The mask covers {share} % of the photo; if it marks what should stay, invert it.",
    "mask_inverted": f"The mask covers nearly everything but the clothes.{INVERT_IT}",
    "garment_perhaps_other": "This may be {kind}, but this model knows {known} only; check the result.",
    "garment_unsure": "It is not clear what kind of garment this is; check the result.",
    "garment_other_kind": "This looks like {kind}, but {asked} was chosen; choose again if that is wrong.",
    "category_unsure": "The kind of garment is a guess; choose it in the settings if the guess is wrong.",
    "garment_cut_off": "The garment is cut off at the edge; use a picture of all of it, with space around.",
    "garment_like_background": "The garment looks much like its background; use a picture with another one.",
    "garment_in_parts": "The garment was cut out in pieces; if some are wrong, use another picture.",
    "garment_several": "There are several garments in this picture, and only the largest is used.",
    "garment_on_page": "What is beside the garment was left out; crop the picture to the garment alone.",
    "garment_turned": "The garment seems to {lie}; its picture should be turned {how}.",
    "garment_was_turned": "The garment's picture was turned {how}, because it seemed to {lie}.",
    "garment_little": "The garment is very small in its picture; crop the picture around it.",
    "garment_looks_worn": "The garment seems to be worn by somebody; a picture of it alone works better.",
}
_DONE = ("person_turned", "garment_was_turned")
"""What needs no turning any more."""
_RAISED: dict[str, type[LadiError]] = {"person": PersonError, "garment": GarmentError, "photo": PhotoError}
"""The exception for each first word of a finding's code."""


def finding(code: str, turn: int = 0, **details: object) -> Finding:
    """What a code stands for, in a sentence with its details.

    Args:
        code: a key of the sentences above.
        turn: degrees to the right by which the picture should be turned, or was.
        details: what the sentence says.
    """
    if turn:
        details |= {"lie": _LIES[turn], "how": _TURNS[turn]}
    if code in _ERRORS:
        anyway = TURN_IT if turn else USE_ANYWAY if code.startswith("garment") else ""
        return Finding("error", code, _ERRORS[code].format(**details) + anyway, turn)
    if code in _DONE:
        return Finding("warning", code, _WARNINGS[code].format(**details))
    return Finding("warning", code, _WARNINGS[code].format(**details) + (TURN_IT if turn else ""), turn)


def raise_errors(findings: Iterable[Finding]) -> None:
    """Raise the first error among ``findings``; warnings pass.

    Raises:
        LadiError: A PersonError, GarmentError or PhotoError, by the first word of the finding's code.
    """
    for one in findings:
        if one.level == "error":
            error = _RAISED.get(one.code.split("_")[0], LadiError)(one.message)
            error.turn = one.turn
            raise error


def overruled(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings on a garment that is to be used anyway: what would stop the try-on is a warning."""
    return tuple(
        replace(one, level="warning", message=one.message.removesuffix(USE_ANYWAY)) for one in findings
    )


def collect_findings(
    request: TryOnRequest, person: PersonParts, garment: Garment, *, own_size: Size
) -> tuple[Finding, ...]:
    """All there is to know about both pictures and how they were used, each thing once.

    Args:
        request: as it was asked.
        person: with its findings.
        garment: with its findings.
        own_size: the model's (height, width).
    """
    photos = (("The photo", request.person), ("The garment's picture", request.garment))
    found = [
        Finding("warning", NOTE_CODE, f"{name}: {note}") for name, photo in photos for note in photo.notes
    ]
    if request.settings.size not in (None, own_size):
        height, width = own_size
        doubt = f"This model was trained at {height}x{width}; at other sizes its quality is untested."
        found.append(Finding("warning", "untested_size", doubt))
    return tuple(dict.fromkeys([*found, *person.findings, *garment.findings]))
