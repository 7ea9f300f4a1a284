"""The error of model files, and a check that raises it."""

from typing import Any


class ModelFileError(ValueError):
    """Error that is raised if a model cannot be saved, or if a file is not accepted.

    :func:`sklearn_rnn.save` raises it for a value that a model file cannot hold. The
    message names the value's type and its place in the model.
    :func:`sklearn_rnn.load` raises it for a file that is damaged, of another format or
    of a newer version, and for types that are not in the fixed list and not in
    ``trusted``.

    Examples
    --------
    >>> import sklearn_rnn
    >>> vectorizer = sklearn_rnn.CharVectorizer(preprocessor=lambda text: text)
    >>> try:
    ...     sklearn_rnn.save(vectorizer, "letters.skrnn")
    ... except sklearn_rnn.ModelFileError as error:
    ...     print(str(error)[:29])
    preprocessor of type function
    """


def require(condition: Any, problem: str) -> None:
    """Raise a ModelFileError that states the problem unless the condition is true."""
    if not condition:
        raise ModelFileError(problem)
