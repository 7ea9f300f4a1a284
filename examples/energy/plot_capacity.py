"""
How many patterns a network holds
=================================

Hebb's rule fails abruptly once more than .138 patterns a unit are stored. Theory says
so, and a measurement shows it; other rules hold more.
"""

import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn import HopfieldDenoiser
from sklearn_rnn.display import CapacityDisplay
from sklearn_rnn.energy import hebb_bit_error, hebb_overlap

# %%
# One step
# --------
# A unit of a stored pattern feels the other patterns as noise, whose variance is the
# load. How often the noise wins in the first update is the tail of a Gaussian.

rng = np.random.default_rng(0)
n_units = 1000
for load in (0.05, 0.1, 0.13):
    patterns = rng.choice([-1.0, 1.0], (round(load * n_units), n_units))
    memory = HopfieldDenoiser(update="synchronous", max_iter=1).fit(patterns)
    wrong = (memory.recall(patterns).patterns != patterns).mean()
    print(f"load {load}: {wrong:.5f} of the units flip, {hebb_bit_error(load):.5f} say")

# %%
# All steps
# ---------
# These first errors make others. Below the critical load the network comes to rest
# close to the pattern, above it drifts away. `hebb_overlap` is the theory of Amit,
# Gutfreund and Sompolinsky for infinitely many units, drawn as a dashed line.

loads = np.arange(0.04, 0.25, 0.02)
display = CapacityDisplay.from_estimator(
    HopfieldDenoiser(random_state=0), n_features=n_units, loads=loads, random_state=0
)
below, above = loads < 0.13, loads > 0.17
measured = display.overlaps.mean(axis=1)
apart = np.abs(measured[below] - hebb_overlap(loads[below])).max()
print(f"below the critical load: at most {apart:.3f} from the theory")
print(f"above: overlap {measured[above].max():.3f} at most")

# %%
# Far above it the overlap does not vanish, as the theory would have it: networks of a
# thousand units remember a little of where they began.
#
# Other rules
# -----------
# Storkey's rule and the projection take account of what is stored already. The dense
# network, which has no weights, holds many more patterns than it has units.

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
ax.set_title("200 units, a tenth of them flipped at first")
plt.show()
