"""What every made-up result is made of."""

from functools import cache
from pathlib import Path

from analysis.results import Result
from analysis.spec.declarations import Spec
from analysis.spec.load import load_spec

ROOT = Path(__file__).parents[3]
STYLE = ROOT / "reports" / "trial.mplstyle"
TEMPLATES = ROOT / "reports"
ARMS = ("NIM", "SAU")
CONTRAST = "NIM - SAU"
DAYS = (182, 365, 548, 730, 913)
ROUTES = {"home": 0.24, "kin": 0.16, "foster": 0.12, "adopted": 0.2, "died": 0.004}
STATES = ("care", *ROUTES)


@cache
def spec() -> Spec:
    return load_spec(ROOT / "data_spec")


def arms_in(view: str) -> tuple[str, ...]:
    return ("All",) if view == "open" else ARMS


def result(analysis: str, view: str, **parts) -> Result:
    entry = spec().analyses[analysis]
    given = {
        "estimand": entry.estimand,
        "method": f"Method of {entry.family} analyses, one sentence",
        **parts,
    }
    return Result(
        analysis=analysis,
        family=entry.family,
        title=entry.title,
        audience="open" if view == "open" else "closed",
        timing=entry.timing,
        **given,
    )
