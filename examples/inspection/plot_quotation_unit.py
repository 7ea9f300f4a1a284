"""
The unit that follows quotation marks
=====================================

A language model that reads characters has to remember whether a quotation is open,
because only then can a closing mark follow. Andrej Karpathy and others found a single
unit that does this [1]_. :func:`~sklearn_rnn.inspection.find_units` finds such units in
a small model of the dialogs in Moby Dick, and :class:`~sklearn_rnn.display.TextDisplay`
draws the state of one over a text.

.. [1] A. Karpathy, J. Johnson and F.-F. Li, "Visualizing and understanding recurrent
   networks", 2015.
"""

import matplotlib.pyplot as plt

from sklearn_rnn import SequenceGenerator
from sklearn_rnn.datasets import load_moby_dick
from sklearn_rnn.display import TextDisplay
from sklearn_rnn.inspection import find_units

# %%
# A model of the dialogs
# ----------------------
# The paragraphs with quotations are about a third of the book. Those with an unequal
# number of opening and closing marks are left out, because their quotations continue in
# the next paragraph. The last fifth of the text is not used for training.

paragraphs = load_moby_dick().data.split("\n\n")
dialogs = "\n\n".join(p for p in paragraphs if 0 < p.count("“") == p.count("”"))
n_train = len(dialogs) * 4 // 5
train, new_text = dialogs[:n_train], dialogs[n_train:]

model = SequenceGenerator(
    cell="gru", hidden_size=64, window=128, max_epochs=14, random_state=0
).fit(train)
print(f"{len(train):,} characters, bits per character of new text: ", end="")
print(f"{model.bits_per_character(new_text):.2f}")

# %%
# Search for the unit
# -------------------
# The property is given as a function that returns one value per character. The states
# of all units are compared with it on text that the network was not trained on. Since
# the best of many units correlates with any property a little, each score is measured
# on a part of the text that was not used to choose the unit.


def is_quoted(text):
    """Whether each character belongs to a quotation."""
    is_open, found = False, []
    for character in text:
        is_open = character == "“" or is_open
        found.append(is_open)
        is_open = is_open and character != "”"
    return found


result = find_units(model, new_text[:40_000], is_quoted)
print(result.frame.head(5).round(2).to_string())
print(f"score of the best unit, without the effect of the choice: {result.score:.2f}")

# %%
# One unit is much better than all others, in every part of the text.
#
# The unit over a text
# --------------------
# Each character has the color of the state after it was read. The state changes at the
# opening mark, and returns at the closing one. In very long quotations it fades: the
# windows of the training have 128 characters.

best = result.frame.iloc[0]
start = new_text.index("“", 3000) - 300
TextDisplay.from_estimator(
    model, new_text[start : start + 1400], unit=best["unit"], layer=best["layer"]
).plot()

# %%
# A notebook shows a display as HTML, with the values as tooltips:

TextDisplay.from_estimator(
    model, new_text[start + 250 : start + 600], unit=best["unit"], layer=best["layer"]
)

# %%
# A quotation that the text does not have
# ---------------------------------------
# The state follows the marks, not the words: the same words are read twice, once
# without marks.

sentence = "He looked up. {}Come with me to the ship,{} said the old man, and went."
_, axes = plt.subplots(2, 1, figsize=(7, 2.6), layout="constrained")
for ax, marks in zip(axes, (("“", "”"), ("", "")), strict=True):
    TextDisplay.from_estimator(
        model, sentence.format(*marks), unit=best["unit"], layer=best["layer"]
    ).plot(ax=ax)
