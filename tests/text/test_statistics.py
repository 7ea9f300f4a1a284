"""TextStatisticsVectorizer: texts as rows of statistics."""

import io
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_rnn.text import TextStatisticsVectorizer
from sklearn_rnn.text._statistics import split_sentences

COLUMNS = {
    "counts": ["n_words", "n_characters", "n_sentences"],
    "lengths": [
        "mean_word_length",
        "max_word_length",
        "mean_sentence_length",
        "max_sentence_length",
    ],
    "common": ["common_uncommon_ratio"],
    "types": ["type_token_ratio"],
    "graph": ["graph_n_edges", "graph_mean_degree", "graph_density"],
}
ALL = [name for group in COLUMNS.values() for name in group]

# Words: the cat saw the dog | it ran (7; 6 distinct), 30 characters.
# Edges: the-cat cat-saw saw-the the-dog, it-ran: 5 between 6 words.
TEXT = "The cat saw the dog.\nIt ran!!!"
# "the" is the only one of ceil(0.1 * 6) = 1 common words, and occurs twice.
ROW = [7, 30, 2, 20 / 7, 3, 3.5, 5, 2 / 5, 6 / 7, 5, 10 / 6, 10 / 30]


def tagger(tokens):
    """Tag tokens that start with a capital letter as names."""
    return [
        (token, "." if not token.isalpha() else "NN" if token.istitle() else "VB")
        for token in tokens
    ]


def one_row(text, group, **params):
    """Statistics of a group by name, for a text that is also the training data."""
    vectorizer = TextStatisticsVectorizer(statistics=[group], **params)
    (row,) = vectorizer.fit_transform([text])
    return dict(zip(vectorizer.get_feature_names_out(), row, strict=True))


def test_every_statistic_of_a_short_text():
    vectorizer = TextStatisticsVectorizer()
    statistics = vectorizer.fit_transform([TEXT])
    assert list(vectorizer.get_feature_names_out()) == ALL
    assert statistics.dtype == np.float64
    assert_allclose(statistics, [ROW], rtol=1e-15)


def test_rows_do_not_depend_on_other_documents():
    vectorizer = TextStatisticsVectorizer().fit([TEXT])
    assert_allclose(vectorizer.transform(["", TEXT, "a", TEXT])[[1, 3]], [ROW, ROW])


@pytest.mark.parametrize("blank", ["", " \n\t", b""])
def test_documents_without_words_are_rows_of_zeros(blank):
    vectorizer = TextStatisticsVectorizer(pos_tagger=tagger).fit([TEXT])
    (row,) = vectorizer.transform([blank])
    row[ALL.index("n_characters")] -= len(blank)
    assert_array_equal(row, np.zeros(len(ALL) + 3))


def test_punctuation_alone_has_characters_but_no_sentence():
    vectorizer = TextStatisticsVectorizer().fit([TEXT])
    (row,) = vectorizer.transform(["?! ... --"])
    assert_array_equal(row, [0, 9, *[0] * 10])


def test_single_word_has_a_graph_without_edges():
    assert one_row("Ishmael", "graph") == dict.fromkeys(COLUMNS["graph"], 0)


def test_characters_are_code_points_with_white_space():
    text = "é e\u0301 \U0001f600\n"  # one, two and one code points
    assert one_row(text, "counts")["n_characters"] == 7


def test_word_length_is_that_of_the_word_as_written():
    assert len("İ".lower()) == 2
    assert one_row("İzmir", "lengths")["max_word_length"] == 5


def test_emoji_and_punctuation_are_not_words():
    assert one_row("so - 2 \U0001f600 _x_ ...", "counts")["n_words"] == 3


def test_lengths_of_words_and_sentences():
    lengths = one_row("I know. You know nothing, friend! No?", "lengths")
    assert lengths == {
        "mean_word_length": (1 + 4 + 3 + 4 + 7 + 6 + 2) / 7,
        "max_word_length": 7,
        "mean_sentence_length": 7 / 3,
        "max_sentence_length": 4,
    }


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two? Three!", ["One.", " Two?", " Three!", ""]),
        ("Wait... what?! Yes", ["Wait...", " what?!", " Yes"]),
        ("He said “No.” (Really!) Ok", ["He said “No.”", " (Really!)", " Ok"]),
        ("Pi is 3.14, see a.example.org", ["Pi is 3.14, see a.example.org"]),
        ("Title\n \nBody\nof text", ["Title\n \n", "Body\nof text"]),
        ("Title\r\n\r\nBody", ["Title\r\n\r\n", "Body"]),
        ("早い。「遅い！」はい", ["早い。", "「遅い！」", "はい"]),
        ("राम आया। वह गया॥", ["राम आया।", " वह गया॥", ""]),
        ("أين؟ هنا", ["أين؟", " هنا"]),
        ("Dr. No", ["Dr.", " No"]),  # the documented limitation
        ("", [""]),
    ],
)
def test_sentences_end_by_the_documented_rule(text, sentences):
    assert split_sentences(text) == sentences
    assert "".join(sentences) == text


@pytest.mark.parametrize("unit", [".", ".'", "\n", "\n\t", "'", "\r\n", "! ", "。」"])
def test_long_runs_of_marks_are_split_in_linear_time(unit):
    text = unit * 100_000 + "x"  # a quadratic rule takes minutes
    assert "".join(split_sentences(text)) == text


def test_sentence_tokenizer_replaces_the_rule_and_receives_the_original_case():
    texts = []

    def lines(text):
        texts.append(text)
        return text.splitlines()

    statistics = one_row("Dr. No\nMr. X\n\n--", "counts", sentence_tokenizer=lines)
    assert statistics["n_sentences"] == 2  # sentences that contain a word
    assert texts == ["Dr. No\nMr. X\n\n--"]


def test_tokenizer_is_given_sentences():
    sentences = []

    def split(sentence):
        sentences.append(sentence)
        return sentence.split()

    assert one_row("It's me. So?", "counts", tokenizer=split)["n_words"] == 3
    assert sentences == ["It's me.", " So?", ""]


def test_token_pattern_defines_tokens():
    pattern = r"[\w']+|[^\w\s]"
    assert one_row("don't, don't", "counts")["n_words"] == 4
    assert one_row("don't, don't", "counts", token_pattern=pattern)["n_words"] == 2


@pytest.mark.parametrize(("lowercase", "ratio"), [(True, 1 / 3), (False, 1)])
def test_lowercase_merges_the_cases_of_a_word(lowercase, ratio):
    types = one_row("No NO no", "types", lowercase=lowercase)
    assert types == {"type_token_ratio": ratio}


def test_lowercase_merges_nodes_and_common_words():
    graph = one_row("No NO yes", "graph", lowercase=True)
    assert graph["graph_n_edges"] == 1
    vectorizer = TextStatisticsVectorizer().fit(["B b a"])
    assert vectorizer.common_words_ == {"b": 2}


# Training words: a 4, b 3, c 2, d 2, e 1.
TRAINING = ["a a a b. d c", "a b b c d e"]


@pytest.mark.parametrize(
    ("fraction", "expected"),
    [
        (0.01, {"a": 4}),
        (0.2, {"a": 4}),
        (0.21, {"a": 4, "b": 3}),
        (0.6, {"a": 4, "b": 3, "c": 2}),  # ties: in sorted order
        (1, {"a": 4, "b": 3, "c": 2, "d": 2, "e": 1}),
    ],
)
def test_common_words_are_the_most_frequent_fraction(fraction, expected):
    vectorizer = TextStatisticsVectorizer(common_fraction=fraction)
    for documents in (TRAINING, TRAINING[::-1]):
        words = vectorizer.fit(documents).common_words_
        assert list(words.items()) == list(expected.items())


def test_the_fraction_of_the_vocabulary_is_exact():
    words = [f"w{i}" for i in range(100)]
    vectorizer = TextStatisticsVectorizer(common_fraction=0.07).fit(words)
    assert 0.07 * 100 > 7
    assert len(vectorizer.common_words_) == 7


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b c", 2.0),
        ("a b a c d", 1.5),
        ("a b a", 3.0),  # the denominator is at least 1
        ("c d e", 0.0),
        ("a new word", 0.5),  # unknown words are uncommon
        ("", 0.0),
    ],
)
def test_ratio_of_common_to_uncommon_words(text, expected):
    vectorizer = TextStatisticsVectorizer(statistics=["common"], common_fraction=0.4)
    assert vectorizer.fit(TRAINING).transform([text]) == [[expected]]


@pytest.mark.parametrize(
    ("text", "edges", "nodes"),
    [
        ("a b", 1, 2),
        ("a b a b", 1, 2),  # neither direction nor repetition counts
        ("a a", 0, 1),  # no loops
        ("a b. c d", 2, 4),  # no edge crosses the end of a sentence
        ("a, b", 1, 2),  # a comma does not separate neighbors
        ("a b c a", 3, 3),
        ("a b a c a d", 3, 4),
    ],
)
def test_graph_of_neighboring_words(text, edges, nodes):
    graph = one_row(text, "graph")
    assert graph["graph_n_edges"] == edges
    assert graph["graph_mean_degree"] == 2 * edges / nodes
    possible = nodes * (nodes - 1) / 2
    assert graph["graph_density"] == (edges / possible if possible else 0)


def test_parts_of_speech_are_counted_with_punctuation():
    counts = one_row("Call me Ishmael. Some years ago!", "pos", pos_tagger=tagger)
    assert counts == {"pos_.": 2, "pos_NN": 3, "pos_VB": 3}


def test_tagger_is_given_sentences_with_their_case_and_punctuation():
    sentences = []

    def remember(tokens):
        sentences.append(tokens)
        return tagger(tokens)

    one_row("I see, Ann. \n\n Go", "pos", pos_tagger=remember)
    assert sentences == [["I", "see", ",", "Ann", "."], ["Go"]]


def test_tags_of_training_are_the_columns_and_others_are_not_counted():
    vectorizer = TextStatisticsVectorizer(statistics=["pos"], pos_tagger=tagger)
    vectorizer.fit(["Ann went"])
    assert vectorizer.pos_tags_ == ["NN", "VB"]
    assert_array_equal(vectorizer.transform(["Ann! Bob! Ann ..."]), [[3, 0]])


def test_all_statistics_have_parts_of_speech_only_with_a_tagger():
    assert TextStatisticsVectorizer().fit([TEXT]).pos_tags_ == []
    names = TextStatisticsVectorizer(pos_tagger=tagger).fit([TEXT])
    assert list(names.get_feature_names_out()) == [*ALL, "pos_.", "pos_NN", "pos_VB"]


def test_tagger_is_not_called_for_other_statistics():
    def refuse(tokens):
        raise AssertionError("tagged in vain")

    vectorizer = TextStatisticsVectorizer(statistics=["types"], pos_tagger=refuse)
    assert vectorizer.fit_transform(["a"]) == [[1]]


@pytest.mark.parametrize(
    ("returned", "error", "message"),
    [
        ([("a", "X")], ValueError, "sentence of 2 tokens of document 1; expected a"),
        ("XY", ValueError, "returned 'XY' for a sentence of 2 tokens"),
        (None, ValueError, "returned None for a sentence"),
        (["X", "Y"], TypeError, r"returned 'X' for a token of document 1; .* \(token"),
        ([("a", None), ("b", "X")], TypeError, "backoff tagger"),
    ],
)
def test_the_error_gives_an_invalid_result_of_a_tagger(returned, error, message):
    vectorizer = TextStatisticsVectorizer(pos_tagger=lambda tokens: returned)
    with pytest.raises(error, match=message):
        vectorizer.fit(["", "a b"])


@pytest.mark.parametrize("returned", ["ab", None, [1], 3])
def test_the_error_gives_an_invalid_result_of_a_sentence_tokenizer(returned):
    vectorizer = TextStatisticsVectorizer(sentence_tokenizer=lambda text: returned)
    with pytest.raises(TypeError, match="for document 0; expected a list of str"):
        vectorizer.fit(["ab"])


def test_the_error_gives_a_token_that_is_not_str():
    vectorizer = TextStatisticsVectorizer(tokenizer=lambda text: [1])
    with pytest.raises(TypeError, match="document 0 contains the token 1"):
        vectorizer.fit(["ab"])


@pytest.mark.parametrize("group", COLUMNS)
def test_groups_are_chosen_one_by_one(group):
    vectorizer = TextStatisticsVectorizer(statistics=[group]).fit([TEXT])
    assert list(vectorizer.get_feature_names_out()) == COLUMNS[group]
    chosen = np.isin(ALL, COLUMNS[group])
    assert_allclose(vectorizer.transform([TEXT]), [np.array(ROW)[chosen]])


def test_columns_do_not_depend_on_the_order_of_the_groups():
    vectorizer = TextStatisticsVectorizer(statistics=("types", "counts", "types"))
    names = vectorizer.fit([TEXT]).get_feature_names_out()
    assert list(names) == [*COLUMNS["counts"], *COLUMNS["types"]]


@pytest.mark.parametrize(
    ("statistics", "message"),
    [
        (
            ["counts", "graphs"],
            r"names among \['counts', .*, got \['counts', 'gra",
        ),
        ([["counts"]], "list of names among"),
        ([], r"got \[\]"),
        (["pos"], "pos_tagger is None"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_the_error_gives_groups_that_do_not_exist(statistics, message, method):
    vectorizer = TextStatisticsVectorizer(statistics=statistics)
    with pytest.raises(ValueError, match=message):
        getattr(vectorizer, method)([TEXT])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("statistics", "counts"),
        ("statistics", None),
        ("common_fraction", 0),
        ("common_fraction", 1.1),
        ("common_fraction", float("nan")),
        ("pos_tagger", "nltk"),
        ("sentence_tokenizer", 1),
        ("input", "url"),
        ("encoding", None),
        ("decode_error", "no"),
        ("lowercase", "yes"),
        ("tokenizer", "split"),
        ("token_pattern", None),
    ],
)
@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_invalid_parameter_is_named(method, name, value):
    vectorizer = TextStatisticsVectorizer(**{name: value})
    with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter"):
        getattr(vectorizer, method)([TEXT])


@pytest.mark.parametrize("method", ["fit", "fit_transform", "transform"])
@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, 3, ["a", "b"]])
def test_the_error_gives_the_row_of_a_document_that_is_not_a_text(method, missing):
    vectorizer = TextStatisticsVectorizer().fit([TEXT])
    with pytest.raises(TypeError, match=r"document 1 is .* Join .* Fill missing text"):
        getattr(vectorizer, method)([TEXT, missing])


@pytest.mark.parametrize("method", ["fit", "fit_transform", "transform"])
def test_single_text_and_tables_are_errors(method):
    call = getattr(TextStatisticsVectorizer().fit([TEXT]), method)
    with pytest.raises(ValueError, match=r"into a list: \[text\]"):
        call(TEXT)
    with pytest.raises(ValueError, match="one column of documents"):
        call(pd.DataFrame({"text": [TEXT], "more": [TEXT]}))
    with pytest.raises(TypeError, match="iterable of documents"):
        call(3)


def test_bytes_and_files_are_decoded():
    vectorizer = TextStatisticsVectorizer(encoding="latin-1")
    assert_allclose(vectorizer.fit_transform([TEXT.encode("latin-1")]), [ROW])
    vectorizer.set_params(input="file")
    assert_allclose(vectorizer.fit_transform([io.StringIO(TEXT)]), [ROW])


def test_the_error_gives_the_row_of_undecodable_bytes():
    with pytest.raises(UnicodeDecodeError, match="in document 1: set encoding"):
        TextStatisticsVectorizer().fit([b"a", b"\xff"])
    kept = TextStatisticsVectorizer(decode_error="ignore", statistics=["counts"])
    assert_array_equal(kept.fit_transform([b"a\xff"]), [[1, 1, 1]])


@pytest.mark.parametrize("documents", [[], [""], ["...", "--"]])
@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_fit_requires_a_word(documents, method):
    with pytest.raises(ValueError, match="the documents contain no words"):
        getattr(TextStatisticsVectorizer(), method)(documents)


def test_no_documents_give_no_rows():
    assert TextStatisticsVectorizer().fit([TEXT]).transform([]).shape == (0, 12)


@pytest.mark.parametrize(
    "container",
    [tuple, np.array, lambda x: np.array(x, dtype=object), pd.Series, iter],
    ids=["tuple", "str array", "object array", "Series", "iterator"],
)
def test_any_column_of_documents_gives_the_same_result(container):
    apart = TextStatisticsVectorizer().fit(container([TEXT]))
    assert_allclose(apart.transform(container([TEXT])), [ROW])
    together = TextStatisticsVectorizer().fit_transform(container([TEXT]))
    assert_allclose(together, [ROW])


def test_fit_then_transform_equals_fit_transform():
    documents = [*TRAINING, TEXT, ""]
    vectorizer = TextStatisticsVectorizer(pos_tagger=tagger, common_fraction=0.3)
    together = clone(vectorizer).fit_transform(documents)
    assert_array_equal(vectorizer.fit(documents).transform(documents), together)


def test_clone_keeps_every_parameter_and_pickling_every_number():
    params = {
        "statistics": ["pos"],
        "common_fraction": 0.2,
        "pos_tagger": tagger,
        "sentence_tokenizer": str.splitlines,
        "input": "file",
        "encoding": "latin-1",
        "decode_error": "ignore",
        "lowercase": False,
        "tokenizer": str.split,
        "token_pattern": "a",
    }
    default = TextStatisticsVectorizer().get_params()
    assert params.keys() == default.keys()
    assert all(params[name] != default[name] for name in params)
    assert clone(TextStatisticsVectorizer(**params)).get_params() == params
    vectorizer = TextStatisticsVectorizer(pos_tagger=tagger).fit([TEXT])
    restored = pickle.loads(pickle.dumps(vectorizer))
    assert_array_equal(restored.transform([TEXT]), vectorizer.transform([TEXT]))


def test_transform_changes_no_attribute():
    vectorizer = TextStatisticsVectorizer(pos_tagger=tagger).fit([TEXT])
    before = joblib.hash(vars(vectorizer))
    vectorizer.transform(["Other words", ""])
    assert joblib.hash(vars(vectorizer)) == before


def test_failed_fit_changes_nothing():
    vectorizer = TextStatisticsVectorizer().fit([TEXT])
    before = dict(vars(vectorizer))
    for method in (vectorizer.fit, vectorizer.fit_transform):
        with pytest.raises(TypeError, match="document 1"):
            method(["other", None])
        with pytest.raises(ValueError, match="no words"):
            method(["..."])
    assert vars(vectorizer) == before


def test_refitting_replaces_the_vocabulary():
    vectorizer = TextStatisticsVectorizer(pos_tagger=tagger).fit(["Ann"])
    vectorizer.fit(["went"])
    assert vectorizer.common_words_ == {"went": 1}
    assert vectorizer.pos_tags_ == ["VB"]


def test_fit_gives_the_vectorizer_itself_and_ignores_y():
    vectorizer = TextStatisticsVectorizer()
    assert vectorizer.fit([TEXT], [1]) is vectorizer
    assert_allclose(vectorizer.fit_transform([TEXT], [1]), [ROW])


@pytest.mark.parametrize("call", ["transform", "get_feature_names_out"])
def test_unfitted_vectorizer_raises_not_fitted_error(call):
    with pytest.raises(NotFittedError, match="TextStatisticsVectorizer"):
        getattr(TextStatisticsVectorizer(), call)([TEXT])


def test_output_is_a_frame_if_requested():
    vectorizer = TextStatisticsVectorizer().set_output(transform="pandas")
    documents = pd.Series([TEXT, ""], index=[7, 3])
    for frame in (vectorizer.fit_transform(documents), vectorizer.transform(documents)):
        assert list(frame.columns) == ALL
        assert list(frame.index) == [7, 3]
        assert_allclose(frame.loc[7], ROW)


def test_output_is_a_polars_frame_if_requested():
    polars = pytest.importorskip("polars")
    vectorizer = TextStatisticsVectorizer().set_output(transform="polars")
    frame = vectorizer.fit_transform(polars.Series([TEXT]))
    assert frame.columns == ALL
    assert_allclose(frame.to_numpy(), [ROW])


def test_union_with_a_bag_of_words():
    union = FeatureUnion(
        [("bag", CountVectorizer()), ("statistics", TextStatisticsVectorizer())]
    )
    X = union.fit_transform([TEXT, "it ran"])
    assert sparse.issparse(X)
    assert X.shape == (2, 6 + 12)
    assert_allclose(X.toarray()[0, 6:9], [7, 30, 2])
    assert union.get_feature_names_out()[6] == "statistics__n_words"


def test_column_transformer_combines_statistics_and_numbers():
    frame = pd.DataFrame({"text": [TEXT, "it ran"], "age": [1.0, 3.0]}, index=[5, 2])
    parts = [
        ("text", TextStatisticsVectorizer(statistics=["counts"]), "text"),
        ("age", StandardScaler(), ["age"]),
    ]
    columns = ColumnTransformer(parts)
    expected = [[7, 30, 2, -1], [2, 6, 1, 1]]
    assert_array_equal(columns.fit_transform(frame), expected)
    columns.set_output(transform="pandas")
    assert columns.fit_transform(frame).loc[2, "text__n_words"] == 2


@pytest.fixture
def two_writers(rng):
    """Documents of two writers with the same words, one with longer sentences."""
    words = np.array([chr(97 + i) * (1 + i % 5) for i in range(20)])
    documents, writers = [], np.repeat([0, 1], 60)
    for writer in writers:
        sentences = []
        left = 60
        while left > 0:
            n_words = min(left, 1 + rng.poisson((6, 10)[writer]))
            sentences.append(" ".join(rng.choice(words, n_words)) + ".")
            left -= n_words
        documents.append(" ".join(sentences))
    return documents, writers


def test_statistics_distinguish_texts_with_equal_bags_of_words(two_writers):
    def accuracy(*steps):
        model = make_pipeline(*steps, LogisticRegression())
        return cross_val_score(model, *two_writers, cv=5).mean()

    assert accuracy(TextStatisticsVectorizer(), StandardScaler()) > 0.85
    assert accuracy(CountVectorizer(token_pattern=r"\w+")) < 0.65


def test_grid_search_finds_the_groups_that_matter(two_writers):
    model = make_pipeline(
        TextStatisticsVectorizer(), StandardScaler(), LogisticRegression()
    )
    prefix = "textstatisticsvectorizer"
    grid = {
        f"{prefix}__statistics": [["types"], ["common"], ["lengths", "types"]],
        f"{prefix}__common_fraction": [0.1, 0.5],
    }
    search = GridSearchCV(model, grid, cv=3, error_score="raise").fit(*two_writers)
    assert search.best_params_[f"{prefix}__statistics"] == ["lengths", "types"]


def test_tags_declare_text_as_input():
    tags = sklearn.utils.get_tags(TextStatisticsVectorizer())
    assert tags.input_tags.string
    assert not tags.input_tags.two_d_array
    assert not tags.target_tags.required
