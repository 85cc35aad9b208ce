"""What follows for a model from a garment's being a top, something for the legs, or a dress.

``kind.py`` tells which it is, and how certainly. The answer counts where nobody said which it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from ladi.preprocess.findings import finding
from ladi.preprocess.kind import Judged
from ladi.types import AskedCategory, Category, Finding

SURE = 0.8
"""From this certainty on a kind is taken for what it is."""
SURE_OTHER, DOUBTFUL = 0.9, 0.6
"""From the one certainty on that a model cannot paint a garment it is refused. Below the
other certainty that it can, that is doubted."""
SURE_TURN = 0.9
KIND_WORDS = {"top": "a top", "trousers": "trousers", "skirt": "a skirt or shorts", "dress": "a dress"}
_CATEGORY_OF: dict[str, Category] = {
    "top": "upper_body",
    "trousers": "lower_body",
    "skirt": "lower_body",
    "dress": "dresses",
}
_WORN_AS: dict[Category, str] = {
    "upper_body": "a top",
    "lower_body": "trousers or a skirt",
    "dresses": "a dress",
}
PLURALS: dict[Category, str] = {
    "upper_body": "tops",
    "lower_body": "trousers and skirts",
    "dresses": "dresses",
}


def choose_category(
    asked: AskedCategory, judged: Judged | None, *, trained: Sequence[Category]
) -> tuple[Category, tuple[Finding, ...]]:
    """What a garment is taken for, and the doubts about it; an error where it cannot be worn.

    Args:
        asked: what the request says; anything but ``auto`` is believed.
        judged: what the picture looks like; None where it shows nothing.
        trained: what the model knows.
    """
    if judged is None:
        return (trained[0] if asked == "auto" else asked), ()
    sure, kind = judged.certainty >= SURE, KIND_WORDS.get(judged.kind, "")
    meant = _CATEGORY_OF.get(judged.kind)
    turned = judged.turn_certainty >= SURE_TURN and judged.turn and meant is not None
    lies = (finding("garment_turned", turn=judged.turn),) if turned else ()
    if asked != "auto":
        other = sure and meant not in (None, asked)
        doubts = (finding("garment_other_kind", kind=kind, asked=_WORN_AS[asked]),) if other else ()
        return asked, (*doubts, *lies)
    offered = judged.certainty_of([kind for kind, one in _CATEGORY_OF.items() if one in trained])
    if meant is None or meant not in trained:
        out_of_question = offered <= 1 - SURE_OTHER
        if meant is None:
            return trained[0], (finding("garment_none" if out_of_question else "garment_unsure"), *lies)
        known = " and ".join(PLURALS[one] for one in trained)
        code = "garment_not_offered" if out_of_question else "garment_perhaps_other"
        return trained[0], (finding(code, kind=kind, known=known), *lies)
    if len(trained) > 1:
        return meant, lies if sure else (finding("category_unsure"), *lies)
    return meant, lies if offered >= DOUBTFUL else (finding("garment_unsure"), *lies)
