"""The version in pickled estimators."""

import copy
import pickle
import warnings

import pytest
import sklearn.exceptions

from sklearn_rnn import CharVectorizer, __version__
from sklearn_rnn._core.versions import KEY, InconsistentVersionWarning, is_newer


def load_with(version):
    """Load a vectorizer as if another version had pickled it."""
    vectorizer = CharVectorizer().fit(["abc"])
    state = vectorizer.__getstate__()
    assert state[KEY] == __version__
    if version is None:
        del state[KEY]
    else:
        state[KEY] = version
    new = CharVectorizer.__new__(CharVectorizer)
    new.__setstate__(state)
    return new


def test_the_same_version_does_not_warn():
    vectorizer = CharVectorizer().fit(["abc"])
    for loaded in (pickle.loads(pickle.dumps(vectorizer)), copy.deepcopy(vectorizer)):
        assert loaded.vocabulary_ == vectorizer.vocabulary_
        assert not hasattr(loaded, KEY)


@pytest.mark.parametrize(
    ("version", "named"), [("0.0.1", "0.0.1"), (None, "of unknown version")]
)
def test_another_version_warns(version, named):
    category = sklearn.exceptions.InconsistentVersionWarning
    with pytest.warns(category, match=f"CharVectorizer was saved by .* {named}"):
        loaded = load_with(version)
    assert loaded.vocabulary_ == {"a": 4, "b": 5, "c": 6}
    assert not hasattr(loaded, KEY)


def test_the_warning_has_the_versions_and_can_be_pickled():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load_with("0.0.1")
    warning = pickle.loads(pickle.dumps(caught[0].message))
    assert isinstance(warning, InconsistentVersionWarning)
    assert (warning.original_version, warning.current_version) == (
        "0.0.1",
        __version__,
    )


def test_newer_versions_are_recognized():
    assert is_newer("99.0") and is_newer("99.0.dev1")
    assert not is_newer("0.0.9") and not is_newer(__version__)
    with pytest.raises(ValueError, match="'damaged' is not a version"):
        is_newer("damaged")
