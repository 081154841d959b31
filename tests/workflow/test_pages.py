"""The finished reports as a reader meets them: walked without a browser, then opened and printed in one."""

import html.parser
import http.server
import os
import re
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.workflow.conftest import Copy

VIEWS = ("open", "closed")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = next((found for name in BROWSERS if (found := shutil.which(name))), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason=f"no browser here ({', '.join(BROWSERS)})")
needs_poppler = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="no pdftotext here (poppler-utils)"
)
VOID = {"meta", "br", "img", "hr"}
# The browser's own affairs, which no option ends. No page of ours has a word of these.
OWN_AFFAIRS = re.compile(r"\b(google|googleapis|gvt1|gstatic)\.com\b")
CHECKLIST = "C1"  # names places, and shows no result
MARKS = {"open": "OPEN", "closed": "CLOSED - CONFIDENTIAL"}


@dataclass
class Element:
    """An element of a page with what it is in; text is told in the order of the page."""

    tag: str
    attributes: dict[str, str]
    # Not told when a test fails: each element would tell the whole page.
    above: "Element | None" = field(repr=False)
    inside: "list[Element | str]" = field(default_factory=list, repr=False)

    def walk(self) -> "Iterator[Element]":
        yield self
        for each in self.inside:
            if isinstance(each, Element):
                yield from each.walk()

    @property
    def text(self) -> str:
        parts = [each if isinstance(each, str) else f"{each.text} " for each in self.inside]
        return " ".join("".join(parts).split())

    def is_within(self, *names: str) -> bool:
        classes = self.attributes.get("class", "").split()
        if self.tag in names or set(classes) & set(names):
            return True
        return self.above is not None and self.above.is_within(*names)


class Walker(html.parser.HTMLParser):
    """Builds the elements of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.root = self.here = Element("page", {}, None)
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        element = Element(tag, {name: value or "" for name, value in attrs}, self.here)
        self.here.inside.append(element)
        if tag not in VOID:
            self.here = element

    def handle_startendtag(self, tag, attrs):
        self.here.inside.append(Element(tag, {name: value or "" for name, value in attrs}, self.here))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.here.tag == tag, f"{tag} closes within {self.here.tag}"
            self.here = self.here.above

    def handle_data(self, data):
        self.here.inside.append(data)


@dataclass(frozen=True)
class Page:
    """A finished report: its file, and its elements."""

    view: str
    path: Path
    elements: tuple[Element, ...] = field(repr=False)

    def all(self, *tags: str) -> list[Element]:
        return [each for each in self.elements if each.tag in tags]

    def of_class(self, name: str) -> list[Element]:
        return [each for each in self.elements if name in each.attributes.get("class", "").split()]

    @property
    def ids(self) -> list[str]:
        return [each.attributes["id"] for each in self.elements if "id" in each.attributes]


def page_of(view: str, path: Path, text: str) -> Page:
    return Page(view, path, tuple(Walker(text).root.walk()))


@pytest.fixture(scope="session", params=VIEWS)
def page(request: pytest.FixtureRequest, finished: Copy) -> Page:
    path = finished.folder / f"out/{request.param}/report.html"
    return page_of(request.param, path, path.read_text(encoding="utf-8"))


# Walked without a browser


def test_contents_lead_to_every_table_figure_and_chapter(page: Page):
    (contents,) = page.all("nav")
    links = {each.attributes["href"][1:] for each in contents.walk() if each.tag == "a"}
    assert links <= set(page.ids)
    pieces = {each.attributes["id"] for each in page.of_class("piece")} - {"S1"}
    chapters = {
        each.attributes["id"]
        for each in page.all("section", "footer")
        if "id" in each.attributes and each.attributes["id"] != "summary"
    }
    assert links == pieces | chapters


def test_every_link_leads_to_a_place_on_the_page_or_to_a_page_beside_it(page: Page):
    assert len(set(page.ids)) == len(page.ids)
    for link in page.all("a"):
        file, _, place = link.attributes["href"].partition("#")
        assert (page.path.parent / file).is_file() if file else place in page.ids, link.attributes["href"]


def numbers_in(piece: Element) -> list[Element]:
    """Cells that show a result; the number of a table that is named in a list of places is none."""
    return [
        each
        for each in piece.walk()
        if each.tag == "td"
        and re.search(r"(?<![A-Z\d])\d", each.text)
        and "failure" not in str(each.above.attributes)
    ]


def test_every_number_leads_to_an_origin_that_says_enough(page: Page):
    origins = {each.attributes["id"]: each for each in page.of_class("origin")}
    numbers = [cell for piece in page.of_class("piece") for cell in numbers_in(piece)]
    assert len(numbers) > 150
    for cell in numbers:
        (link,) = [each for each in cell.inside if isinstance(each, Element)]
        assert link.attributes["href"][1:] in origins
    for name, origin in origins.items():
        terms = [each.text for each in origin.walk() if each.tag == "dt"]
        assert terms == ["Status", "Estimand", "Analysed", "Method", "Made from"]
        made_from = [each.text for each in origin.walk() if each.tag == "dd"][-1]
        assert re.fullmatch(
            r"results/\w+\.json ?; plan [0-9a-f]{16} ?, code [0-9a-f]{16} ?, input tables [0-9a-f]{16}",
            made_from,
        ), f"{name}: {made_from}"
        heading = next(each for each in origin.walk() if each.tag == "h4")
        assert heading.text.startswith(f"{name} ")


def test_tables_are_reached_by_the_keyboard_and_so_are_their_origins(page: Page):
    for piece in [each for each in page.of_class("piece") if each.attributes["id"] != CHECKLIST]:
        listed = [each for each in piece.walk() if "origins" in each.attributes.get("class", "")]
        links = [each for line in listed for each in line.walk() if each.tag == "a"]
        assert links and all("tabindex" not in each.attributes for each in links)
        from_cells = {
            each.attributes["href"] for each in piece.walk() if each.tag == "a" and each.is_within("td")
        }
        assert from_cells <= {each.attributes["href"] for each in links}
    for table in page.all("table"):
        assert table.above.attributes.get("tabindex") == "0", "a table that is cut off can be scrolled by key"
        assert table.above.attributes.get("role") == "region"


def test_the_page_can_be_read_aloud(page: Page):
    assert page.all("html")[0].attributes["lang"] == "en-GB"
    assert page.all("title")[0].text.startswith("BeST?")
    levels = [int(each.tag[1]) for each in page.all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in zip(levels, levels[1:], strict=False))
    first = page.all("a")[0]
    assert first.attributes == {"class": "skip", "href": "#content"}
    assert len(page.all("main")) == len(page.all("nav")) == len(page.all("footer")) == 1
    for table in page.all("table"):
        captions = [each for each in table.inside if isinstance(each, Element) and each.tag == "caption"]
        region = table.above.attributes
        assert captions or region.get("aria-label"), "every table has a name"
        if captions:
            assert region["aria-labelledby"] == captions[0].attributes["id"]
    assert all(
        each.attributes.get("scope") in ("col", "row", "colgroup", "rowgroup") for each in page.all("th")
    )
    for drawing in page.of_class("drawing"):
        assert drawing.attributes["role"] == "img" and len(drawing.attributes["aria-label"]) > 60


def test_the_reports_are_small(finished: Copy):
    sizes = {view: (finished.folder / f"out/{view}/report.html").stat().st_size for view in VIEWS}
    assert sizes["open"] < 500_000 and sizes["closed"] < 1_200_000, sizes


# Colours


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    long = colour if len(colour) == 7 else "#" + "".join(each * 2 for each in colour[1:])
    parts = [int(long[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_computed_as_wcag_does():
    assert contrast("#000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.005)


def test_words_stand_out_from_what_they_stand_on(page: Page):
    css = "".join(each for each in page.all("style")[0].inside if isinstance(each, str))
    rules = [(head.strip(), dict(pairs(body))) for head, body in re.findall(r"([^{}]+)\{([^{}]*)\}", css)]
    views = [
        dict(body) for head, body in rules if head.endswith("body.closed") or head.endswith("body.dummy")
    ]
    root = next(body for head, body in rules if head.endswith(":root"))
    backgrounds = {"#fff", root["--tint"]}
    judged = 0
    for names in [root, *({**root, **each} for each in views)]:
        for head, body in rules:
            if "color" not in body or "watermark" in head:
                continue
            colour = resolved(body["color"], names)
            if not colour.startswith("#"):
                continue
            own = resolved(body.get("background", ""), names)
            for behind in {own} if own.startswith("#") else backgrounds:
                assert contrast(colour, behind) >= 4.5, (head, colour, behind)
                judged += 1
    assert judged > 30


def pairs(body: str) -> list[tuple[str, str]]:
    parts = (each.partition(":") for each in body.split(";") if ":" in each)
    return [(name.strip(), value.strip()) for name, _, value in parts]


def resolved(value: str, names: dict[str, str]) -> str:
    found = re.fullmatch(r"var\((--\w[\w-]*)\)", value)
    return names[found[1]] if found else value


# In a browser


def browse(*arguments: str, folder: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the browser without a window, with a profile of its own and nothing to say to anybody."""
    quiet = [
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"),
        *("--no-first-run", "--disable-sync", "--disable-extensions", "--disable-background-networking"),
        *("--disable-component-update", "--disable-default-apps", "--no-pings", "--metrics-recording-only"),
        *(
            "--disable-features=OptimizationHints,MediaRouter,Translate",
            f"--user-data-dir={folder / 'profile'}",
        ),
    ]
    done = subprocess.run(
        [BROWSER, *quiet, *arguments],
        capture_output=True,
        text=True,
        timeout=180,
        env={**os.environ, "HOME": str(folder)},
    )
    assert not check or done.returncode == 0, done.stderr[-2000:]
    return done


class Proxy:
    """Answers every request of the browser with a refusal, and remembers for what it was."""

    def __enter__(self) -> "Proxy":
        self.asked: list[str] = []
        asked = self.asked

        class Refuse(http.server.BaseHTTPRequestHandler):
            def refuse(self) -> None:
                asked.append(self.path)
                self.send_error(502)

            do_GET = do_POST = do_CONNECT = do_HEAD = refuse  # noqa: N815

            def log_message(self, *arguments) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuse)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def arguments(self) -> tuple[str, str]:
        return (
            f"--proxy-server=http://127.0.0.1:{self.server.server_address[1]}",
            "--proxy-bypass-list=<-loopback>",
        )


def opened(path: Path, folder: Path) -> tuple[str, list[str], list[str]]:
    """The page as the browser reads it, what its console says, and what it asked the network for."""
    with Proxy() as proxy:
        done = browse(
            *("--enable-logging=stderr", "--v=0", "--virtual-time-budget=3000", *proxy.arguments),
            *("--dump-dom", path.as_uri()),
            folder=folder,
        )
    asked = [each for each in proxy.asked if not OWN_AFFAIRS.search(each)]
    return done.stdout, re.findall(r"CONSOLE[:(].*", done.stderr), asked


@needs_browser
def test_a_page_with_faults_is_found_out(tmp_path):
    """What the tests below would not pass, so that their silence means something."""
    faulty = tmp_path / "faulty.html"
    faulty.write_text(
        '<p>Text<img src="http://elsewhere.invalid/pixel.png"><script>console.error("broken")</script>'
    )
    _, console, asked = opened(faulty, tmp_path)
    assert any("broken" in line for line in console)
    assert "http://elsewhere.invalid/pixel.png" in asked


@needs_browser
def test_the_browser_reads_the_page_as_it_was_written(page: Page, tmp_path):
    dumped, console, asked = opened(page.path, tmp_path)
    assert console == []
    assert asked == [] and not OWN_AFFAIRS.search(page.path.read_text())
    read = page_of(page.view, page.path, dumped)
    for tags in (("table",), ("th", "td"), ("a",), ("h1", "h2", "h3", "h4"), ("path", "use", "text")):
        assert [each.text for each in read.all(*tags)] == [each.text for each in page.all(*tags)]
    assert sorted(read.ids) == sorted(page.ids)


@needs_browser
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", ["issues", "define"])
def test_the_pages_beside_it_are_silent_too(finished: Copy, name: str, view: str, tmp_path):
    _, console, asked = opened(finished.folder / f"out/{view}/{name}.html", tmp_path)
    assert console == asked == []


@needs_browser
def test_an_origin_shows_where_it_was_asked_for(page: Page, tmp_path):
    """The origin lies over the foot of the window, and the page stays where it was."""
    shots = []
    for target in ("", "#A50"):
        shot = tmp_path / f"shot{len(shots)}.png"
        browse(f"--screenshot={shot}", "--window-size=900,900", page.path.as_uri() + target, folder=tmp_path)
        shots.append(shot)
    top, foot = differing_rows(*shots)
    assert top > 300, "what was being read is still there"
    assert foot > 850, "the origin stands at the foot"


def differing_rows(one: Path, other: Path) -> tuple[int, int]:
    """First and last row of pixels in which two pictures differ."""
    image = pytest.importorskip("matplotlib.image")
    differ = (image.imread(one) != image.imread(other)).any(axis=(1, 2)).nonzero()[0]
    return int(differ[0]), int(differ[-1])


@needs_browser
@needs_poppler
def test_the_page_prints_whole(page: Page, tmp_path):
    """Every word is on paper, within its margins; every sheet says what it is; origins stay on the screen."""
    pdf = tmp_path / "report.pdf"
    browse(f"--print-to-pdf={pdf}", "--no-pdf-header-footer", page.path.as_uri(), folder=tmp_path)
    boxes = tmp_path / "boxes.html"
    subprocess.run(["pdftotext", "-bbox", str(pdf), str(boxes)], check=True)
    sheets = re.findall(
        r'<page width="([\d.]+)" height="([\d.]+)">(.*?)</page>', boxes.read_text(), re.DOTALL
    )
    assert 15 < len(sheets) < 80
    printed = Counter()
    for number, (width, height, content) in enumerate(sheets, start=1):
        words = re.findall(
            r'xMin="(-?[\d.]+)" yMin="(-?[\d.]+)" xMax="(-?[\d.]+)" yMax="(-?[\d.]+)">(.*?)</word>', content
        )
        for x_min, y_min, x_max, y_max, word in words:
            assert float(x_min) > 30 and float(x_max) < float(width) - 30, f"page {number}: {word} is cut off"
            assert float(y_min) > 10 and float(y_max) < float(height) - 10, f"page {number}: {word}"
        text = " ".join(html.unescape(word) for *_, word in words)
        assert MARKS[page.view] in text and "data cut 31 December 2023" in text
        assert f"{number} / {len(sheets)}" in text
        printed.update(re.findall(r"\w+", text))
    hidden = ("origins", "register", "details", "head", "skip", "svg", "watermark")
    cells = [each.text for each in page.all("td", "th", "caption", "dd") if not each.is_within(*hidden)]
    wanted = Counter(re.findall(r"\w+", " ".join(cells)))
    lost = {word: (n, printed[word]) for word, n in wanted.items() if printed[word] < n and len(word) < 12}
    assert lost == {}
    assert "Origin of every number" not in boxes.read_text()
