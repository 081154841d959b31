"""Questionnaire scores from item answers, by the instrument's declared rules."""

import numpy as np
import pandas as pd

from analysis.spec.instruments import Form, Instrument, Scale, ScaleScore

FACTORS: dict[ScaleScore, int] = {
    "mean of the answered items times five": 5,
    "mean of the answered items": 1,
}


def score_table(frame: pd.DataFrame, instrument: Instrument) -> pd.DataFrame:
    """Scores of every answered form.

    Parameters
    ----------
    frame : DataFrame
        Typed rows of the instrument's item table.
    instrument : Instrument
        Items, scales, reversed items, missing rule and rounding.

    Returns
    -------
    DataFrame
        Columns `position` (row of `frame`), `parameter`, `value` (missing when too few items were answered)
        and `n_items` (items answered of those the score uses).
    """
    parts = []
    for form in instrument.forms:
        rows = np.flatnonzero((frame["form"] == form.id).to_numpy())
        if len(rows):
            parts.append(_score_form(frame.iloc[rows], rows, form, instrument))
    columns = ["position", "parameter", "value", "n_items"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def round_half_up(values: np.ndarray) -> np.ndarray:
    """Whole numbers, a half going up, as questionnaire manuals round; not-a-number stays."""
    # A sum of few thirds or quarters can fall a hair below its half.
    return np.floor(values + 0.5 + 1e-9)


def _score_form(frame: pd.DataFrame, rows: np.ndarray, form: Form, instrument: Instrument) -> pd.DataFrame:
    items = _item_scores(frame, form, instrument)
    scales = {scale.parameter: _scale(items, scale, instrument) for scale in form.scales}
    found = [_long(rows, name, value, answered) for name, (value, answered) in scales.items()]
    for total in instrument.totals:
        members = [scale for scale in form.scales if scale.parameter in total.scales]
        used = np.concatenate([np.asarray(scale.items) - 1 for scale in members])
        answered = (~np.isnan(items[:, used])).sum(axis=1)
        value = _sum(scales, total.scales) if total.method == "sum" else _item_mean(items[:, used], answered)
        found.append(_long(rows, total.parameter, value, answered))
    return pd.concat(found, ignore_index=True)


def _item_scores(frame: pd.DataFrame, form: Form, instrument: Instrument) -> np.ndarray:
    columns = [f"{instrument.item_prefix}{number:02d}" for number in range(1, form.n_items + 1)]
    answers = frame[columns].astype(float).to_numpy()
    scores = np.full(answers.shape, np.nan)
    for answer, score in instrument.item_scores.items():
        scores[answers == answer] = score
    ends = min(instrument.item_scores.values()) + max(instrument.item_scores.values())
    turned = [number - 1 for number in instrument.reversed_items if number <= form.n_items]
    scores[:, turned] = ends - scores[:, turned]
    return scores


def _scale(items: np.ndarray, scale: Scale, instrument: Instrument) -> tuple[np.ndarray, np.ndarray]:
    chosen = items[:, np.asarray(scale.items) - 1]
    answered = (~np.isnan(chosen)).sum(axis=1)
    mean = np.nansum(chosen, axis=1) / np.maximum(answered, 1)
    value = FACTORS[instrument.scale_score] * mean
    value = round_half_up(value) if instrument.rounding == "half_up" else value
    return np.where(answered >= scale.min_answered, value, np.nan), answered


def _sum(scales: dict[str, tuple[np.ndarray, np.ndarray]], names: tuple[str, ...]) -> np.ndarray:
    return np.sum([scales[name][0] for name in names], axis=0)


def _item_mean(items: np.ndarray, answered: np.ndarray) -> np.ndarray:
    mean = np.nansum(items, axis=1) / np.maximum(answered, 1)
    return np.where(2 * answered >= items.shape[1], mean, np.nan)


def _long(rows: np.ndarray, parameter: str, value: np.ndarray, answered: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"position": rows, "parameter": parameter, "value": value, "n_items": answered})
