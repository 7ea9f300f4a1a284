"""Saving and loading models."""

import os
import platform
from functools import cache
from importlib.metadata import version
from typing import Any

from sklearn.base import BaseEstimator

from sklearn_rnn._core.container import Path, read_container, write_container
from sklearn_rnn._core.memory import pause_collection
from sklearn_rnn._version import __version__
from sklearn_rnn.persistence._decoding import Decoder
from sklearn_rnn.persistence._encoding import Encoder
from sklearn_rnn.persistence._errors import ModelFileError, require
from sklearn_rnn.persistence._imports import read_trusted

KIND = "model"
FORMAT = 1  # version of the table of objects
# What other code raises for values that are not valid.
INVALID = (
    *(ArithmeticError, AttributeError, LookupError, RecursionError, TypeError),
    ValueError,
)
LIBRARIES = ("numpy", "scikit-learn", "torch")


def save(model: BaseEstimator, path: Path) -> None:
    """Save a model to a file, without pickle.

    The file holds the parameters and all fitted attributes, including the state of the
    optimizer, so that training can go on. It is written atomically: if writing fails,
    an existing file is unchanged.

    Parameters
    ----------
    model : estimator
        Fitted or unfitted estimator of sklearn_rnn, a common transformer or a linear
        model of scikit-learn, or a ``Pipeline``, ``ColumnTransformer`` or
        ``FeatureUnion`` of them. Functions and classes of your own, for example
        ``cell=`` or ``tokenizer=``, are stored as their import paths.
    path : str, bytes or path-like
        Name of the file. The usual suffix is ``.skrnn``.

    Raises
    ------
    ModelFileError
        If the model contains an object that a file cannot hold, such as a callback. The
        message names its place in the model.
    OSError
        If the file cannot be written.

    Warns
    -----
    UserWarning
        If the model refers to a function or class of the program that runs now, which
        another program cannot import.

    See Also
    --------
    load : Loads the model.

    Notes
    -----
    A file consists of a JSON header, arrays in the safetensors format and a SHA-256
    checksum. Nothing is compressed.

    Examples
    --------
    >>> import os, tempfile
    >>> import sklearn_rnn
    >>> vectorizer = sklearn_rnn.CharVectorizer().fit(["ab", "cab"])
    >>> path = os.path.join(tempfile.mkdtemp(), "letters.skrnn")
    >>> sklearn_rnn.save(vectorizer, path)
    >>> sklearn_rnn.load(path).vocabulary_
    {'a': 4, 'b': 5, 'c': 6}
    """
    if not isinstance(model, BaseEstimator):
        raise TypeError(
            f"a model file holds an estimator, got {type(model).__name__}. Pass a "
            "scikit-learn estimator."
        )
    path = os.fspath(path)  # an error of its type is not one of the model
    encoder = Encoder()
    try:
        root = encoder.encode(model)
        _check_readable(encoder, root)
        header = {
            "model": type(model).__name__,
            "format": FORMAT,
            "versions": {"sklearn_rnn": __version__, **find_versions()},
            "objects": encoder.objects,
            "root": root,
        }
        write_container(path, KIND, header, encoder.arrays)
    except ModelFileError:
        raise
    except INVALID as error:
        problem = str(error).rstrip(".")
        raise ModelFileError(f"the model cannot be saved: {problem}.") from error


def _check_readable(encoder: Encoder, root: Any) -> None:
    """Check that the objects of an encoder can be read, without building networks."""
    arrays = {  # views, whose flags can be changed
        name: array.view() if array.flags.writeable else array.copy()
        for name, array in encoder.arrays.items()
    }
    decoder = Decoder(encoder.objects, arrays, encoder.imports, only_checks=True)
    try:
        decoder.decode(root)
    except INVALID as error:
        raise ModelFileError(
            "the model cannot be saved, because its file could not be loaded: "
            f"{str(error).rstrip('.')}."
        ) from error


def load(path: Path, *, trusted: Any = ()) -> Any:
    """Load a model that :func:`save` wrote.

    Loading never runs code of the file. It builds objects of a fixed list of classes,
    and what ``trusted`` names.

    Parameters
    ----------
    path : str, bytes or path-like
        Name of the file.
    trusted : list of str, function or class, or dict, default=()
        Functions and classes outside the fixed list that the file may refer to, as
        ``"module:name"`` or as the objects themselves. Names are imported, which runs
        the code of their modules. A dict contains objects by their names in the file.

    Returns
    -------
    estimator
        The model. Its predictions are equal to those of the saved model, bit for bit if
        the versions of all libraries and the processor are the same.

    Raises
    ------
    ModelFileError
        If the file is damaged, is not a model file, was written in a newer format, or
        refers to functions or classes that are not trusted.
    TypeError
        If ``trusted`` contains something else.
    OSError
        If the file cannot be opened or read.

    Warns
    -----
    InconsistentVersionWarning
        If the model was saved with a newer version of sklearn_rnn, or a part of it with
        another version of scikit-learn.

    See Also
    --------
    save : Saves a model.

    Examples
    --------
    >>> import os, tempfile
    >>> import sklearn_rnn
    >>> vectorizer = sklearn_rnn.WordVectorizer(tokenizer=len)
    >>> path = os.path.join(tempfile.mkdtemp(), "words.skrnn")
    >>> sklearn_rnn.save(vectorizer, path)
    >>> sklearn_rnn.load(path, trusted=["builtins:len"])
    WordVectorizer(tokenizer=<built-in function len>)
    """
    trusted = read_trusted(trusted)
    try:
        header, arrays = read_container(path, KIND)
    except ValueError as error:
        raise ModelFileError(str(error)) from error
    try:
        with pause_collection():
            return _build_model(header, arrays, trusted)
    except (MemoryError, Warning):  # warnings may be errors
        raise
    except ModelFileError as error:
        raise ModelFileError(f"{os.fspath(path)!r} cannot be read: {error}") from error
    except Exception as error:  # a file can contain anything
        raise ModelFileError(
            f"{os.fspath(path)!r} cannot be read: its content is not a valid model "
            f"({type(error).__name__}: {str(error).rstrip('.')})."
        ) from error


def _build_model(header: dict[str, Any], arrays: dict[str, Any], trusted: Any) -> Any:
    """Return the model in a file."""
    number, versions = header.get("format"), header.get("versions")
    if type(number) is not int or number < 1:
        raise ModelFileError("it has no version of the format.")
    if type(versions) is not dict or not all(type(v) is str for v in versions.values()):
        raise ModelFileError("its list of versions is damaged.")
    require(
        number <= FORMAT,
        f"it has version {number} of the format of models, and this version of "
        f"sklearn_rnn reads versions up to {FORMAT}. Install sklearn_rnn "
        f"{versions.get('sklearn_rnn')!r:.30} or newer.",
    )
    require(
        header.keys() == {"model", "format", "versions", "objects", "root"},
        "its header is damaged.",
    )
    model = Decoder(header["objects"], arrays, trusted).decode(header["root"])
    require(
        isinstance(model, BaseEstimator) and type(model).__name__ == header["model"],
        f"it does not contain a {header['model']!r:.60}.",
    )
    return model


@cache
def find_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that models depend on."""
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
    }
