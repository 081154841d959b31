"""Scores against what else is known: the child's own at other visits, and another instrument's."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.data.checks.context import Check, Context, by_key
from analysis.data.checks.instruments import instrument_of, scored
from analysis.spec.declarations import scale_of
from analysis.spec.rules import Rule

NORMAL_MAD = 1.4826  # standard deviations to a median absolute deviation, in a normal distribution


def _off_own_history(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """The visit of a child whose score is furthest from the median of its others, beyond what changes are.

    A change is measured in standard deviations of all children's changes (Jacobson and Truax's reliable
    change, its denominator estimated from the changes themselves by their median absolute deviation), from
    their median. `threshold` is the largest that passes, `at_least` the children needed to judge. Scores of
    another form are another history. Of two visits it cannot be told which one is off: both are found.
    """
    judged = _judged(frame, rule, context)
    pairs = judged.merge(judged, on=["series", "child_id"], suffixes=("", "_other"))
    pairs = pairs[pairs["at"] != pairs["at_other"]]
    own = pairs.groupby("at").agg(
        score=("score", "first"),
        usual=("score_other", "median"),
        series=("series", "first"),
        child_id=("child_id", "first"),
        n=("score_other", "size"),
    )
    change = own["score"] - own["usual"]
    alike = change.groupby([own["series"], own["n"]])
    centred = change - alike.transform("median")
    spread = NORMAL_MAD * centred.abs().groupby([own["series"], own["n"]]).transform("median")
    size = (centred.abs() / spread.where(spread > 0)).fillna(0)
    enough = own.groupby(["series", "n"])["child_id"].transform("nunique") >= rule.at_least
    furthest = size == size.groupby([own["series"], own["child_id"]]).transform("max")
    return _at(own.index[enough & furthest & (size > rule.threshold)], frame)


def _judged(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.DataFrame:
    """Scores with the series of like scores they belong to: the form's, or the scale's."""
    if rule.value:
        score, series = scored(frame, rule.value, context), frame["form"]
    else:
        score, series = frame[rule.column], frame[rule.other]
    rows = pd.DataFrame({"child_id": frame["child_id"], "series": series, "score": score.astype(float)})
    return rows.assign(at=np.arange(len(frame))).dropna()


def _against_direction(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """The first row of each scale that runs the other way with the score `value` than both directions say.

    Pearson's correlation of the two at the same visit, Fisher's z with as many observations as there are
    families: visits of one family are not independent, and counted so the test is the more careful. Beyond
    `threshold` standard errors on the wrong side of zero, from `at_least` families on.
    """
    anchor = instrument_of(rule.value, context)
    if anchor.table not in context.tables:
        return pd.Series(False, index=frame.index)
    rows = _beside(frame, rule, context.tables[anchor.table], context)
    worse = scale_of(context.spec, rule.value).direction
    found = []
    for scale, each in rows.groupby("scale"):
        families = each["family"].nunique()
        same = 1 if scale_of(context.spec, scale).direction == worse else -1
        if families >= max(rule.at_least, 4) and min(each["score"].std(), each["anchor"].std()) > 0:
            r = np.corrcoef(each["score"], each["anchor"])[0, 1]
            z = np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12)) * np.sqrt(families - 3)
            found += [each["at"].min()] if same * z < -rule.threshold else []
    return _at(found, frame)


def _beside(frame: pd.DataFrame, rule: Rule, answers: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Scores beside the anchor's score of the same child and visit, with the family."""
    scale = frame[rule.other] if rule.other else rule.printed[rule.column]
    mine = frame[["child_id", "visit"]].assign(scale=scale, score=frame[rule.column].astype(float))
    anchor = answers[["child_id", "visit"]].assign(anchor=scored(answers, rule.value, context))
    both = mine.assign(at=np.arange(len(frame))).merge(anchor, on=["child_id", "visit"])
    family = by_key(context.tables["children"], "child_id", "family_id")
    return both.assign(family=both["child_id"].map(family)).dropna()


def _at(rows, frame: pd.DataFrame) -> pd.Series:
    found = np.zeros(len(frame), dtype=bool)
    found[np.asarray(list(rows), dtype=int)] = True
    return pd.Series(found, index=frame.index)


KINDS: Mapping[str, Check] = {
    "off_own_history": _off_own_history,
    "against_direction": _against_direction,
}
