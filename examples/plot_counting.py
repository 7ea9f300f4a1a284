"""
Counting with recurrent networks
================================

Is ``aaabbb`` a word of as many a as b? To tell, one has to count. A GRU can hardly, an
LSTM can: nothing bounds its cell state, to which a step may add one and from which
another may take it away, while the state of a GRU or of a simple cell is a mean of
numbers between -1 and 1 (Weiss, Goldberg and Yahav, 2018, arXiv 1805.04908).
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
# can be right at once, so that y has a column for each: a, b and the end.
#
# The symbols are scaled up. Gates then open and close entirely, and a counter that adds
# exactly one does not drift.


def symbols(word):
    return 10.0 * np.array([[letter == "a", letter == "b"] for letter in word], float)


def followers(word):
    after = {"a": [1, 1, 0], "b": [0, 1, 0]}
    return np.array([after[letter] for letter in word[:-1]] + [[0, 0, 1]])


words = make_counting_words(40)
X, y = [symbols(word) for word in words], [followers(word) for word in words]
print(words[2])
print(y[2].T)

# %%
# Who counts how far
# ------------------
# Two criteria at once: a network accepts a word if each symbol was one that may follow,
# and the end, too. It has learned to n if it accepts all words up to there, and rejects
# those with one b less or one more.


def accepts(model, words):
    """Whether each symbol of each word was expected, and its end at last."""
    answers = model.predict([symbols(word) for word in words])
    return np.array(
        [
            all(
                row["ab".index(letter)]
                for letter, row in zip(word[1:], answer[:-1], strict=True)
            )
            and bool(answer[-1][2])
            for word, answer in zip(words, answers, strict=True)
        ]
    )


def learned_up_to(model, longest=300):
    words = make_counting_words(longest)
    right = accepts(model, words)
    right &= ~accepts(model, [word + "b" for word in words])
    right &= ~accepts(model, [word[:-1] for word in words])
    return longest if right.all() else int(np.argmin(right))


models = {}
for cell in ("rnn", "gru", "lstm"):
    models[cell] = RNNClassifier(
        cell,
        10,
        return_sequences=True,
        max_epochs=300,
        batch_size=8,
        learning_rate_schedule="cosine",
        weight_decay=0,
        n_iter_no_change=300,
        precision="float32",
        random_state=0,
    ).fit(X, y)
    print(f"{cell}: trained up to 40, learned up to {learned_up_to(models[cell])}")

# %%
# The counter
# -----------
# The units of the LSTM's cell state that move most while it reads sixty a and sixty b:
# straight up and straight down again.

word = make_counting_words([60])[0]
stream, cells = models["lstm"].stream(), []
for x in symbols(word):
    stream.predict(x)
    cells.append(stream.state["cell_0"][0])
counters = np.argsort(np.ptp(cells, axis=0))[-3:].tolist()

fig, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
SequenceDisplay.from_estimator(
    models["lstm"], symbols(word), what="cell", units=counters, ax=axes[0]
)
axes[0].set_title("LSTM, cell state")
SequenceDisplay.from_estimator(
    models["gru"], symbols(word), what="hidden", heatmap=False, ax=axes[1], alpha=0.7
)
axes[1].set_title("GRU, state")
axes[1].get_legend().remove()

# %%
# What may follow, symbol by symbol of a short word:

fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
SequenceDisplay.from_estimator(
    models["lstm"], symbols("aaaabbbb"), labels=list("aaaabbbb"), ax=ax, marker="o"
)
ax.legend(["a", "b", "end"])
plt.show()

# %%
# With three letters, ``a^n b^n c^n``, two counters are needed. The script
# ``benchmarks/bench_grammars.py`` trains and compares all cells on both languages.
