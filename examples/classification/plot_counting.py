"""
Counting with recurrent networks: LSTM against GRU
==================================================

The words ``ab``, ``aabb``, ``aaabbb`` and so on have as many a as b. To tell them from
other words, a network has to count. The cell state of an LSTM can count, because it is
not bounded: a step can add one to it, and another step can subtract one. The state of a
GRU is a weighted mean of numbers between -1 and 1, and the state of a simple cell is
kept between -1 and 1 at every step, so both count only to small numbers (Weiss,
Goldberg and Yahav, 2018, arXiv 1805.04908).
"""

import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn import RNNClassifier
from sklearn_rnn.datasets import make_counting_words
from sklearn_rnn.display import SequenceDisplay

# %%
# The task
# --------
# At each symbol, the network predicts which symbols may follow. After an a, these are
# another a or the first b. After a b, it is another b until there are as many b as a,
# and then the end of the word. Several symbols can be possible at once, so y has one
# column for each of them: a, b and the end. For words that continue with as many c, y
# has one more column.
#
# One-hot vectors are multiplied by 10. Large inputs open and close the gates
# completely, so that a counter that adds exactly one does not drift.


def symbols(word, letters):
    return 10.0 * np.array([[x == letter for letter in letters] for x in word], float)


def followers(word, letters):
    comes = [letters.index(x) for x in word[1:]] + [len(letters)]
    may = np.eye(len(letters) + 1, dtype=int)[comes]
    may[: word.count("a"), :2] = 1
    return may


print("aaabbb")
print(followers("aaabbb", "ab").T)

# %%
# How far each cell counts
# ------------------------
# A network accepts a word if it predicted each of its symbols, and its end, as
# possible. It has learned to count to n if it accepts all words up to n letters of each
# kind and rejects the same words with one letter more or less.


def accepts(model, words, letters):
    """Whether each symbol of each word, and its end, was predicted as possible."""
    answers = model.predict([symbols(word, letters) for word in words])
    comes = [[letters.index(x) for x in word[1:]] + [len(letters)] for word in words]
    return np.array(
        [
            answer[np.arange(len(answer)), columns].all()
            for answer, columns in zip(answers, comes, strict=True)
        ]
    )


def reaches(model, letters, longest=150):
    """Largest n up to which words are accepted, and neighbors also rejected."""
    words = make_counting_words(longest, len(letters))
    accepted = accepts(model, words, letters)
    rejected = np.ones(longest, bool)
    for letter in letters[1:]:
        for other in ("", 2 * letter):
            off_by_one = [word.replace(letter, other, 1) for word in words]
            rejected &= ~accepts(model, off_by_one, letters)
    return [
        int(np.append(right, False).argmin())
        for right in (accepted, accepted & rejected)
    ]


models = {}
for letters, longest in [("ab", 40), ("abc", 25)]:
    words = make_counting_words(longest, len(letters))
    print("\nas many of each of", *letters)
    X = [symbols(word, letters) for word in words]
    y = [followers(word, letters) for word in words]
    for cell in ("rnn", "gru", "lstm"):
        models[cell, letters] = RNNClassifier(
            cell,
            10,
            return_sequences=True,
            max_epochs=300,
            batch_size=8,
            learning_rate_schedule="cosine",
            weight_decay=0,
            n_iter_no_change=300,
            scaling=False,
            precision="float32",
            random_state=0,
        ).fit(X, y)
        accepted, learned = reaches(models[cell, letters], letters)
        print(
            f"{cell}: trained up to {longest}, learned up to {learned}, "
            f"accepts words alone up to {accepted}"
        )

# %%
# Counters in the cell state
# --------------------------
# The network reads 60 a and 60 b. The three units of the LSTM's cell state that change
# most rise or fall in nearly straight lines. The states of the GRU stay between -1 and
# 1 and saturate.

word = make_counting_words([60])[0]
stream, cells = models["lstm", "ab"].stream(), []
for x in symbols(word, "ab"):
    stream.predict(x)
    cells.append(stream.state["cell_0"][0])
counters = np.argsort(np.ptp(cells, axis=0))[-3:].tolist()

fig, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
SequenceDisplay.from_estimator(
    models["lstm", "ab"], symbols(word, "ab"), what="cell", units=counters, ax=axes[0]
)
axes[0].set_title("LSTM: three units of the cell state")
axes[0].axvline(59.5, color="0.6", linestyle=":")
axes[0].legend([f"unit {unit}" for unit in counters])
SequenceDisplay.from_estimator(
    models["gru", "ab"],
    symbols(word, "ab"),
    what="hidden",
    heatmap=False,
    ax=axes[1],
    alpha=0.7,
)
axes[1].set_title("GRU: all units of the state")
axes[1].axvline(59.5, color="0.6", linestyle=":")
axes[1].get_legend().remove()

# %%
# Predictions for a short word
# ----------------------------
# The probability that each symbol may come next, after each symbol of ``aaaabbbb``:

fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
SequenceDisplay.from_estimator(
    models["lstm", "ab"],
    symbols("aaaabbbb", "ab"),
    labels=list("aaaabbbb"),
    ax=ax,
    marker="o",
)
ax.set(xlabel="symbol read", ylabel="probability that it may follow")
ax.legend(["a", "b", "end"], title="next symbol")
plt.show()

# %%
# Words of three letters need two counters: while the b use up the first one, the second
# one has to keep the number for the c. ``benchmarks/bench_grammars.py`` trains all
# cells on more and longer words, and :doc:`/lecture/cells_and_gates` explains the
# cells.
