"""
Generating melodies
===================

:class:`~sklearn_rnn.SequenceGenerator` learns sequences of any tokens. Here they are
the notes of traditional tunes, and the generated sequences are melodies. The example
shows how to encode notes, how to add transposed copies of the tunes to the training
data, and how to draw the result as a piano roll.
"""

import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn import SequenceGenerator

# %%
# Tunes as tokens
# ---------------
# A token is the name and octave of a note and, after the colon, its length in eighths.
# All tunes are traditional and given in C major.

TUNES = {
    "Frère Jacques": 2 * "C4:2 D4:2 E4:2 C4:2 "
    + 2 * "E4:2 F4:2 G4:4 "
    + 2 * "G4:1 A4:1 G4:1 F4:1 E4:2 C4:2 "
    + 2 * "C4:2 G3:2 C4:4 ",
    "Ah! vous dirai-je, maman": "C4:2 C4:2 G4:2 G4:2 A4:2 A4:2 G4:4 "
    "F4:2 F4:2 E4:2 E4:2 D4:2 D4:2 C4:4 "
    + 2 * "G4:2 G4:2 F4:2 F4:2 E4:2 E4:2 D4:4 "
    + "C4:2 C4:2 G4:2 G4:2 A4:2 A4:2 G4:4 F4:2 F4:2 E4:2 E4:2 D4:2 D4:2 C4:4",
    "Au clair de la lune": 2 * "C4:2 C4:2 C4:2 D4:2 E4:4 D4:4 C4:2 E4:2 D4:2 D4:2 C4:8 "
    + "D4:2 D4:2 D4:2 D4:2 A3:4 A3:4 D4:2 C4:2 B3:2 A3:2 G3:8 "
    + "C4:2 C4:2 C4:2 D4:2 E4:4 D4:4 C4:2 E4:2 D4:2 D4:2 C4:8",
    "Hänschen klein": "G4:2 E4:2 E4:4 F4:2 D4:2 D4:4 C4:2 D4:2 E4:2 F4:2 G4:2 G4:2 "
    "G4:4 G4:2 E4:2 E4:4 F4:2 D4:2 D4:4 C4:2 E4:2 G4:2 G4:2 C4:8 "
    "D4:2 D4:2 D4:2 D4:2 D4:2 E4:2 F4:4 E4:2 E4:2 E4:2 E4:2 E4:2 F4:2 G4:4 "
    "G4:2 E4:2 E4:4 F4:2 D4:2 D4:4 C4:2 E4:2 G4:2 G4:2 C4:8",
    "Alle meine Entchen": "C4:2 D4:2 E4:2 F4:2 G4:4 G4:4 "
    + 2 * "A4:2 A4:2 A4:2 A4:2 G4:8 "
    + "F4:2 F4:2 F4:2 F4:2 E4:4 E4:4 D4:2 D4:2 D4:2 D4:2 C4:8",
    "London Bridge": "G4:3 A4:1 G4:2 F4:2 E4:2 F4:2 G4:4 D4:2 E4:2 F4:4 "
    "E4:2 F4:2 G4:4 " + "G4:3 A4:1 G4:2 F4:2 E4:2 F4:2 G4:4 D4:4 G4:4 E4:2 C4:6",
}
melodies = [tune.split() for tune in TUNES.values()]
for title, melody in zip(TUNES, melodies, strict=True):
    print(f"{title:25} {len(melody):3} notes: {' '.join(melody[:5])} ...")

# %%
# Transposed copies
# -----------------
# Six tunes are a small data set. Copies in other keys show the network that intervals
# matter more than single notes. Each copy is a separate document.

NAMES = "C C# D D# E F F# G G# A A# B".split()


def read_note(token):
    """Pitch in semitones and length in eighths."""
    note, _, length = token.partition(":")
    return 12 * int(note[-1]) + NAMES.index(note[:-1]), int(length)


def write_note(pitch, length):
    return f"{NAMES[pitch % 12]}{pitch // 12}:{length}"


def transpose(melody, semitones):
    return [
        write_note(pitch + semitones, length)
        for pitch, length in map(read_note, melody)
    ]


keys = (0, 2, 5, 7)  # C, D, F and G major
training = [transpose(melody, key) for melody in melodies for key in keys]
print(len(training), "melodies,", len({t for m in training for t in m}), "tokens")

model = SequenceGenerator(
    cell="lstm", hidden_size=64, dropout=0.2, max_epochs=200, random_state=0
).fit(training)

# %%
# Continuing a melody
# -------------------
# The network reads the first six notes of a tune and continues them. At temperature 0
# it always takes the likeliest note; at 1, notes are drawn with the probabilities of
# the network. ``n_tokens`` limits the length; the network may predict the end earlier,
# because each tune of the training data had an end.

beginning = melodies[1][:6]
continuations = {
    f"temperature {temperature}": model.generate(
        beginning, 60, temperature=temperature, random_state=1
    )
    for temperature in (0, 0.7, 1.0)
}
for name, notes in continuations.items():
    print(f"{name}: {len(notes)} notes: {' '.join(notes[:8])} ...")

# %%
# A piano roll shows each note as a bar, with time to the right and pitch upwards.


def draw_piano_roll(melody, ax, n_given=0):
    pitches, lengths = np.transpose([read_note(token) for token in melody])
    starts = np.cumsum(lengths) - lengths
    colors = ["C1" if k < n_given else "C0" for k in range(len(melody))]
    ax.barh(pitches, lengths, 0.8, starts, color=colors, edgecolor="white")
    shown = {"G3": 43, "C4": 48, "E4": 52, "G4": 55, "C5": 60}
    ax.set_yticks(list(shown.values()), list(shown))
    ax.set_ylabel("note")


fig, axes = plt.subplots(4, 1, figsize=(9, 8), sharex=True, layout="constrained")
draw_piano_roll(melodies[1], axes[0])
axes[0].set_title("The tune of the training data")
for ax, (name, notes) in zip(axes[1:], continuations.items(), strict=True):
    draw_piano_roll(beginning + notes, ax, n_given=len(beginning))
    ax.set_title(f"Six notes given (orange), continued at {name}")
axes[-1].set_xlabel("time (eighths)")

# %%
# Probabilities of the next note
# ------------------------------
# ``predict_proba`` returns the probability of each token after a prompt, here after the
# first note, the first two notes and so on.

proba = model.predict_proba([beginning[: k + 1] for k in range(len(beginning))])
likely = np.sort(np.argsort(proba.max(axis=0))[::-1][:12])
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
image = ax.imshow(proba[:, likely].T, cmap="Blues", vmin=0, vmax=1, aspect="auto")
ax.set_xticks(range(len(beginning)), beginning)
ax.set_yticks(range(len(likely)), model.classes_[likely])
ax.set(xlabel="notes read", ylabel="next note")
fig.colorbar(image, ax=ax, label="probability")
plt.show()
