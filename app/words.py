"""What the page says: stages, findings, progress and details as small pieces of HTML or Markdown.

Whatever a visitor or a file may have contributed is escaped here. Nothing is computed or laid out.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence

from ladi.preprocess.findings import INVERT_IT, TURN_IT, USE_ANYWAY
from ladi.progress import steps_done
from ladi.settings import NOTE_CODE, settings_table
from ladi.types import Category, Finding, Garment, GarmentError, LadiError, Result

STAGES = {
    "load": "Getting the model ready",
    "person": "Finding the person",
    "garment": "Cutting out the garment",
    "conditions": "Fitting the garment to the body",
    "denoise": "Painting",
    "decode": "Finishing",
    "paste": "Putting it back into the photo",
}
"""What the progress says at each of the engine's stages."""

CATEGORY_NAMES: dict[Category, str] = {
    "upper_body": "top",
    "lower_body": "trousers or skirt",
    "dresses": "dress",
}
"""How a category is called."""


GOOD_PHOTO = "Good photo: one person, clearly visible."
LONG = 150
"""Characters of what is said of a picture from which on it may not fit into its place."""

UNEXPECTED = (
    "Something went wrong on the server, whose log says what. Please try again, or try another photo."
)
NO_ROOM = "This server has no room for more pictures at the moment: please try again in a few minutes."
NO_ZIP = "There is no room for a zip file of them at the moment: please save the pictures one by one."
UNWRITABLE = "This server cannot save pictures at the moment: please try again in a few minutes."
STOPPED = "Stopped. Your pictures and settings are as they were."


def progress(stage: str, share: float, seconds: float, steps: int | None = None, *, place: str = "") -> str:
    """A bar with the stage, the step while painting, which of several it is, and the time that is left."""
    percent = round(100 * min(max(share, 0.0), 1.0))
    text = STAGES.get(stage, stage)
    if stage == "denoise" and steps:
        text += f" · step {steps_done(share, steps)} of {steps}"
    if place:
        text += f" · {place}"
    if 0.15 < share < 1 and seconds > 1:
        text += f" · about {max(1, round(seconds * (1 - share) / share))} s left"
    return (
        f'<div class="progress" role="progressbar" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{percent}" aria-label="Progress of the picture">'
        f'<div class="bar" style="width:{percent}%"></div></div>'
        f'<p class="progress-text" aria-live="polite">{html.escape(text)}</p>'
    )


def waiting(ahead: int | None = 0) -> str:
    """What is shown from the click until the first report.

    Args:
        ahead: how many are to be served before.
    """
    if not ahead:
        return progress("load", 0.0, 0.0)
    return f'<p class="progress-text" role="status" aria-live="polite">Waiting: {ahead} ahead of you.</p>'


def problem(sentence: str, title: str = "") -> str:
    """What went wrong, where the eye is."""
    head = f"<strong>{title}.</strong> " if title else ""
    return f'<div class="note problem" role="alert">{head}{plain(sentence)}</div>'


def refusal(error: LadiError) -> str:
    """The same for what is refused; what can be done about it at a tap is in it as a link."""
    told = with_links(str(error), "garment" if isinstance(error, GarmentError) else "person", error.turn)
    return f'<div class="note problem" role="alert">{told}</div>'


def with_links(sentence: str, what: str, turn: int = 0) -> str:
    """A sentence on one of the two pictures, as HTML; ``page.js`` knows the links.

    Args:
        sentence: a finding's or a refusal's.
        what: ``person`` or ``garment``.
        turn: degrees by which that picture should be turned.
    """
    told, overruled, _ = sentence.partition(USE_ANYWAY)
    told, turned, _ = told.partition(TURN_IT)
    link = ' <a href="#overrule" role="button">Use it anyway</a>' if overruled else ""
    if turned and turn:
        link += f' <a href="#turn-{what}-{turn}" role="button">Turn it</a>'
    return plain(told) + link


def hint(sentence: str) -> str:
    """A quiet line."""
    return f'<p class="hint" role="status">{plain(sentence)}</p>'


def said(found: str) -> str:
    """What was found in a picture, which scrolls in its place, by keyboard too, where it is long."""
    return f'<div class="said" tabindex="0">{found}</div>' if len(found) > LONG else found


def findings_list(findings: Iterable[Finding], good: str, what: str) -> str:
    """What the checks say of a picture; a good word where they have nothing to say.

    Args:
        findings: what they found.
        good: the good word.
        what: see ``with_links``.
    """
    lines = [with_links(finding.message, what, finding.turn) for finding in findings]
    return _caution(lines) if lines else f'<div class="note good" role="status">✓ {plain(good)}</div>'


def doubts(sentences: Sequence[str]) -> str:
    """What is worth knowing where nothing can be done about it at once; nothing of nothing."""
    bare = [sentence.partition(USE_ANYWAY)[0].partition(TURN_IT)[0].strip() for sentence in sentences]
    return _caution([plain(sentence) for sentence in bare]) if bare else ""


def _caution(lines: Sequence[str]) -> str:
    listed = "<ul>" + "".join(f"<li>{line}</li>" for line in lines) + "</ul>"
    return said(f'<div class="note caution" role="status">{listed if len(lines) > 1 else lines[0]}</div>')


def garment_words(garment: Garment, choices: int) -> str:
    """What a garment was taken for and how it was cut out."""
    how = {
        "kept": "used as it is",
        "alpha": "cut out by its own transparency",
        "embedded": "background removed",
    }
    cleaned = how.get(garment.cleaned_by, f"background removed by {garment.cleaned_by}")
    kind = CATEGORY_NAMES[garment.category].capitalize()
    guess = " (as it looks)" if garment.guessed and choices > 1 else ""
    return f"{kind}{guess}, {cleaned}."


def describe(result: Result, *, guessed_of: int = 2) -> str:
    """How the picture was made, in Markdown: one line, and below it what is worth knowing."""
    seconds = sum(result.timings.values())
    guessed = " (guessed)" if result.garment.guessed and guessed_of > 1 else ""
    made = f"{CATEGORY_NAMES[result.person.category]}{guessed} · {result.person.parser} parser"
    steps = "1 step" if result.steps == 1 else f"{result.steps} steps"
    lines = [f"Seed {result.seed} · {steps} · guidance {result.guidance:g} · {seconds:.1f} s · {made}", ""]
    lines += [f"- {told_here(finding.message)}" for finding in result.findings]
    return "\n".join(lines)


def in_table(sentence: str) -> str:
    """A finding's or a refusal's sentence in plain letters; what it offers is called as the page does."""

    def setting(flag: re.Match[str]) -> str:
        labels = [row.label for row in settings_table().values() if row.flag_name == flag[1]]
        return f"tick “{labels[0]}” in the settings." if labels else flag[0]

    return re.sub(r"choose “[^”]*” \((--[a-z-]+)\)\.$", setting, sentence)


def told_here(sentence: str) -> str:
    """A finding's sentence as HTML, without what cannot be chosen beside it."""
    for choice in (USE_ANYWAY, TURN_IT, INVERT_IT):
        sentence = sentence.removesuffix(choice)
    return plain(sentence)


def warnings_of(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that are more than a note on how a file was read."""
    return [finding for finding in findings if finding.code != NOTE_CODE]


def timings_table(timings: Mapping[str, float]) -> str:
    """Seconds by stage, in Markdown."""
    rows = [f"| {STAGES.get(stage, stage)} | {seconds:.2f} |" for stage, seconds in timings.items()]
    total = f"| **Together** | **{sum(timings.values()):.2f}** |"
    return "\n".join(["| Stage | Seconds |", "|:--|--:|", *rows, total])


def plain(sentence: str) -> str:
    """A sentence with its angle brackets as text, since messages are shown as HTML and may quote visitors."""
    return html.escape(sentence, quote=False)
