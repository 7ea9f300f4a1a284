"""
Counting with recurrent networks
================================

Is ``aaabbb`` a word of as many a as b? To tell, one has to count. A GRU can hardly, an
LSTM can: nothing bounds its cell state, to which a step may add one and from which
another may take it away, while the state of a GRU is a mean of numbers between -1 and
1, and that of a simple cell is squeezed between them at every step (Weiss, Goldberg and
Yahav, 2018, arXiv 1805.04908).
"""

import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn import RNNClassifier
from sklearn_rnn.datasets import make_counting_words
from sklearn_rnn.display import SequenceDisplay

# %%
# The task
# --------
# At each symbol: which ones may follow? After an a another a or the first b, after a b
# another one until there are as many, and then the end of the word. Several answers
# can be right at once, so that y has a column for each: a, b and the end. Words of as
# many c behind them have a column more.
#
# The symbols are scaled up. Gates then open and close entirely, and a counter that adds
# exactly one does not drift.


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
# Who counts how far
# ------------------
# Two criteria. A network accepts a word if each symbol was one that may follow, and the
# end, too. It has learned to n if it accepts all words up to there, and rejects those
# with one letter less or more.


def accepts(model, words, letters):
    """Whether each symbol of each word was expected, and its end at last."""
    answers = model.predict([symbols(word, letters) for word in words])
    comes = [[letters.index(x) for x in word[1:]] + [len(letters)] for word in words]
    return np.array(
        [
            answer[np.arange(len(answer)), columns].all()
            for answer, columns in zip(answers, comes, strict=True)
        ]
    )


def reaches(model, letters, longest=150):
    """Up to where all words are accepted, and their neighbours rejected as well."""
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
# The counter
# -----------
# The units of the LSTM's cell state that move most while it reads sixty a and sixty b:
# straight up and straight down again.

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
axes[0].set_title("LSTM, cell state")
SequenceDisplay.from_estimator(
    models["gru", "ab"],
    symbols(word, "ab"),
    what="hidden",
    heatmap=False,
    ax=axes[1],
    alpha=0.7,
)
axes[1].set_title("GRU, state")
axes[1].get_legend().remove()

# %%
# What may follow, symbol by symbol of a short word:

fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
SequenceDisplay.from_estimator(
    models["lstm", "ab"],
    symbols("aaaabbbb", "ab"),
    labels=list("aaaabbbb"),
    ax=ax,
    marker="o",
)
ax.legend(["a", "b", "end"])
plt.show()

# %%
# With three letters two counters are needed: c is compared with what b has used up.
# ``benchmarks/bench_grammars.py`` trains all cells on more and longer words.
