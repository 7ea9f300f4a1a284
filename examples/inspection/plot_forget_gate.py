"""
Why the forget gate remembers
=============================

At each step, an LSTM multiplies its cell state by the forget gate and adds something
new: ``c[t] = f[t] * c[t-1] + i[t] * g[t]``. A value that was stored earlier is
therefore multiplied by the product of all forget gates since then. It is remembered if
they are close to 1, and forgotten at the first one that is close to 0. This example
trains a small network to count until a reset, draws its gates with
:class:`~sklearn_rnn.display.GateDisplay`, and writes down the equations of the reset
with :func:`~sklearn_rnn.inspection.explain_step`.
"""

import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn import RNNRegressor
from sklearn_rnn.display import GateDisplay
from sklearn_rnn.inspection import explain_step

# %%
# A counter with a reset
# ----------------------
# A sequence consists of the symbols "+", "." and "R". At each step, the network returns
# the number of "+" since the last "R". The one-hot vectors of the symbols are
# multiplied by 10, so that the symbols can open and close the gates completely.

SYMBOLS = np.array(["+", ".", "R"])
rng = np.random.default_rng(0)


def make_sequences(n, n_steps=40):
    codes = rng.choice(3, size=(n, n_steps), p=[0.55, 0.4, 0.05])
    counts, count = np.zeros((n, n_steps)), np.zeros(n)
    for t in range(n_steps):
        count = np.where(codes[:, t] == 2, 0, count + (codes[:, t] == 0))
        counts[:, t] = count
    return codes, 10 * np.eye(3)[codes], counts


_, X, y = make_sequences(1500)
model = RNNRegressor(
    "lstm",
    2,
    return_sequences=True,
    scaling=False,
    max_epochs=40,
    n_iter_no_change=40,
    learning_rate_schedule="cosine",
    weight_decay=0.0,
    random_state=0,
).fit(X, y)
codes, X_test, y_test = make_sequences(200)
print(f"R2 on new sequences: {model.score(X_test, y_test):.3f}")

# %%
# Gates over the steps
# --------------------
# The unit whose cell state has the strongest correlation with the count is the counter.
# At each "+", its input gate adds a small number to the cell state. Its forget gate
# stays close to 1 until the "R", where it closes. The cell state is therefore the
# count, up to a factor. The other unit only tells which symbol was read last.

row = int(np.argmax(np.sum(codes == 2, axis=1) == 3))
symbols = SYMBOLS[codes[row]].tolist()
display = GateDisplay.from_estimator(
    model, X_test[row], gates=["i", "f", "g", "c"], labels=symbols
)
correlation = np.corrcoef(display.gates["c"].T, y_test[row])[-1, :-1]
counter = int(np.abs(correlation).argmax())
print(f"counter: unit {counter}, correlation {correlation[counter]:.3f}")

# %%
# How much is left of each step?
# ------------------------------
# The part of a contribution that is left at the last step is the product of all forget
# gates after it. It is close to 1 for all steps after the last reset, however long ago
# they are, and close to 0 for all steps before it.

forget = display.gates["f"][:, counter]
left = np.append(np.cumprod(forget[::-1])[::-1][1:], 1.0)
for code, symbol in enumerate(SYMBOLS):
    print(f"mean forget gate at {symbol}: {forget[codes[row] == code].mean():.3f}")

fig, ax = plt.subplots(figsize=(7, 2.5), layout="constrained")
ax.bar(range(len(left)), left)
ax.set_xticks(range(len(left)), symbols)
ax.set(ylim=(0, 1.05), ylabel="part that is left\nat the last step")

# %%
# The equations of a reset
# ------------------------
# ``explain_step`` shows the numbers at the last "R". The forget gate is computed from
# the product of its weights with the symbol, which is large and negative, so that the
# count is multiplied by almost 0.

reset = int(np.flatnonzero(codes[row] == 2)[-1])
print(explain_step(model, X_test[row], reset, units=[counter]))
