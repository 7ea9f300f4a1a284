"""Fit one model with the installed package, and show which package that is."""

import sklearn_rnn
from sklearn_rnn import CharVectorizer, RNNClassifier
from sklearn_rnn.datasets import load_letters, load_names

names, nations = load_names(return_X_y=True)
codes = CharVectorizer().fit_transform(names[::50])
model = RNNClassifier("gru", 8, max_epochs=2, random_state=0).fit(codes, nations[::50])
accuracy = model.score(codes, nations[::50])
assert accuracy > 2 / 15, accuracy
assert load_letters().data.shape == (26, 64)
print(f"sklearn_rnn {sklearn_rnn.__version__} in {sklearn_rnn.__path__[0]} works")
