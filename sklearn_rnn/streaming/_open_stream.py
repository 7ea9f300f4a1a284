"""Streams of models, alone or at the end of a Pipeline."""

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn.streaming._pipeline import PipelineStreamAdapter, list_transformers
from sklearn_rnn.streaming._stream import Stream


def open_stream(model, n_streams=1):
    """Open a stream of a fitted model, or of a fitted Pipeline that ends in one.

    In a Pipeline, each step passes through the transformers first. These can be:

    - a :class:`StepwiseTransformer`, which receives a sequence of one step;
    - a :class:`CharVectorizer` or :class:`WordVectorizer`, which receives a text and
      returns its tokens as a chunk;
    - a transformer of tables, which receives a row, if rows were time steps in ``fit``.

    Other transformers of sequences raise an error, because in their output a step may
    depend on the whole sequence, as in :class:`~sklearn_rnn.SeriesScaler`.

    Parameters
    ----------
    model : estimator
        A fitted RNNClassifier, RNNRegressor, RNNForecaster or SequenceGenerator, or a
        fitted Pipeline whose last step is one.
    n_streams : int or None, default=1
        Number of sequences that are read in parallel. None opens a stream for any
        number of sequences, which are identified by keys.

    Returns
    -------
    stream : Stream
        Stream whose predictions at each step are those of ``model.predict`` for all
        steps read so far.

    Raises
    ------
    TypeError
        If the model does not support streams.
    ValueError
        If a transformer might not transform each step independently of the others.

    See Also
    --------
    Stream : Lists the kinds of steps and chunks that a stream reads.
    RNNClassifier.stream : Opens a stream of a single model.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_rnn import RNNRegressor, StepwiseTransformer, open_stream
    >>> X = np.random.default_rng(0).normal(size=(20, 6, 2))
    >>> model = make_pipeline(
    ...     StepwiseTransformer(StandardScaler()), RNNRegressor("lstm", 4, max_epochs=2)
    ... )
    >>> stream = open_stream(model.fit(X, X.sum(axis=(1, 2))))
    >>> for x in X[0]:
    ...     prediction = stream.predict(x)
    >>> bool(np.isclose(prediction, model.predict(X[:1]), rtol=1e-5).all())
    True
    """
    if not isinstance(model, Pipeline):
        if not hasattr(model, "stream"):
            raise TypeError(
                f"{type(model).__name__} has no streams; expected a fitted "
                "RNNClassifier, RNNRegressor, RNNForecaster or SequenceGenerator, or a "
                "Pipeline that ends in one. For a fitted search, pass best_estimator_."
            )
        return model.stream(n_streams)
    check_is_fitted(model)
    before, (_, last) = list_transformers(model.steps[:-1]), model.steps[-1]
    if not before:
        return open_stream(last, n_streams)
    return Stream(PipelineStreamAdapter(before, open_stream(last)._adapter), n_streams)
