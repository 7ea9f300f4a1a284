"""
Capacity of Hopfield networks
=============================

With Hebb's rule, recall fails abruptly if more than 0.138 patterns per unit are stored.
This example compares the prediction of the theory with measurements, and Hebb's rule
with other rules, which store more patterns.
"""

import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn import HopfieldDenoiser
from sklearn_rnn.display import CapacityDisplay
from sklearn_rnn.energy import hebb_bit_error, hebb_overlap

# %%
# Errors after one update
# -----------------------
# For a unit of a stored pattern, the other patterns act as Gaussian noise. Its variance
# is the load, the number of patterns per unit.
# :func:`~sklearn_rnn.energy.hebb_bit_error` gives the probability that the noise flips
# the unit in the first update.

rng = np.random.default_rng(0)
n_units = 1000
for load in (0.05, 0.1, 0.13):
    patterns = rng.choice([-1.0, 1.0], (round(load * n_units), n_units))
    memory = HopfieldDenoiser(update="synchronous", max_iter=1).fit(patterns)
    wrong = (memory.recall(patterns).patterns != patterns).mean()
    expected = hebb_bit_error(load)
    print(f"load {load}: {wrong:.5f} of the units flip, theory {expected:.5f}")

# %%
# Overlap after recall
# --------------------
# The first errors cause others. Below the critical load, the final state is close
# to the stored pattern; above it, it is far away. The dashed line is the theory of
# Amit, Gutfreund and Sompolinsky for infinitely many units,
# :func:`~sklearn_rnn.energy.hebb_overlap`.

loads = np.arange(0.04, 0.25, 0.02)
display = CapacityDisplay.from_estimator(
    HopfieldDenoiser(random_state=0), n_features=n_units, loads=loads, random_state=0
)
below, above = loads < 0.13, loads > 0.17
display.ax_.legend(loc="lower left")
measured = display.overlaps.mean(axis=1)
apart = np.abs(measured[below] - hebb_overlap(loads[below])).max()
print(f"below the critical load: at most {apart:.3f} from the theory")
print(f"above: overlap {measured[above].max():.3f} at most")

# %%
# Above the critical load, the theory predicts an overlap of 0 for infinitely many
# units. In networks of a thousand units, some overlap with the initial state remains.
#
# Other rules
# -----------
# Storkey's rule and the pseudo-inverse take the correlations between the stored
# patterns into account. The dense network, which has no weights, stores many more
# patterns than it has units.

_, ax = plt.subplots()
for rule in ("hebb", "storkey", "pseudo_inverse", "dense"):
    CapacityDisplay.from_estimator(
        HopfieldDenoiser(rule, random_state=0),
        n_features=200,
        loads=[0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 0.9, 1.5],
        flipped=0.1,
        random_state=0,
        ax=ax,
    )
ax.set_title("200 units, a tenth of them flipped at the start")
ax.set_ylim(-0.05, 1.3)
ax.legend(loc="upper center", ncols=3)
plt.show()

# sphinx_gallery_thumbnail_number = 2
