"""Builders of covariances that are linear in their parameters, from labels of rows."""

import numpy as np

from analysis.errors import ModelError
from analysis.stats.labels import as_labels, encode
from analysis.stats.structure import Codes, Names, Structure, Term


def random_intercept(cluster: Names) -> Structure:
    """Covariance of a random intercept per cluster: V_i = theta_1 J + theta_2 I with theta_1 >= 0.

    Parameters
    ----------
    cluster : (n,) hashable labels, rows in any order.

    Returns
    -------
    Structure with theta = (variance between clusters, residual variance), in squared units of the outcome.

    Raises
    ------
    ModelError : a label is missing, or there are no rows.

    Source
    ------
    Laird & Ware (1982), Biometrics 38:963-974, equation 2.1.
    """
    return _two_level("random_intercept", cluster, "variance between clusters", 0.0)


def exchangeable(cluster: Names) -> Structure:
    """Covariance of equally correlated rows: V_i = theta_1 J + theta_2 I with theta_1 of either sign.

    The correlation theta_1 / (theta_1 + theta_2) may be negative as far as V_i stays positive definite, that
    is above -1 / (largest cluster size - 1).

    Parameters
    ----------
    cluster : (n,) hashable labels, rows in any order.

    Returns
    -------
    Structure with theta = (covariance within clusters, variance minus that covariance).

    Raises
    ------
    ModelError : a label is missing, or there are no rows.

    Source
    ------
    Pinheiro & Bates (2000), Mixed-Effects Models in S and S-PLUS, section 5.3.1 (compound symmetry).
    """
    return _two_level("exchangeable", cluster, "covariance within clusters", -np.inf)


def nested(cluster: Names, subject: Names) -> Structure:
    """Covariance of rows in subjects in clusters: V_i = theta_1 J + theta_2 J(subject) + theta_3 I.

    Parameters
    ----------
    cluster, subject : (n,) hashable labels, rows in any order. A subject belongs to its cluster: the same
        subject label in two clusters means two subjects.

    Returns
    -------
    Structure with theta = (variance between clusters, variance between subjects of a cluster, residual
    variance).

    Raises
    ------
    ModelError : a label is missing, there are no rows, or the two label vectors differ in length.

    Source
    ------
    Pinheiro & Bates (2000), Mixed-Effects Models in S and S-PLUS, section 1.5 and equation 2.2.
    """
    family = _codes(cluster, "cluster")
    child = _codes(subject, "subject")
    _same_length(family, child)
    terms = (
        Term("variance between clusters", "cluster"),
        Term("variance between subjects", "subject"),
        Term("residual variance", "row", start=1.0),
    )
    pair = family * (child.max() + 1) + child
    return Structure("nested", family, _codes(pair, "subject"), np.zeros_like(family), terms)


def unstructured(subject: Names, visit: Names) -> Structure:
    """Covariance of repeated measures: any positive definite matrix over the visits, independent subjects.

    Parameters
    ----------
    subject, visit : (n,) hashable labels, rows in any order, one row per subject and visit. A subject not
        seen at a visit has no row for it.

    Returns
    -------
    Structure with theta = the upper triangle of the visits' covariance, row by row, in sorted order of the
    visits.

    Raises
    ------
    ModelError : a label is missing, there are no rows, the label vectors differ in length, or a subject has
        two rows for one visit.

    Source
    ------
    Laird & Ware (1982), Biometrics 38:963-974, section 2 (the saturated covariance).
    """
    child = _codes(subject, "subject")
    level, terms = _visit_terms(child, visit)
    return Structure("unstructured", child, child, level, terms)


def unstructured_in_cluster(cluster: Names, subject: Names, visit: Names) -> Structure:
    """Covariance of repeated measures on subjects in clusters: unstructured visits and a shared effect.

    V_i = theta_q J + the visits' covariance of each subject. The effect of the cluster is the same at all
    visits.

    Parameters
    ----------
    cluster, subject, visit : (n,) hashable labels, rows in any order, one row per subject and visit. A
        subject belongs to its cluster: the same label in two clusters means two subjects.

    Returns
    -------
    Structure with theta = (the upper triangle of the visits' covariance within clusters, variance between
    clusters).

    Raises
    ------
    ModelError : a label is missing, there are no rows, the label vectors differ in length, or a subject has
        two rows for one visit.

    Source
    ------
    Pinheiro & Bates (2000), Mixed-Effects Models in S and S-PLUS, sections 1.5 and 5.3.
    """
    family = _codes(cluster, "cluster")
    child = _codes(subject, "subject")
    _same_length(family, child)
    child = _codes(family * (child.max() + 1) + child, "subject")
    level, terms = _visit_terms(child, visit)
    # Last, so that without siblings it is this term and not a covariance that cannot be told from the others.
    terms = (*terms, Term("variance between clusters", "cluster"))
    return Structure("unstructured_in_cluster", family, child, level, terms)


def heterogeneous(cluster: Names, group: Names) -> Structure:
    """Covariance of a random intercept whose two variances differ between groups of clusters.

    Parameters
    ----------
    cluster, group : (n,) hashable labels, rows in any order; all rows of a cluster are of one group.

    Returns
    -------
    Structure with theta = (variance between clusters, residual variance) of each group, in sorted order of
    the groups.

    Raises
    ------
    ModelError : a label is missing, there are no rows, the label vectors differ in length, or a cluster has
        rows of two groups.

    Source
    ------
    Pinheiro & Bates (2000), Mixed-Effects Models in S and S-PLUS, section 5.2 (heteroscedasticity by group).
    """
    family = _codes(cluster, "cluster")
    level, names = encode(as_labels(group, n=len(family), name="group"))
    first = np.zeros(family.max() + 1, dtype=np.intp)
    first[family[::-1]] = level[::-1]
    if (first[family] != level).any():
        raise ModelError("A cluster has rows of two groups; each cluster must belong to one.")
    terms = [
        term
        for g, name in enumerate(names)
        for term in (
            Term(f"variance between clusters of {name}", "cluster", ((g, g),)),
            Term(f"residual variance of {name}", "row", ((g, g),), start=1.0),
        )
    ]
    return Structure("heterogeneous", family, np.arange(len(family)), level, tuple(terms))


def _two_level(name: str, cluster: Names, first: str, lower: float) -> Structure:
    family = _codes(cluster, "cluster")
    terms = (Term(first, "cluster", lower=lower), Term("residual variance", "row", start=1.0))
    return Structure(name, family, np.arange(len(family)), np.zeros_like(family), terms)


def _visit_terms(child: Codes, visit: Names) -> tuple[Codes, tuple[Term, ...]]:
    """Code of each row's visit, and the terms of an unstructured covariance over the visits."""
    level, names = encode(as_labels(visit, n=len(child), name="visit"))
    if len(np.unique(child * len(names) + level)) < len(child):
        raise ModelError("A subject has two rows for one visit; repeated measures have one.")
    terms = [
        Term(
            f"variance at {names[a]}" if a == b else f"covariance of {names[a]} and {names[b]}",
            "subject",
            ((a, b),),
            lower=-np.inf,
            start=float(a == b),
        )
        for a in range(len(names))
        for b in range(a, len(names))
    ]
    return level, tuple(terms)


def _codes(labels: Names, what: str) -> Codes:
    """Integers 0, 1, ... for hashable labels, none of them missing."""
    try:
        codes = encode(as_labels(labels, n=len(labels), name=what))[0]
    except TypeError as error:
        raise ModelError(f"The {what} labels must be one column of hashable values.") from error
    if not len(codes):
        raise ModelError(f"The {what} labels are empty; a covariance needs at least one row.")
    return codes


def _same_length(*codes: Codes) -> None:
    if len({len(code) for code in codes}) > 1:
        raise ModelError(f"Label vectors must be of equal length; got {[len(code) for code in codes]}.")
