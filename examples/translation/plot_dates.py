"""
Translating dates with attention
================================

A translator learns to convert dates such as "April 22, 2019" to the form 2019-04-22.
The encoder reads characters and the decoder writes characters. The attention shows
which characters of the source each character of the answer was read from.
"""

import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn import SequenceTranslator
from sklearn_rnn.display import AttentionDisplay

# %%
# Pairs of dates
# --------------
# The dates are drawn at random from the years 1000 to 2095.

MONTHS = (
    "January February March April May June July August September October November "
    "December"
).split()


def dates(n, random_state):
    rng = np.random.default_rng(random_state)
    days = np.datetime64("1000-01-01") + rng.integers(400_000, size=n)
    words = [f"{MONTHS[d.month - 1]} {d.day}, {d.year}" for d in days.tolist()]
    return words, [d.isoformat() for d in days.tolist()]


X, y = dates(4000, 0)
X_test, y_test = dates(500, 1)
print(X[0], "->", y[0])

# %%
# With and without attention
# --------------------------
# Without attention, the decoder knows the source only through the last state of the
# encoder. ``score`` is the share of dates in which every character is right.

models = {}
for attention in ("dot", None):
    models[attention] = SequenceTranslator(
        hidden_size=64,
        attention=attention,
        max_epochs=10,
        learning_rate_schedule="cosine",
        random_state=0,
    ).fit(X, y)
    print(f"attention={attention}: {models[attention].score(X_test, y_test):.3f}")

# %%
# Attention
# ---------
# Each row shows the weights with which the decoder reads the states of the encoder
# before it writes one character. The digits of the year are copied one by one. The
# number of the month is read from a few letters of its name.

fig, ax = plt.subplots(figsize=(7, 5), layout="constrained")
AttentionDisplay.from_estimator(models["dot"], "September 9, 1850", ax=ax)

# %%
# Alternatives and their probabilities
# ------------------------------------
# Beam search finds the likeliest answers and their probabilities (see
# :doc:`/guide/translating`):

for best in models["dot"].predict_n_best(["May 31, 1066"], n=3)[0]:
    print(f"{best['target']}  {np.exp(best['log_probability']):.3f}")
plt.show()
