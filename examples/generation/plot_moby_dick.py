"""
Generating text in the style of Moby Dick
=========================================

:class:`~sklearn_rnn.SequenceGenerator` learns to predict the next character of a text.
If the predicted characters are appended to the text one after the other, the network
writes new text. This example does so with characters and then with words. It
trains on the first third of the book for a few epochs, and shows recorded results of
a longer training on nine tenths of the book.
"""

import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn import SequenceGenerator, WordVectorizer
from sklearn_rnn.datasets import load_moby_dick

book = load_moby_dick().data
train, held_out = book[: len(book) // 3], book[len(book) * 9 // 10 :]
print(f"{len(book):,} characters, {len(set(book))} distinct")

# %%
# Characters
# ----------
# In one training step, the network reads 64 characters at each of 32 places of the
# text, predicts each next one, and keeps its state for the following step. With
# ``warm_start``, each call of ``fit`` continues the training. After 1, 2 and 5 epochs,
# the network continues a sentence of the book that is cut off within a word.
# ``bits_per_character`` says how well it predicts the last tenth of the book, which is
# not used for training.

prompt = "his leg were off at the hip, now, it would be a different t"
model = SequenceGenerator(cell="lstm", hidden_size=128, warm_start=True, random_state=0)
for n_more in (1, 1, 3):
    model.set_params(max_epochs=n_more).fit(train)
    bits = model.bits_per_character(held_out)
    print(f"--- epoch {model.n_iter_}: {bits:.2f} bits per character")
    print(model.generate(prompt, 150, temperature=0.5, random_state=0))

# %%
# Temperature
# -----------
# The temperature divides the logits of the network before the next character is drawn.
# At 0, the likeliest character is always chosen, and the text soon repeats itself. At
# 1, characters are drawn with the probabilities of the network. Above 1, the network
# makes up more words. Changing the temperature requires no new fit.

for temperature in (0, 0.2, 0.5, 1.0, 1.2):
    print(f"--- temperature {temperature}")
    print(model.generate(prompt, 150, temperature=temperature, random_state=0))

# %%
# Predicted characters
# --------------------
# The probabilities of the next character after each beginning of "The white whale". A
# row shows a character, and a column what has been read so far. Squares mark the
# characters that really follow.

text = "The white whale"
proba = model.predict_proba([text[: k + 1] for k in range(len(text) - 1)])
shown = np.sort(np.argsort(proba.max(axis=0))[::-1][:14])
figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
image = ax.imshow(proba[:, shown].T, cmap="Blues", vmin=0, vmax=1, aspect="auto")
characters = model.classes_[shown].tolist()
for column, character in enumerate(text[1:]):
    if character in characters:
        ax.plot(column, characters.index(character), "s", color="C1", mfc="none")
ax.set_xticks(range(len(text) - 1), [c.replace(" ", "␣") for c in text[:-1]])
ax.set_yticks(range(len(shown)), [c.replace(" ", "␣") for c in characters])
ax.set(xlabel="last character read", ylabel="next character")
figure.colorbar(image, ax=ax, label="probability")

# %%
# Recorded result of a longer training
# ------------------------------------
# The same network was trained for 15 epochs on the first nine tenths of the book, with
# ``learning_rate_schedule="cosine"`` and ``random_state=0``. This took 105 seconds of
# one CPU core. The last tenth of the book has 2.20 bits per character; an interpolated
# model of character 5-grams needs 2.23. At temperature 0.5, the recorded text is

RECORDED_CHARACTERS = """\
he same a suspended and proper land an other right voyage, the standing to the sperm
whale was school about the most did they have seemed to be so largest the stand to the
sailors. But the sea away the dour seems him a large must have ship he seemed"""
print(RECORDED_CHARACTERS)

# %%
# Words
# -----
# In a model of words, each step has thousands of possible tokens, and each of them
# occurs less often. Words that occur fewer than five times become one unknown token,
# which is never written. The perplexity is the effective number of equally likely next
# tokens. :doc:`/guide/generating` explains all scores and options.

words = SequenceGenerator(
    WordVectorizer(lowercase=False, min_count=5),
    cell="lstm",
    hidden_size=128,
    dropout=0.3,
    max_epochs=6,
    random_state=0,
)
words.fit(train)
print(f"perplexity {words.perplexity(held_out):.0f}")
print(words.generate("There she", 40, temperature=0.7, random_state=0))

# %%
# Recorded result of a longer training of words
# ---------------------------------------------
# The same network after ten epochs on the first nine tenths of the book, with
# ``learning_rate_schedule="cosine"`` and ``random_state=0``: 173 seconds of one CPU
# core. The vocabulary has 3,998 codes. The last tenth of the book has a perplexity of
# 98 per token, or 1.99 bits per character, in which unknown words are spelled out. It
# continues "There she blows!" at temperature 0.5:

RECORDED_WORDS = """\
” “And then, that’s a great Sperm Whale, but I say, I calls it, and so much as the
Pequod’s time, and so much in the whale, that the sea-works were at a bit of his head.
But this is the wondrous of the whale,"""
print(RECORDED_WORDS)

# %%
# Suggestions
# -----------
# In a :meth:`~sklearn_rnn.SequenceGenerator.session`, a person and the network write
# one text. The network suggests the likeliest next words, from which the person
# chooses; see :doc:`/guide/cowriting`.

suggested, probabilities = zip(*words.session("The white").suggest(10), strict=True)
figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
ax.barh(suggested[::-1], probabilities[::-1])
ax.set(xlabel="probability", title='Suggestions after "The white"')
plt.show()
