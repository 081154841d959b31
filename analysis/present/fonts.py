"""The fonts of the figures: those that Matplotlib brings, cut down to the signs that figures show.

The same file on every machine, whatever fonts it has of its own, so that text is as wide and a figure has the
same bytes everywhere. A small font is soon embedded: every PDF is cut from it anew.
"""

import atexit
import shutil
import tempfile
from functools import lru_cache
from itertools import chain
from pathlib import Path

import matplotlib
from fontTools import subset
from matplotlib.font_manager import fontManager

FILES = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
# First and last sign: Latin and Greek letters, punctuation, per mille, euro, arrows, mathematics.
# Any other is drawn as an empty box, with a warning in the log.
SIGNS = (
    *((0x20, 0x7E), (0xA0, 0x17F), (0x391, 0x3C9), (0x2010, 0x2026), (0x2030, 0x2030), (0x20AC, 0x20AC)),
    *((0x2190, 0x2193), (0x2202, 0x2265)),
)
# Rules for placing glyphs, which stand where Matplotlib puts them: to read them takes longest.
LAYOUT_TABLES = ("FFTM", "GDEF", "GPOS", "GSUB", "MATH", "kern")


@lru_cache(maxsize=1)
def use_small_fonts() -> None:
    """Let Matplotlib take the small fonts for those of their names, until the process ends."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in FILES:
        _cut(Path(matplotlib.get_data_path()) / "fonts/ttf" / name, folder / name)
        fontManager.addfont(folder / name)
        # Of fonts that fit equally well the first is taken.
        fontManager.ttflist.insert(0, fontManager.ttflist.pop())


def _cut(whole: Path, small: Path) -> None:
    options = subset.Options(hinting=False, layout_features=[], name_IDs=["*"])
    options.drop_tables += LAYOUT_TABLES
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=chain.from_iterable(range(first, last + 1) for first, last in SIGNS))
    with subset.load_font(str(whole), options) as font:
        cutter.subset(font)
        font.save(small)
