"""
Translating phrases from English to French
==========================================

"Open the green file." is "Ouvrir le fichier vert." in French: the order of the words
changes, and articles and adjectives depend on the gender of the noun. A translator with
additive attention learns this from pairs of phrases. The attention shows which English
words each French word was read from.
"""

import itertools

import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn import SequenceTranslator, WordVectorizer
from sklearn_rnn.display import AttentionDisplay

# %%
# Phrases
# -------
# The phrases are generated from a small vocabulary. In French, adjectives of color
# follow the noun, while those for "new" and "old" precede it.

VERBS = {"Open": "Ouvrir", "Close": "Fermer", "Print": "Imprimer", "Copy": "Copier"}
VERBS |= {"Delete": "Supprimer", "Move": "Déplacer", "Show": "Afficher"}
NOUNS = {
    **{"file": "le fichier", "document": "le document", "picture": "le dessin"},
    **{"table": "la table", "page": "la page", "window": "la fenêtre"},
    **{"line": "la ligne", "frame": "le cadre", "cell": "la cellule"},
}
BEFORE = {"new": ("nouveau", "nouvelle"), "old": ("vieux", "vieille")}
BEHIND = {"green": ("vert", "verte"), "white": ("blanc", "blanche")}


def french(verb, adjective, noun):
    article, name = NOUNS[noun].split()
    gender = article == "la"
    words = [VERBS[verb], article]
    if adjective in BEFORE:
        words.append(BEFORE[adjective][gender])
    words.append(name)
    if adjective in BEHIND:
        words.append(BEHIND[adjective][gender])
    return " ".join(words) + "."


pairs = [
    (" ".join(filter(None, [verb, "the", adjective, noun])) + ".", french(*triple))
    for triple in itertools.product(VERBS, ["", *BEFORE, *BEHIND], NOUNS)
    for verb, adjective, noun in [triple]
]
rng = np.random.default_rng(0)
pairs = [pairs[k] for k in rng.permutation(len(pairs))]
X, y = zip(*pairs[:-60], strict=True)
X_test, y_test = zip(*pairs[-60:], strict=True)
print(len(X), "phrases, such as", X[0], "->", y[0])

# %%
# Translating new phrases
# -----------------------
# The translator is scored on 60 phrases that are not in the training pairs. The tokens
# of both languages are words; predictions are joined to ordinary text.

words = WordVectorizer(lowercase=False)
model = SequenceTranslator(
    words,
    words,
    attention="additive",
    hidden_size=64,
    max_epochs=40,
    dropout=0.2,
    learning_rate_schedule="cosine",
    random_state=0,
).fit(X, y)
print(f"whole phrases right: {model.score(X_test, y_test):.3f}")
print(model.predict(X_test[:1])[0], "for", X_test[0])

# %%
# Attention
# ---------
# The adjective "green" comes last in French, and its form depends on the noun.

fig, axes = plt.subplots(1, 2, figsize=(10, 5), layout="constrained")
for ax, source in zip(
    axes, ("Show the green window.", "Print the old file."), strict=True
):
    AttentionDisplay.from_estimator(model, source, ax=ax)
    ax.set_title(model.predict([source])[0])
plt.show()
