"""The random list: level at the end of a block, and tossed with the coin it states."""

import itertools
from collections import Counter

import numpy as np
import pytest

from analysis.synth.allocation import allocate
from analysis.synth.streams import stream


def test_probabilities_follow_from_the_order():
    arm, probability = allocate(250, coin=0.8, block=250, generator=stream(3, "list"))
    lead = 0
    for given, stated in zip(arm, probability, strict=True):
        chance = 0.5 if lead == 0 else (0.2 if lead > 0 else 0.8)
        assert stated == pytest.approx(chance if given else 1 - chance)
        lead += 1 if given else -1
    assert lead == 0


def test_every_block_is_level_and_the_last_may_be_short():
    arm, _ = allocate(26, coin=0.8, block=10, generator=stream(3, "list"))
    assert arm.size == 26
    assert [int(part.sum()) for part in np.split(arm, [10, 20])] == [5, 5, 3]


def test_lists_of_four_have_the_law_of_the_coin_given_a_level_end():
    arm, _ = allocate(80_000, coin=0.8, block=4, generator=stream(8, "list"))
    found = Counter(map(tuple, arm.reshape(-1, 4).tolist()))
    law = {}
    for order in itertools.product((0, 1), repeat=4):
        lead, chance = 0, 1.0
        for given in order:
            ahead = 0.5 if lead == 0 else (0.2 if lead > 0 else 0.8)
            chance, lead = chance * (ahead if given else 1 - ahead), lead + (1 if given else -1)
        if lead == 0:
            law[order] = chance
    total = sum(law.values())
    assert set(found) == set(law)
    for order, chance in law.items():
        share = chance / total
        assert abs(found[order] / 20_000 - share) < 4 * np.sqrt(share * (1 - share) / 20_000)
