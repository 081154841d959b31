"""What is timed: one task per row of the table, and our side of it."""

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from analysis.stats.batch import reml_batch
from analysis.stats.covariance import random_intercept, unstructured
from analysis.stats.family_bootstrap import cox_bootstrap
from analysis.stats.fine_gray import fine_gray
from analysis.stats.frailty import gamma_frailty
from analysis.stats.gray import gray_test
from analysis.stats.hazards import CoxFit, cox
from analysis.stats.multistate import Occupation, aalen_johansen, occupation_curve
from analysis.stats.multistate_bootstrap import occupation_draws
from analysis.stats.proportionality import ph_test
from analysis.stats.reml import reml
from analysis.stats.resampling import family_weights
from analysis.stats.small_sample import contrast
from benchmarks.simulated import DATA, FAMILIES, SEED, Table

RESPONSES = 5000
DRAWS, HORIZONS = 2000, (182, 365, 913)


@dataclass(frozen=True)
class Task:
    """One row of the table: our time, R's program of the same name in peers.R, and the ratio to reach.

    Attributes
    ----------
    name, what : key on the command line, and the work as printed.
    data : which of `DATA` it works on.
    ours : seconds for one unit of work, and peak memory in MiB where it matters.
    peer : program in peers.R, or in `PYTHON_PEERS`; its time is for the same unit of work.
    target : how many times faster than R it should be; None where there is no target.
    """

    name: str
    what: str
    data: str
    ours: Callable[[Table], tuple[float, float | None]]
    peer: str
    target: float | None


def median_seconds(work: Callable[[], object], repeats: int) -> float:
    """Median time of one call, after one call that does not count."""
    work()
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return float(np.median(seconds))


def columns(table: Table, *names: str) -> NDArray:
    return np.column_stack([np.ones(len(table["y"])), *(table[name] for name in names)])


def fit_with_kenward_roger(table: Table) -> tuple[float, None]:
    X = columns(table, "arm", "site", "age", "sex", "base")

    def work():
        return contrast(reml(table["y"], X, random_intercept(table["family"])), np.eye(6)[1])

    return median_seconds(work, 50), None


def many_responses(table: Table, *, L: NDArray | None = None) -> tuple[float, None]:
    X = columns(table, "arm", "site", "age", "sex", "base")
    rng = np.random.default_rng(SEED + 4)
    effect = 3.0 * rng.normal(size=(FAMILIES, RESPONSES))[table["family"]]
    Y = effect + 5.0 * rng.normal(size=(len(X), RESPONSES))
    seconds = median_seconds(lambda: reml_batch(Y, X, table["family"], kenward_roger=L), 7)
    return seconds / RESPONSES, None


def tested_responses(table: Table) -> tuple[float, None]:
    return many_responses(table, L=np.eye(6)[1])


def repeated_measures(table: Table) -> tuple[float, None]:
    """Arm at the last visit, by Kenward-Roger."""
    at_visit = [table["visit"] == visit for visit in range(1, 4)]
    regions = [table["region"] == region for region in (1, 2)]
    by_visit = [here * table["arm"] for here in at_visit]
    X = np.column_stack([columns(table, "arm", "sex"), *regions, *at_visit, *by_visit])
    L = np.zeros(X.shape[1])
    L[[1, -1]] = 1.0

    def work():
        return contrast(reml(table["y"], X, unstructured(table["subject"], table["visit"])), L)

    return median_seconds(work, 10), None


def in_own_process(work: str, data: str) -> tuple[float, float]:
    """A process of its own, so that its peak memory, the data included, is known."""
    run = [sys.executable, "-m", "benchmarks.tasks", work, data]
    seconds, mebibytes = subprocess.run(run, check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), float(mebibytes)


def fit_of_tenth(table: Table) -> tuple[float, float]:
    return in_own_process("fit", "children_tenth")


def fit_of_million(table: Table) -> tuple[float, float]:
    return in_own_process("fit", "children")


def curves_of_million(table: Table) -> tuple[float, float]:
    return in_own_process("curves", "survival_large")


def hazard_ratios(table: Table) -> CoxFit:
    X = np.column_stack([table["arm"], table["site"], table["age"]])
    return cox(None, table["time"], table["cause"] > 0, X, cluster=table["family"])


def proportional_hazards(table: Table) -> tuple[float, None]:
    return median_seconds(lambda: hazard_ratios(table), 30), None


def arm_by_site(table: Table) -> CoxFit:
    """The model of the trial: arm, stratified by site, robust to families."""
    happened = table["cause"] > 0
    return cox(None, table["time"], happened, table["arm"], cluster=table["family"], strata=table["site"])


def stratified_hazards(table: Table, repeats: int = 100) -> tuple[float, None]:
    return median_seconds(lambda: arm_by_site(table), repeats), None


def stratified_hazards_of_million(table: Table) -> tuple[float, float]:
    return in_own_process("hazards", "survival_large")


def drawn_hazards(table: Table) -> tuple[float, None]:
    """One draw of families, the drawing included."""
    fit = arm_by_site(table)
    return median_seconds(lambda: cox_bootstrap(fit, drawn_families(table)[1]), 5) / DRAWS, None


def tested_proportionality(table: Table) -> tuple[float, None]:
    fit = arm_by_site(table)
    return median_seconds(lambda: ph_test(fit, transform="km"), 50), None


def shared_frailty(table: Table) -> tuple[float, None]:
    """With the profile limits of the frailty's variance."""
    rows = (None, table["time"], table["cause"] > 0, table["arm"])
    work = partial(gamma_frailty, *rows, cluster=table["family"], strata=table["site"])
    return median_seconds(work, 5), None


def lifelines_hazards(table: Table) -> float:
    """Seconds of the same model by lifelines."""
    import pandas as pd
    from lifelines import CoxPHFitter

    columns = {name: table[name].astype(float) for name in ("time", "arm", "site", "family")}
    frame = pd.DataFrame(columns | {"event": table["cause"] > 0})

    def work():
        CoxPHFitter().fit(frame, "time", "event", cluster_col="family", strata=["site"])

    return median_seconds(work, 5)


PYTHON_PEERS = {"lifelines": lifelines_hazards}


def transitions(table: Table) -> list[Occupation]:
    """Curves of both arms."""
    target = np.where(table["cause"] > 0, table["cause"], -1)
    return [transitions_of(np.flatnonzero(table["arm"] == arm), table, target) for arm in (0, 1)]


def transitions_of(rows: NDArray, table: Table, target: NDArray) -> Occupation:
    zero = np.zeros(len(rows))
    spells = (rows, zero, table["time"][rows], zero, target[rows])
    return aalen_johansen(*spells, 3, cluster=table["family"][rows])


def transition_curves(table: Table, repeats: int = 300) -> tuple[float, None]:
    """Both arms, with standard errors at every time."""
    return median_seconds(lambda: [occupation_curve(arm) for arm in transitions(table)], repeats), None


def drawn_families(table: Table) -> tuple[NDArray, NDArray]:
    return family_weights(table["family"], DRAWS, np.random.default_rng(SEED + 5))


def transition_bootstrap(table: Table) -> tuple[float, None]:
    """One draw of families for both arms, the drawing included."""

    def work():
        drawn = drawn_families(table)
        return [occupation_draws(arm, HORIZONS, *drawn) for arm in transitions(table)]

    return median_seconds(work, 7) / DRAWS, None


def survival_bootstrap(table: Table) -> tuple[float, None]:
    """The same draws for the Cox model and for the curves of both arms."""

    def work():
        drawn = drawn_families(table)
        curves = [occupation_draws(arm, HORIZONS, *drawn) for arm in transitions(table)]
        return cox_bootstrap(hazard_ratios(table), drawn[1]), curves

    return median_seconds(work, 7) / DRAWS, None


def subdistribution_hazards(table: Table) -> tuple[float, None]:
    X = np.column_stack([table["arm"], table["site"], table["age"]])
    rows = table["time"], table["cause"], X
    return median_seconds(lambda: fine_gray(*rows, cluster=table["family"]), 20), None


def equal_incidence(table: Table) -> tuple[float, None]:
    """Both causes, as R tests every cause at once."""
    rows, options = (table["time"], table["cause"], table["arm"]), {"cluster": table["family"]}

    def work():
        return [gray_test(*rows, cause_of_interest=cause, **options) for cause in (1, 2)]

    return median_seconds(work, 20), None


TASKS = (
    Task("fit", "one fit with Kenward-Roger", "trial", fit_with_kenward_roger, "lmertest", 30),
    Task("mmrm", "MMRM, unstructured, with Kenward-Roger", "visits", repeated_measures, "mmrm", 5),
    Task("batch", "one of 5,000 responses", "trial", many_responses, "refit", 500),
    Task("batch-kr", "the same with Kenward-Roger", "trial", tested_responses, "lmertest", 2000),
    Task("tenth", "100,000 children, one fit", "children_tenth", fit_of_tenth, "lmer", None),
    Task("million", "1,000,000 children, one fit", "children", fit_of_million, "lmer", 15),
    Task("cox", "Cox model, family-robust", "survival", proportional_hazards, "coxph", None),
    Task("cox-arm", "Cox model of the trial's arm by site", "randomised", stratified_hazards, "coxph_arm", 5),
    Task("cox-python", "the same beside Python", "randomised", stratified_hazards, "lifelines", 30),
    Task("cox-draw", "the same, one draw of families", "randomised", drawn_hazards, "coxph_draw", 20),
    Task(
        "cox-million",
        "1,000,000 children, the same",
        "survival_large",
        stratified_hazards_of_million,
        "coxph_naive",
        None,
    ),
    Task("ph", "test of proportional hazards", "randomised", tested_proportionality, "zph", None),
    Task("frailty", "gamma frailty with limits", "randomised", shared_frailty, "frailty", None),
    Task("curves", "Aalen-Johansen curves of two arms", "survival", transition_curves, "survfit", 3),
    Task(
        "curves-million",
        "1,000,000 children, the same",
        "survival_large",
        curves_of_million,
        "survfit_once",
        30,
    ),
    Task(
        "draw-curves",
        "the same, one draw of families",
        "survival",
        transition_bootstrap,
        "survfit_draw",
        None,
    ),
    Task("draw-both", "Cox model and curves, one draw", "survival", survival_bootstrap, "both_draw", 20),
    Task("gray", "Gray's test, family-robust", "survival", equal_incidence, "cuminc", None),
    Task("gray-large", "Gray's test, 10,000 children", "survival_hundredth", equal_incidence, "cuminc", None),
    Task("fine-gray", "Fine-Gray model, family-robust", "survival", subdistribution_hazards, "crr", None),
    Task(
        "fine-gray-large",
        "Fine-Gray model, 10,000 children",
        "survival_hundredth",
        subdistribution_hazards,
        "crr",
        None,
    ),
)


def large_fit(table: Table, repeats: int) -> tuple[float, None]:
    X = columns(table, "arm", "x", "z", "w")
    return median_seconds(lambda: reml(table["y"], X, random_intercept(table["family"])), repeats), None


LARGE = {"fit": large_fit, "curves": transition_curves, "hazards": stratified_hazards}


def main(work: str, data: str) -> None:
    """Print the median time of work on a large table and the peak memory of the process, in MiB."""
    table = DATA[data]()
    seconds, _ = LARGE[work](table, 3)
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main(*sys.argv[1:])
