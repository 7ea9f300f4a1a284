"""
Tagging the words of a sentence
===============================

A tagger predicts one label for each word of a sentence, here its part of speech. The
same word can have different tags: "water" is a noun in "the water is cold" and a verb
in "they water the plants". A recurrent network uses the other words of the sentence
to choose the tag.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sklearn_rnn import RNNClassifier, WordVectorizer
from sklearn_rnn.metrics import sequence_accuracy_score, step_accuracy_score

# %%
# Sentences
# ---------
# The sentences are generated from a small grammar, so that nothing has to be
# downloaded. Six words can be a noun or a verb.

BOTH = ["water", "paint", "book", "cook", "watch", "plant"]
WORDS = {
    "DET": ["the", "a", "this", "every"],
    "ADJ": ["old", "green", "small", "cold"],
    "NOUN": ["garden", "house", "sailor", "whale", *BOTH],
    "PRON": ["they", "we", "you"],
    "VERB": ["see", "like", *BOTH],
    "MODAL": ["can", "must", "will"],
}
NOUN_PHRASES = ["DET NOUN", "DET ADJ NOUN", "PRON"]
VERB_PHRASES = ["VERB", "MODAL VERB"]


def make_sentences(n, random_state):
    """Texts and the list of tags of each of them."""
    rng = np.random.default_rng(random_state)
    texts, tags = [], []
    for _ in range(n):
        phrases = [rng.choice(p) for p in (NOUN_PHRASES, VERB_PHRASES, NOUN_PHRASES)]
        tags.append(" ".join(phrases).split())
        texts.append(" ".join(rng.choice(WORDS[tag]) for tag in tags[-1]))
    return texts, tags


X, y = make_sentences(600, random_state=0)
X, X_test, y, y_test = train_test_split(X, y, test_size=200, random_state=0)
print(X[0])
print(*y[0])

# %%
# A baseline
# ----------
# The baseline gives each word its most frequent tag.

counts = {}
for text, tags in zip(X, y, strict=True):
    for word, tag in zip(text.split(), tags, strict=True):
        counts.setdefault(word, []).append(tag)
most_frequent = {word: max(set(tags), key=tags.count) for word, tags in counts.items()}
baseline = [[most_frequent[word] for word in text.split()] for text in X_test]
print(f"most frequent tag: {step_accuracy_score(y_test, baseline):.3f} of the words")

# %%
# The network
# -----------
# ``return_sequences=True`` predicts one label per step. ``bidirectional=True`` lets the
# prediction for a word depend on the words after it as well. The scores of
# ``sklearn_rnn.metrics`` count single words or whole sentences; see
# :doc:`/guide/metrics`.

tagger = make_pipeline(
    WordVectorizer(),
    RNNClassifier(
        hidden_size=16,
        return_sequences=True,
        bidirectional=True,
        max_epochs=15,
        random_state=0,
    ),
).fit(X, y)
predicted = tagger.predict(X_test)
print(f"network:           {step_accuracy_score(y_test, predicted):.3f} of the words")
print(
    f"                   {sequence_accuracy_score(y_test, predicted):.3f} of the texts"
)

# %%
# Words with two tags
# -------------------
# The confusion matrices of the six ambiguous words show where the errors of the
# baseline are.

ambiguous = [
    (word, tag, by_word, by_network)
    for text, tags, row, answer in zip(X_test, y_test, baseline, predicted, strict=True)
    for word, tag, by_word, by_network in zip(
        text.split(), tags, row, answer, strict=True
    )
    if word in BOTH
]
_, true, by_word, by_network = zip(*ambiguous, strict=True)
fig, axes = plt.subplots(1, 2, figsize=(8, 3.5), layout="constrained")
for ax, title, answers in (
    (axes[0], "Most frequent tag", by_word),
    (axes[1], "Network", by_network),
):
    ConfusionMatrixDisplay.from_predictions(
        true, answers, labels=["NOUN", "VERB"], ax=ax, cmap="Blues", colorbar=False
    )
    ax.set_title(title)

# %%
# Probabilities
# -------------
# ``predict_proba`` has one row per word. The first "water" is a verb and the second one
# a noun.

text = "we must water the cold water"
(proba,) = tagger.predict_proba([text])
fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
image = ax.imshow(proba.T, cmap="Blues", vmin=0, vmax=1, aspect="auto")
ax.set_xticks(range(len(proba)), text.split())
ax.set_yticks(range(len(tagger.classes_)), tagger.classes_)
fig.colorbar(image, ax=ax, label="probability")
print(*tagger.predict([text])[0])
plt.show()

# sphinx_gallery_thumbnail_number = 2
