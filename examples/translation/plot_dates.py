"""
Dates in words
==============

"April 22, 2019" is 2019-04-22. A translator learns to write the second from the first,
without being told what a month is. Encoder and decoder read and write characters; the
attention shows where each character of the answer comes from.
"""

import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn import SequenceTranslator
from sklearn_rnn.display import AttentionDisplay

# %%
# Pairs
# -----

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
# With attention and without
# --------------------------
# Without attention, all that the decoder knows of the source is the encoder's last
# state. ``score`` is the share of dates that are right in every character.

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
# Where it looks
# --------------
# The year is copied digit by digit. The month is read off a few letters of its name:
# "Ma" may still become March or May.

fig, ax = plt.subplots(figsize=(6, 5), layout="constrained")
AttentionDisplay.from_estimator(models["dot"], "September 9, 1850", ax=ax)

# %%
# How sure it is
# --------------
# Beams find other dates, and how likely each one is:

for best in models["dot"].predict_n_best(["May 31, 1066"], n=3)[0]:
    print(f"{best['target']}  {np.exp(best['log_probability']):.3f}")
plt.show()
