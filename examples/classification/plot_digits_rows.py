"""
Digits, read row by row
=======================

An image is a sequence too: of rows, from top to bottom. This is how recurrent networks
are usually shown on MNIST; scikit-learn's own digits, 8 rows of 8 pixels, need no
download. Since sequences may have any length, we can also stop reading halfway.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from sklearn_rnn import RNNClassifier

# %%
# A row of this table is an image, its 64 columns are pixels. ``input_size=8`` says that
# a step has 8 of them, so the network sees 8 steps, the rows of the image. Everything
# else is as for any other classifier.

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)

pipeline = make_pipeline(
    MinMaxScaler(clip=True),
    RNNClassifier(hidden_size=32, input_size=8, max_epochs=15, random_state=0),
)
search = GridSearchCV(pipeline, {"rnnclassifier__cell": ["rnn", "lstm", "gru"]}, cv=2)
search.fit(X, y)
scores = search.cv_results_["mean_test_score"]
for params, score in zip(search.cv_results_["params"], scores, strict=True):
    print(f"{params['rnnclassifier__cell']:4}  {score:.3f}")
print(f"held out: {search.score(X_test, y_test):.3f}")

# %%
# How much of a digit must be seen? A 3-D array of shape (images, rows, pixels) says the
# same as the table, and its first rows are shorter sequences. One network learned from
# whole images; the other from images that end at a random row, which is a ragged list.

images, images_test = X.reshape(-1, 8, 8) / 16, X_test.reshape(-1, 8, 8) / 16
model = RNNClassifier(hidden_size=32, max_epochs=30, random_state=0)
rng = np.random.default_rng(0)
cut = [image[:n_rows] for image in images for n_rows in (8, rng.integers(2, 8))]

rows = np.arange(1, 9)
accuracy = {}
for name, sequences, labels in [
    ("whole images", images, y),
    ("whole and cut-off images", cut, np.repeat(y, 2)),
]:
    model.fit(sequences, labels)
    accuracy[name] = [model.score(images_test[:, :n], y_test) for n in rows]

# %%
# The first network has never been asked before the end, and is lost there. The second
# is sure of most digits after five rows.

figure, (top, bottom) = plt.subplots(2, figsize=(7, 6), layout="constrained")
for name, values in accuracy.items():
    top.plot(rows, values, marker="o", label=f"trained on {name}")
    print(name, np.round(values, 2))
top.set(xlabel="rows read", ylabel="accuracy", title="Digits that are not finished yet")
top.legend()

three = np.flatnonzero(y_test == 3)[0]
proba = [model.predict_proba(images_test[[three], :n])[0] for n in rows]
image = bottom.imshow(np.transpose(proba), cmap="Blues", vmin=0, vmax=1, aspect="auto")
figure.colorbar(image, ax=bottom, label="probability")
bottom.set(
    xticks=rows - 1,
    xticklabels=rows,
    yticks=range(10),
    xlabel="rows read",
    ylabel="digit",
    title="What the second network believes while a 3 goes by",
)
plt.show()
