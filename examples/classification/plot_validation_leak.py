"""
Early stopping without leaks in the validation data
===================================================

Early stopping chooses the best epoch by the score on validation rows. This score is
meaningful only if the validation rows are as independent of the training rows as new
data will be. This example shows two common leaks and how to avoid them.
"""

import matplotlib.pyplot as plt
import numpy as np
import sklearn
from sklearn.feature_selection import SelectKBest
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import Pipeline

from sklearn_rnn import RNNClassifier, StepwiseTransformer

# %%
# The same people in training and validation
# ------------------------------------------
# Sixty people were recorded ten times each. Half of them are ill, which shows as a
# slight tremor from step to step. Each person also has an individual offset, by which
# the person can be recognized, but which says nothing about other people.


def recordings(n_people, rng):
    """Sequences of 8 features, whether the person is ill, and the person."""
    person = np.repeat(np.arange(n_people), 10)
    habit = rng.normal(scale=0.8, size=(n_people, 8))
    X = []
    for who in person:
        n_steps = rng.integers(8, 20)
        x = rng.normal(size=(n_steps, 8)) + habit[who]
        x[:, 0] += 0.5 * (who % 2) * (-1) ** np.arange(n_steps)
        X.append(x)
    return X, person % 2 == 1, person


rng = np.random.default_rng(0)
X, y, person = recordings(60, rng)
X_new, y_new, _ = recordings(200, rng)


def network(**params):
    """A classifier with early stopping."""
    return RNNClassifier(
        hidden_size=32, max_epochs=20, early_stopping=True, random_state=0, **params
    )


# %%
# ``validation_fraction=0.2`` draws single recordings, so that nearly every person is in
# both parts, and a network that recognizes people gets a high validation score. With a
# splitter for groups, each person is in one part only.

leaking = network(validation_fraction=0.2).fit(X, y)
by_person = network(validation_fraction=GroupShuffleSplit(1, test_size=0.2))
by_person.fit(X, y, groups=person)

results = {
    "rows drawn": (leaking.best_validation_score_, leaking.score(X_new, y_new)),
    "people drawn": (by_person.best_validation_score_, by_person.score(X_new, y_new)),
}

# %%
# Preprocessing fitted on the validation data
# -------------------------------------------
# In the following data there is nothing to learn: 120 sequences of 1,000 random
# features, with random labels. If the ten features that fit the labels best are
# selected on all sequences, including those for validation, the validation score is
# nevertheless well above chance.

X = rng.normal(size=(120, 5, 1000))
y = rng.permutation(np.repeat([0, 1], 60))
X_new, y_new = rng.normal(size=(400, 5, 1000)), np.repeat([0, 1], 200)
X_train, y_train, X_val, y_val = X[:80], y[:80], X[80:], y[80:]

select = StepwiseTransformer(SelectKBest(k=10))
seen = select.fit(X, y).transform(X)
leaking = network().fit(seen[:80], y_train, X_val=seen[80:], y_val=y_val)
results["selected on all rows"] = (
    leaking.best_validation_score_,
    leaking.score(select.transform(X_new), y_new),
)

# %%
# In a ``Pipeline``, every step is fitted on the training rows only. With
# ``transform_input=["X_val"]``, the fitted steps also transform ``X_val``, and metadata
# routing passes it to the network. :doc:`/guide/training` explains the ways to choose
# validation data.

with sklearn.config_context(enable_metadata_routing=True):
    pipeline = Pipeline(
        [
            ("select", select),
            ("network", network().set_fit_request(X_val=True, y_val=True)),
        ],
        transform_input=["X_val"],
    )
    pipeline.fit(X_train, y_train, X_val=X_val, y_val=y_val)
results["selected in the pipeline"] = (
    pipeline["network"].best_validation_score_,
    pipeline.score(X_new, y_new),
)

# %%
# Validation score and score on new data
# --------------------------------------
# With a leak, the validation score is far above the score on new data. Without it, both
# are close to chance here. The remaining differences are random, because there are only
# twelve people and forty sequences for validation.

for name, (said, true) in results.items():
    print(f"{name:25} validation {said:.2f}, new data {true:.2f}")

figure, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
places = np.arange(len(results))
said, true = np.transpose(list(results.values()))
ax.barh(places - 0.2, said, height=0.4, label="best validation score")
ax.barh(places + 0.2, true, height=0.4, label="score on new data")
ax.axvline(0.5, color="0.4", linestyle=":", label="chance")
ax.set(yticks=places, yticklabels=results, xlabel="accuracy", xlim=(0, 1))
ax.invert_yaxis()
figure.legend(loc="outside lower center", ncols=3)
plt.show()
