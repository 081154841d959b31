"""Trials shared by the tests of this folder, and a reader that knows nothing of the generator."""

import csv
import io
import re
from pathlib import Path

import pytest

from analysis.spec.base import read_yaml
from analysis.spec.synthetic import load_synthetic
from analysis.synth.draw import draw_trial
from analysis.synth.trial import export

DATA_SPEC = Path(__file__).parents[3] / "data_spec"
SEED = 2


def _episodes(text: str) -> list[dict[str, str]]:
    """Episodes of a return as XML, one on each line: the columns of the CSV file."""
    rows, child = [], ""
    for line in text.splitlines()[1:-1]:
        child = (re.findall("<CHILDID>(.*?)</CHILDID>", line) or [child])[0]
        cells = re.findall(r"<(\w+)(?: />|>([^<]*)</)", line[line.index("<EPISODE>") + 9 :])
        rows.append({"CHILD": child, **{"PLACE" if name == "PL" else name: cell for name, cell in cells}})
    return rows


def _rows(path: str, content: bytes) -> list[dict[str, str]]:
    if path.endswith(".xml"):
        return _episodes(content.decode())
    court = path.startswith("court/")
    text = content.decode("cp1252" if court else "utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if court else ","))


@pytest.fixture(scope="session")
def tables():
    """Rows of every file of a trial, as dictionaries of strings, the restricted list among them."""

    def read(trial):
        files = {**trial.raw, "allocation.csv": trial.allocation}
        return {path: _rows(path, content) for path, content in files.items()}

    return read


@pytest.fixture(scope="session")
def data_spec():
    return DATA_SPEC


@pytest.fixture(scope="session")
def parameters():
    return load_synthetic(DATA_SPEC)


@pytest.fixture(scope="session")
def mapping():
    return read_yaml(DATA_SPEC / "mappings" / "synthetic.yaml")


@pytest.fixture(scope="session")
def draw(parameters):
    return draw_trial(parameters, seed=SEED)


@pytest.fixture(scope="session")
def clean(draw):
    return export(draw, dirt=False)


@pytest.fixture(scope="session")
def dirty(draw):
    return export(draw)
