"""
Validation data with and without leaks
======================================

Early stopping judges the network on rows that do not train. That judgement, and the
choice of the best epoch by it, are worth something only if those rows are like the ones
the network will meet later. Two ways in which they are not, and what to do instead.
"""

import matplotlib.pyplot as plt
import numpy as np
import sklearn
from sklearn.feature_selection import SelectKBest
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import Pipeline

from sklearn_rnn import RNNClassifier, StepwiseTransformer

# %%
# The same people on both sides
# -----------------------------
# Sixty people were recorded ten times each. Half of them are ill, which shows as a
# slight tremor from one step to the next. Besides, each person has a habit of their
# own, by which they can be recognised, and which says nothing about anybody else.


def recordings(n_people, rng):
    """Sequences of 8 features, whether the person is ill, and who it is."""
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
    """A network that stops early."""
    return RNNClassifier(
        hidden_size=32, max_epochs=20, early_stopping=True, random_state=0, **params
    )


# %%
# ``validation_fraction=0.2`` draws rows, so that nearly everybody is on both sides:
# whoever is recognised gets the right label. A splitter keeps each person on one side.

leaking = network(validation_fraction=0.2).fit(X, y)
by_person = network(validation_fraction=GroupShuffleSplit(1, test_size=0.2))
by_person.fit(X, y, groups=person)

results = {
    "rows drawn": (leaking.best_validation_score_, leaking.score(X_new, y_new)),
    "people drawn": (by_person.best_validation_score_, by_person.score(X_new, y_new)),
}

# %%
# Steps before the network that saw the validation data
# -----------------------------------------------------
# Here is nothing to learn: 120 sequences of 1,000 random features and random labels.
# But if the ten features that go best with the labels are chosen on all of them,
# validation rows included, the network seems to know something.

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
# In a ``Pipeline`` every step is fitted on the training rows. ``transform_input`` says
# that ``X_val`` goes through the fitted steps, and metadata routing brings it to the
# network, which asks for it.

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
# What validation said, and what was true
# ---------------------------------------
# The first and the third pair promise what is not there. The other two are about
# chance: twelve people and forty sequences make a rough judge, but an honest one.

for name, (said, true) in results.items():
    print(f"{name:25} validation {said:.2f}, new data {true:.2f}")

figure, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
places = np.arange(len(results))
said, true = np.transpose(list(results.values()))
ax.barh(places - 0.2, said, height=0.4, label="best validation score")
ax.barh(places + 0.2, true, height=0.4, label="score on new data")
ax.set(yticks=places, yticklabels=results, xlabel="accuracy", xlim=(0, 1))
ax.invert_yaxis()
figure.legend(loc="outside lower center", ncols=2)
plt.show()
