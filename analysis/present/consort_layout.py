"""Where the boxes of the flow diagram stand. Lengths in points, y downwards; text is measured and wrapped."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from analysis.present.consort import Flow, Item, Node, Sizes, Step, size_text

SIZE = 7.5
LINE = 1.32 * SIZE
PAD = 5.0
INDENT = 7.0
GAP = 13.0
MARGIN = 6.0
COLUMN_GAP = 20.0
BRANCH = 13.0
SPLIT = 16.0
MARK = 12.0
SHARED = 190.0
# Widths of boxes on the trunk and beside it: narrower when more than two arms stand side by side.
WIDTHS = {1: (SHARED, SHARED), 2: (180.0, 158.0), 3: (156.0, 132.0), 4: (146.0, 122.0)}

Measure = Callable[[str, bool], float]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text in a box; `x` and `y` (its baseline) are on the canvas."""

    text: str
    x: float
    y: float
    bold: bool


@dataclass(frozen=True, slots=True)
class Box:
    """A placed box."""

    node: Node
    x: float
    y: float
    width: float
    height: float
    lines: tuple[Line, ...]

    @property
    def centre(self) -> float:
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Connector:
    """A line through its points, with a head at the last one."""

    points: tuple[tuple[float, float], ...]
    has_head: bool = True


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole diagram."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    connectors: tuple[Connector, ...]

    def rectangles(self) -> list[tuple[float, float, float, float]]:
        """Left, top, right and bottom of every box."""
        return [(box.x, box.y, box.x + box.width, box.bottom) for box in self.boxes]


@dataclass(slots=True)
class _Sheet:
    """A diagram in the making; `trunk` is the x of each column, `foot` where its last box ends."""

    measure: Measure
    main: float
    side: float
    y: float = MARGIN
    boxes: list[Box] = field(default_factory=list)
    connectors: list[Connector] = field(default_factory=list)
    foot: dict[float, float] = field(default_factory=dict)


def lay_out(flow: Flow, measure: Measure) -> Layout:
    """Boxes top to bottom, those of one stage level across arms, leavers and joiners right of their trunk."""
    columns = max(len(flow.arms), 1)
    main, side = WIDTHS.get(columns, WIDTHS[max(WIDTHS)])
    column = main / 2 + max(BRANCH + side, main / 2)
    width = 2 * MARGIN + columns * column + (columns - 1) * COLUMN_GAP
    trunks = [MARGIN + main / 2 + at * (column + COLUMN_GAP) for at in range(columns)]
    sheet = _Sheet(measure, SHARED, SHARED)
    centre = width / 2 if flow.arms else trunks[0]
    for step in flow.shared:
        _place_row(sheet, {centre: step})
    if flow.arms:
        sheet.main, sheet.side = main, side
        _place_arms(sheet, centre, dict(zip(trunks, flow.arms.values(), strict=True)))
    return Layout(width, sheet.y + MARGIN + MARK, tuple(sheet.boxes), tuple(sheet.connectors))


def _place_arms(sheet: _Sheet, centre: float, columns: dict[float, tuple[Step, ...]]) -> None:
    """The split below the last shared box, then the arms row by row."""
    bar = sheet.y + SPLIT
    ends = (min(columns), max(columns))
    sheet.connectors.append(Connector(((centre, sheet.y), (centre, bar)), has_head=False))
    if ends[0] != ends[1]:
        sheet.connectors.append(Connector(((ends[0], bar), (ends[1], bar)), has_head=False))
    sheet.foot = dict.fromkeys(columns, bar)
    sheet.y = bar
    stages = dict.fromkeys(step.box.stage for steps in columns.values() for step in steps)
    for stage in stages:
        found = {x: step for x, steps in columns.items() for step in steps if step.box.stage == stage}
        _place_row(sheet, found)


def _place_row(sheet: _Sheet, row: dict[float, Step]) -> None:
    """One stage in every column: what leaves or joins on the way, then its box."""
    top = sheet.y + (GAP if sheet.foot else 0)
    deepest = _place_branches(sheet, {trunk: step.before for trunk, step in row.items()}, top)
    placed = [
        _place(sheet, step.box, x=trunk - sheet.main / 2, y=deepest, width=sheet.main)
        for trunk, step in row.items()
    ]
    for trunk, box in zip(row, placed, strict=True):
        if trunk in sheet.foot:
            sheet.connectors.append(Connector(((trunk, sheet.foot[trunk]), (trunk, box.y))))
        sheet.foot[trunk] = box.bottom
    sheet.y = max(box.bottom for box in placed)


def _place_branches(sheet: _Sheet, row: dict[float, Sequence[Node]], top: float) -> float:
    """Boxes right of each trunk, one below the other, level across arms; where the next box may begin."""
    y = top
    for level in itertools.zip_longest(*row.values()):
        placed = []
        for trunk, node in zip(row, level, strict=True):
            if node is not None:
                box = _place(sheet, node, x=trunk + BRANCH, y=y, width=sheet.side)
                middle = box.y + box.height / 2
                ends = ((trunk, middle), (box.x, middle))
                sheet.connectors.append(Connector(ends if node.kind == "side" else ends[::-1]))
                placed.append(box)
        y = max(box.bottom for box in placed) + GAP
    return y


def _place(sheet: _Sheet, node: Node, *, x: float, y: float, width: float) -> Box:
    lines = []
    at = y + PAD + 0.98 * SIZE
    for text, bold, indent in _wrapped(node, width - 2 * PAD, sheet.measure):
        lines.append(Line(text, x + PAD + indent, at, bold))
        at += LINE
    box = Box(node, x, y, width, len(lines) * LINE + 2 * PAD, tuple(lines))
    sheet.boxes.append(box)
    return box


def _wrapped(node: Node, width: float, measure: Measure) -> Iterator[tuple[str, bool, float]]:
    """Lines of a box: text, whether bold, indent."""
    for text in wrap(node.title, width, lambda part: measure(part, True)):
        yield text, True, 0.0
    if node.sizes is not None:
        for text in _wrapped_sizes(node.sizes, width, measure):
            yield text, False, 0.0
    for item in node.items:
        yield from _wrapped_item(item, width, measure)


def _wrapped_item(item: Item, width: float, measure: Measure) -> Iterator[tuple[str, bool, float]]:
    """One line where it fits; otherwise the label, and its numbers together below it."""
    if measure(item.text, False) <= width - INDENT:
        yield item.text, False, INDENT
        return
    for text in wrap(f"{item.label}:", width - INDENT, lambda part: measure(part, False)):
        yield text, False, INDENT
    for text in _wrapped_sizes(item.sizes, width - 2 * INDENT, measure):
        yield text, False, 2 * INDENT


def _wrapped_sizes(sizes: Sizes, width: float, measure: Measure) -> Iterator[str]:
    """Families and children in one line where they fit, else a line each: a number stays with its word."""
    whole = size_text(sizes)
    families, comma, children = whole.partition(", ")
    fits = measure(whole, False) <= width
    for part in (whole,) if fits else (families + comma.strip(), children):
        yield from wrap(part, width, lambda each: measure(each, False))


def wrap(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """Text in lines that are not wider than `width`; a word that is wider is cut."""
    lines: list[str] = []
    for word in _pieces(text.split(), width, measure):
        if lines and measure(f"{lines[-1]} {word}") <= width:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines


def _pieces(words: Iterable[str], width: float, measure: Callable[[str], float]) -> Iterator[str]:
    for word in words:
        while len(word) > 1 and measure(word) > width:
            cut = max((at for at in range(1, len(word)) if measure(word[:at]) <= width), default=1)
            yield word[:cut]
            word = word[cut:]
        yield word
