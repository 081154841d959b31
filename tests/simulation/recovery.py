"""Does the pipeline recover what the synthetic trial was made with? From dirty raw exports to results.

python -m tests.simulation.recovery TRIALS [FIRST_SEED] writes recovery.csv: one row per quantity with its
truth, bias, Monte Carlo error and coverage of the 95 % intervals.
"""

import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.data.allocation import Allocated, allocate
from analysis.data.clean import clean_tables
from analysis.data.corrections import read_corrections
from analysis.data.derive import derive
from analysis.data.table import typed
from analysis.models.registry import FAMILIES, fit_all
from analysis.results import Estimate, Failure
from analysis.sources.ingest import ingest
from analysis.spec.declarations import Spec
from analysis.spec.load import load_mapping, load_spec
from analysis.spec.synthetic import load_synthetic
from analysis.spec.tables import ALLOCATED_TABLES
from analysis.synth.trial import SyntheticTrial, generate, write_trial

ROOT = Path(__file__).resolve().parents[2]
DATA_SPEC = ROOT / "data_spec"
HERE = Path(__file__).parent
CONTRAST = "NIM - SAU"
DAYS = (365, 913)
ANALYSES = ("A01", "A02", "A30", "A31", "A40")


@dataclass(frozen=True)
class Draw:
    """One quantity in one simulated trial."""

    quantity: str
    truth: float
    estimate: float
    low: float
    high: float


def one_trial(seed: int) -> list[Draw]:
    """Raw exports of one synthetic trial through the pipeline, beside its truth."""
    spec, trial = load_spec(DATA_SPEC), generate(load_synthetic(DATA_SPEC), seed=seed)
    data = pipeline(spec, trial)
    plan = replace(spec, analyses={name: spec.analyses[name] for name in ANALYSES})
    found = {}
    for family in ("mixed", "hazard", "incidence", "occupation"):
        for result in fit_all(FAMILIES[family], data, plan):
            assert not isinstance(result, Failure), result
            found[result.analysis] = result.estimates
    return list(draws(found, Truth(trial.truth)))


def pipeline(spec: Spec, trial: SyntheticTrial) -> Allocated:
    """Ingest, clean, derive and allocate, as the workflow does."""
    with tempfile.TemporaryDirectory() as folder:
        raw, restricted = Path(folder, "raw"), Path(folder, "restricted")
        write_trial(trial, raw, restricted)
        clean = {}
        for audience, secret in (("open", None), ("closed", restricted / "allocation.csv")):
            names = spec.table_names(layer="raw", audience=audience)
            read = ingest(spec, load_mapping(DATA_SPEC, "synthetic"), raw, tables=names, allocation=secret)
            nothing = read_corrections(None, spec)
            cut = spec.trial.data_cut
            clean |= clean_tables(read.tables, spec, data_cut=cut, corrections=nothing, parents=clean).tables
    tables = {name: typed(text, spec.table(name)) for name, text in clean.items()}
    derived = derive(tables, spec, data_cut=spec.trial.data_cut).tables
    chosen = {name: derived[name] for name in ALLOCATED_TABLES}
    return allocate(chosen, tables["allocation"], spec, view="closed")


class Truth:
    """The implied estimands of a synthetic trial's truth file."""

    def __init__(self, truth: dict) -> None:
        self.truth = truth
        self.care = pd.DataFrame(truth["care"])

    def gap(self, name: str, day: int, **labels: str) -> float:
        """Difference between the arms, standardised to the site mix of the children analysed."""
        wanted = {"name": name, "day": day, "site": "standardised", **labels}
        here = self.care[np.logical_and.reduce([self.care[key] == value for key, value in wanted.items()])]
        value = here.set_index("arm")["value"]
        return float(value["NIM"] - value["SAU"])


def draws(found: dict[str, tuple[Estimate, ...]], truth: Truth) -> Iterator[Draw]:
    """Every quantity whose truth is known."""
    outcome = truth.truth["outcome"]
    for analysis in ("A01", "A02"):
        yield draw(f"{analysis} difference", outcome["mean_difference"], found[analysis], "difference")
    ratio = truth.truth["permanence_hazard_ratio"]
    yield draw("A30 hazard ratio", ratio, found["A30"], "hazard_ratio", log=True)
    for day in DAYS:
        for state in ("home", "kin", "adopted", "foster"):
            gap = truth.gap("cumulative_incidence", day, state=state)
            yield draw(f"A31 {state} {day}", gap, found["A31"], "risk_difference", cause=state, day=day)
        for state in ("care", "home", "kin", "foster", "adopted"):
            gap = truth.gap("occupation", day, state=state)
            yield draw(f"A40 {state} {day}", gap, found["A40"], "occupation_difference", state=state, day=day)
    days = truth.gap("days_in_family_home", 913)
    yield draw("A40 days in a family home", days, found["A40"], "days_difference", state="family_home")


def draw(quantity: str, truth: float, found, name: str, *, log: bool = False, **labels) -> Draw:
    wanted = {"contrast": CONTRAST, **{key: str(value) for key, value in labels.items()}}
    (each,) = [each for each in found if each.name == name and dict(each.labels) == wanted]
    change = np.log if log else float
    return Draw(quantity, *(float(change(value)) for value in (truth, each.value, each.low, each.high)))


def summarise(trials: list[list[Draw]]) -> pd.DataFrame:
    """Bias with its Monte Carlo error, and coverage, per quantity."""
    frame = pd.DataFrame([draw.__dict__ | {"trial": k} for k, draws in enumerate(trials) for draw in draws])
    frame["covered"] = (frame["low"] <= frame["truth"]) & (frame["truth"] <= frame["high"])
    frame["error"] = frame["estimate"] - frame["truth"]
    groups = frame.groupby("quantity", sort=False)
    return pd.DataFrame(
        {
            "trials": groups.size(),
            "truth": groups["truth"].mean(),
            "bias": groups["error"].mean(),
            "monte_carlo_error": groups["error"].std() / np.sqrt(groups.size()),
            "coverage": groups["covered"].mean(),
        }
    ).reset_index()


def recover(trials: int, first: int = 1000, workers: int = 2) -> pd.DataFrame:
    """The summary over seeds first, first + 1, ..."""
    with ProcessPoolExecutor(workers) as pool:
        return summarise(list(pool.map(one_trial, range(first, first + trials), chunksize=5)))


if __name__ == "__main__":
    table = recover(int(sys.argv[1]), *(int(each) for each in sys.argv[2:]))
    table.round(6).to_csv(HERE / "recovery.csv", index=False, lineterminator="\n")
    print(table.round(4).to_string())
