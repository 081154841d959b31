"""A synthetic trial as arrays: everything that is random, before any file is written."""

from dataclasses import dataclass

import numpy as np

from analysis.errors import SpecError
from analysis.spec.synthetic import SyntheticParameters
from analysis.synth.chain import Histories, draw_histories
from analysis.synth.children import Children, draw_children
from analysis.synth.families import Families, draw_families
from analysis.synth.followup import FollowUp, settle_followup
from analysis.synth.questionnaires import (
    Forms,
    draw_pedsql,
    draw_scales,
    draw_sdq,
    latent_difficulties,
    sdq_mean,
)
from analysis.synth.streams import stream
from analysis.synth.visits import VISITS, Visit, draw_visits


@dataclass(frozen=True, slots=True)
class Draw:
    """One trial: families, children, histories, visits and questionnaires, row for row the same children."""

    parameters: SyntheticParameters
    seed: int
    scale: float
    families: Families
    children: Children
    histories: Histories
    followup: FollowUp
    visits: dict[str, Visit]
    sdq: dict[str, Forms]
    pedsql: dict[str, Forms]
    scores: dict[str, dict[str, np.ndarray]]


def draw_trial(
    parameters: SyntheticParameters, *, seed: int, scale: float = 1.0, sdq_only: bool = False
) -> Draw:
    """Draw a trial `scale` times the published size.

    `sdq_only` leaves out the other instruments, for a simulation of the primary outcome; nothing else
    changes.

    Raises
    ------
    SpecError
        If `scale` is not positive, or a mean total would lie outside 0 to 40.
    """
    if not scale > 0:
        raise SpecError("scale: the size of a synthetic trial must be above 0.")
    families = draw_families(parameters, seed=seed, scale=scale)
    children = draw_children(parameters, families, seed=seed, scale=scale)
    histories = draw_histories(parameters, families, children, seed=seed)
    families, followup = settle_followup(parameters, families, children, histories, seed=seed, scale=scale)
    visits = draw_visits(parameters, families, children, histories, followup, seed=seed)
    latent = latent_difficulties(parameters, families, children, seed=seed)
    sdq, pedsql = {}, {}
    for name in VISITS:
        mean = sdq_mean(parameters, families, children, visits, name)
        generator = stream(seed, f"SDQ {name}")
        sdq[name] = draw_sdq(parameters, children, visits[name], mean, latent[name], generator=generator)
        if not sdq_only:
            generator = stream(seed, f"PedsQL {name}")
            pedsql[name] = draw_pedsql(parameters, children, visits[name], latent[name], generator=generator)
    scores = {} if sdq_only else draw_scales(parameters, children, visits, latent, seed=seed)
    return Draw(
        parameters=parameters,
        seed=seed,
        scale=scale,
        families=families,
        children=children,
        histories=histories,
        followup=followup,
        visits=visits,
        sdq=sdq,
        pedsql=pedsql,
        scores=scores,
    )
