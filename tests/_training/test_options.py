"""The options of the training loop, taken from an estimator."""

from sklearn_rnn import RNNClassifier
from sklearn_rnn._training.options import TrainingOptions


def test_options_are_the_parameters_of_the_same_names():
    model = RNNClassifier(
        gradient_clip=0.5, tol=0.1, n_iter_no_change=3, batch_size=7, max_epochs=9
    )
    options = TrainingOptions.from_estimator(model, seed=5)
    assert (options.gradient_clip, options.tol) == (0.5, 0.1)
    assert (options.n_iter_no_change, options.batch_size) == (3, 7)
    assert (options.max_epochs, options.seed) == (9, 5)


def test_what_is_given_replaces_a_parameter():
    model = RNNClassifier(verbose=1)
    options = TrainingOptions.from_estimator(model, seed=5, max_epochs=1, verbose=0)
    assert (options.max_epochs, options.verbose) == (1, 0)
