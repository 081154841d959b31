"""The open gate: what it stops, and what it lets through."""

import pytest

from analysis.errors import BlindingError
from analysis.present.blinding import check_open_text
from tests.unit.present import fabricated


@pytest.mark.parametrize(
    "text",
    [
        "mean in NIM",
        "difference NIM-SAU",
        "<td>SAU</td>",
        "arm_NIM_total",
        '<g id="SAU">',
        "the New Orleans Intervention Model",
        "new orleans\n   intervention model",
        "<text>New Orleans</text> <text>Intervention Model</text>",
        "Social&nbsp;work services as usual",
        "the intervention arm",
        "Control Group",
        '<div aria-label="compared with the control arm">',
    ],
)
def test_an_arm_is_stopped(text: str) -> None:
    with pytest.raises(BlindingError, match="names an arm"):
        check_open_text(text, fabricated.spec())


@pytest.mark.parametrize(
    "text", ["", "minimum", "ANIMAL", "sauce", "SAUL", "no estimate by arm is public", "families"]
)
def test_harmless_words_pass(text: str) -> None:
    check_open_text(text, fabricated.spec())
