"""
Moby Dick, written on
=====================

A network reads Moby Dick character by character and learns what comes next. Asked again
and again, it writes on by itself. Then the same with words.
"""

import matplotlib.pyplot as plt

from sklearn_rnn import SequenceGenerator, WordVectorizer
from sklearn_rnn.datasets import load_moby_dick

book = load_moby_dick().data
edge = len(book) * 9 // 10
train, held_out = book[:edge], book[edge:]
print(f"{len(book):,} characters, {len(set(book))} distinct")

# %%
# Characters first. In one training step the network reads 60 characters in each of 32
# places of the book, foretells every next one, and goes on from there in the following
# step with the state it has reached. After 1, 5 and 15 epochs we let it write on from
# a sentence of the book that is cut off within a word. ``warm_start`` makes each
# ``fit`` go on from the last one.

seed = " his leg were off at the hip, now, it would be a different t"
model = SequenceGenerator(
    cell="lstm", hidden_size=128, window=60, warm_start=True, random_state=0
)
bits = {}
for n_more in (1, 4, 10):
    model.set_params(max_epochs=n_more).fit(train)
    bits[model.n_iter_] = model.bits_per_character(held_out)
    print(f"--- epoch {model.n_iter_}: {bits[model.n_iter_]:.2f} bits a character")
    print(model.generate(seed, 200, temperature=0.5, random_state=0))

# %%
# The temperature says how bold the drawing is. At 0 the likeliest character is always
# taken, and the text soon runs in circles; at 1 characters come as often as the network
# believes in them; above, it makes up words. No knob needs a new fit.

for temperature in (0, 0.2, 0.5, 1.0, 1.2):
    print(f"--- temperature {temperature}")
    print(model.generate(seed, 200, temperature=temperature, random_state=0))

# %%
# What did it learn? The loss falls, and the held-out last tenth of the book, which it
# never read, takes fewer and fewer bits.

figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
epochs = range(1, model.n_iter_ + 1)
ax.plot(epochs, [loss / 0.6931 for loss in model.loss_curve_], label="while training")
ax.plot(list(bits), list(bits.values()), "o", label="held-out part")
ax.set(xlabel="epoch", ylabel="bits a character")
ax.legend()

# %%
# A network of words has more to choose from at each step, so it sees less of each. We
# keep the words that occur five times; the others are one unknown token, which is
# never written.

vectorizer = WordVectorizer(lowercase=False, min_count=5)
words = SequenceGenerator(
    vectorizer, cell="lstm", hidden_size=128, window=20, warm_start=True, random_state=0
)
for n_more in (1, 4, 5):
    words.set_params(max_epochs=n_more).fit(train)
    print(f"--- epoch {words.n_iter_}: perplexity {words.perplexity(held_out):.0f}")
    print(words.generate("There she blows!", 60, temperature=0.8, random_state=0))

# %%
# What would it say next? These are the ten words among which a person picks in a
# ``session``, writing together with the network.

session = words.session("The white")
for word, probability in session.suggest(10):
    print(f"{word:12} {probability:.3f}")

figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
suggested, probabilities = zip(*session.suggest(10), strict=True)
ax.barh(suggested[::-1], probabilities[::-1])
ax.set(xlabel="probability", title="The white ...")
plt.show()
