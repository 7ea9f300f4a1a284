"""Both vectorizers of tokens, and texts whose letters are their tokens."""

import pytest
from text_examples import SEPARATOR


@pytest.fixture(params=SEPARATOR, ids=lambda cls: cls.__name__)
def Vectorizer(request):
    return request.param


@pytest.fixture
def text_of(Vectorizer):
    """Make a text whose tokens are the given letters, for both vectorizers."""
    return SEPARATOR[Vectorizer].join


@pytest.fixture
def texts(text_of):
    return [text_of("cab"), text_of("ba"), text_of("b")]
