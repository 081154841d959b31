"""Where labels of points go: beside their point, and not on one another."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from matplotlib.axes import Axes

from analysis.present import canvas

Box = tuple[float, float, float, float]
# Points from the mark to its label.
AWAY = 5.0
# Behind labels, so that no line runs through them.
PAPER = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"}


@dataclass(slots=True)
class Labels:
    """Labels of one panel, each put at the first place beside its point at which it touches no other."""

    axes: Axes
    size: float
    boxes: list[Box] = field(default_factory=list)

    def add(
        self, text: str, x: float, y: float, *, colour: str, places: Sequence[tuple[int, int]], bold: bool
    ) -> None:
        """Put a label; `places` are (across, up) in the order of preference, each -1, 0 or 1."""
        width = canvas.text_width(text, self.size, bold) + 2
        boxes = {place: self._box(x, y, width, place) for place in places}
        chosen = next((each for each, box in boxes.items() if self._is_free(box)), places[0])
        self.boxes.append(boxes[chosen])
        across, up = chosen
        self.axes.annotate(
            text,
            (x, y),
            xytext=(across * AWAY, up * AWAY),
            textcoords="offset points",
            ha={-1: "right", 0: "center", 1: "left"}[across],
            va={-1: "top", 0: "center_baseline", 1: "bottom"}[up],
            fontsize=self.size,
            fontweight="bold" if bold else "normal",
            color=colour,
            bbox=PAPER,
            zorder=6,
            annotation_clip=False,
        )

    def _box(self, x: float, y: float, width: float, place: tuple[int, int]) -> Box:
        """Left, foot, right and top in points from the lower left of the panel."""
        (low, high), (foot, top) = self.axes.get_xlim(), self.axes.get_ylim()
        across, up = self._panel()
        height = 1.3 * self.size
        left = (x - low) / (high - low) * across + place[0] * AWAY + (place[0] - 1) / 2 * width
        bottom = (y - foot) / (top - foot) * up + place[1] * AWAY + (place[1] - 1) / 2 * height
        return left, bottom, left + width, bottom + height

    def _panel(self) -> tuple[float, float]:
        place, (width, height) = self.axes.get_position(), self.axes.figure.get_size_inches()
        return place.width * width * canvas.POINTS, place.height * height * canvas.POINTS

    def _is_free(self, box: Box) -> bool:
        across, up = self._panel()
        inside = box[0] >= 0 and box[1] >= 0 and box[2] <= across and box[3] <= up
        return inside and not any(
            box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
            for other in self.boxes
        )
