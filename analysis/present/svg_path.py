"""The outline of a drawn path in the fewest characters that say the same to a hundredth of a point."""

import re
from collections.abc import Iterator

_STEP = re.compile(r"([MLQCZz])([^MLQCZz]*)")
_UNITS = 100
Point = tuple[int, int]


def short_path(outline: str) -> str:
    """A path in absolute commands (M, L, Q, C, z) as relative ones, without steps that lead nowhere.

    Places are rounded before they are subtracted, so that errors do not add up along a curve.
    """
    written: list[str] = []
    at: Point = (0, 0)
    start: Point = (0, 0)
    for letter, text in _STEP.findall(outline):
        places = _places(text)
        if letter == "M":
            written.append(f"M{_joined(places[0])}")
            start = places[0]
        elif letter in "Zz":
            written.append("z")
        else:
            written += _segment(letter.lower(), at, places)
        at = places[-1] if places else start
    return "".join(_run_on(written))


def short_number(text: str) -> str:
    """A length to a hundredth of a point."""
    return _number(round(float(text) * _UNITS))


def _places(text: str) -> list[Point]:
    values = [round(float(each) * _UNITS) for each in text.split()]
    return list(zip(values[::2], values[1::2], strict=True))


def _segment(letter: str, at: Point, places: list[Point]) -> list[str]:
    moves = [(x - at[0], y - at[1]) for x, y in places]
    if letter != "l":
        return [letter + _joined(*moves)]
    across, down = moves[0]
    if not across and not down:
        return []
    if across and down:
        return [f"l{_joined(moves[0])}"]
    return [f"h{_number(across)}" if across else f"v{_number(down)}"]


def _run_on(written: list[str]) -> Iterator[str]:
    """Steps straight on in one direction as one step."""
    held = ""
    for step in written:
        if held and held[0] == step[0] in "hv" and (held[1] == "-") == (step[1] == "-"):
            held = held[0] + _number(round((float(held[1:]) + float(step[1:])) * _UNITS))
            continue
        yield held
        held = step
    yield held


def _joined(*moves: Point) -> str:
    numbers = [_number(each) for move in moves for each in move]
    return "".join(each if each[0] == "-" or not at else f" {each}" for at, each in enumerate(numbers))


def _number(hundredths: int) -> str:
    sign, size = "-" if hundredths < 0 else "", abs(hundredths)
    whole, part = divmod(size, _UNITS)
    decimals = f".{part:02d}".rstrip("0").rstrip(".")
    return f"{sign}{whole or ('' if decimals else '0')}{decimals}"
