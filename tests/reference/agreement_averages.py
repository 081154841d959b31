"""Worst difference from R of both averages and of standardised risks, as Markdown tables.

Run ``python -m tests.reference.agreement_averages`` from the root of the repository. The tests of the same
numbers are `test_estimating_equations.py` and `test_standardisation.py` beside this file.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.stats.estimating_equations import independence, robust_contrast
from analysis.stats.standardisation import standardised_risks
from tests.reference.agreement_mixed import load

HERE = Path(__file__).parent
Values = dict[str, np.ndarray]


def averages(name: str, weights: str) -> Values:
    """Our coefficients, errors, degrees of freedom and P of one data set; weights of a child or a family."""
    y, X, data = load(f"lmm_{name}")
    size = data["cluster"].map(data["cluster"].value_counts()).to_numpy()
    by_family = {"child": None, "family": 1.0 / size}[weights]
    fit = independence(y, X, data["cluster"].to_numpy(), weights=by_family)
    tests = [robust_contrast(fit, row) for row in np.eye(X.shape[1])]
    return {
        "beta": fit.beta,
        "se_plain": np.sqrt(np.diagonal(fit.vcov_plain)),
        **{each: np.array([getattr(test, each) for test in tests]) for each in ("se", "df", "p")},
    }


def averages_by_r() -> Iterator[tuple[str, str, Values]]:
    """Data set, weights, and what clubSandwich gives."""
    table = pd.read_csv(HERE / "gee_independence" / "expected.csv", float_precision="round_trip")
    for (name, weights), rows in table.groupby(["name", "weights"]):
        yield name, weights, {each: part["value"].to_numpy() for each, part in rows.groupby("quantity")}


def risks(folder: str) -> pd.DataFrame:
    """Our risks, difference and logarithm of the ratio, with errors and degrees of freedom."""
    data = pd.read_csv(HERE / folder / "input.csv", dtype={"cluster": str})
    X = np.column_stack([np.ones(len(data)), data.drop(columns=["event", "cluster"])])
    found = standardised_risks(data["event"], X, 1, data["cluster"].to_numpy())
    rows = {
        "treated": found.treated,
        "control": found.control,
        "difference": found.difference,
        "log_ratio": found.ratio,
    }
    values = {name: (each.estimate, each.se, each.df) for name, each in rows.items()}
    values["log_ratio"] = (np.log(found.ratio.estimate), *values["log_ratio"][1:])
    return pd.DataFrame.from_dict(values, orient="index", columns=["value", "se", "df"])


def risks_by_r(folder: str) -> pd.DataFrame:
    """What glm and matrix algebra give."""
    return pd.read_csv(HERE / folder / "expected.csv", float_precision="round_trip").set_index("quantity")


def main() -> None:
    print(
        "| Data set | Weights | Coefficients | SE, CR0 | SE, CR2 | df (absolute) | P |\n"
        "|---|---|---|---|---|---|---|"
    )
    for name, weights, theirs in averages_by_r():
        ours = averages(name, weights)
        shown = [_worst(ours[each], theirs[each]) for each in ("beta", "se_plain", "se")]
        df = np.abs(ours["df"] - theirs["df"]).max()
        print(f"| {name} | {weights} | {' | '.join(shown)} | {df:.0e} | {_worst(ours['p'], theirs['p'])} |")
    print("\n| Data set | Risks, difference, log ratio | SE | df |\n|---|---|---|---|")
    for folder in ("std_ohio", "std_respiratory"):
        ours, theirs = risks(folder), risks_by_r(folder)
        shown = [_worst(ours[each], theirs.loc[ours.index, each]) for each in ("value", "se")]
        same = "same" if (ours["df"] == theirs.loc[ours.index, "df"]).all() else "other"
        print(f"| {folder} | {' | '.join(shown)} | {same} |")


def _worst(ours: np.ndarray, theirs: np.ndarray) -> str:
    # A P value too small to matter has no relative difference worth the name.
    kept = np.abs(np.asarray(theirs)) > 1e-12
    return f"{np.abs(np.asarray(ours)[kept] / np.asarray(theirs)[kept] - 1).max():.0e}"


if __name__ == "__main__":
    main()
