"""Models are saved to files and loaded, and other files are refused."""

import json
import math
import os
import pickle

import numpy as np
import pytest
from file_mutations import replace_header
from model_values import same
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

import sklearn_rnn
from sklearn_rnn import CharVectorizer, HopfieldDenoiser, ModelFileError
from sklearn_rnn._core.container import read_container, write_container
from sklearn_rnn._core.versions import InconsistentVersionWarning
from sklearn_rnn.persistence import load, save
from sklearn_rnn.persistence._files import FORMAT, KIND, find_versions

MODEL = CharVectorizer().fit(["abc"])


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "model.skrnn"
    save(MODEL, path)
    return path


def rewrite(path, **changes):
    """Change entries of the header; None removes them."""
    header, arrays = read_container(path, KIND)
    header |= changes
    kept = {name: value for name, value in header.items() if value is not None}
    write_container(path, KIND, kept, arrays)


def test_a_model_is_saved_and_loaded(path):
    for name in (path, str(path), os.fsencode(path)):
        assert same(load(name), MODEL)
    assert sklearn_rnn.load is load and sklearn_rnn.save is save


def test_saving_a_loaded_model_writes_the_same_bytes(path, tmp_path):
    save(load(path), tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_the_header_names_class_and_versions(path):
    header, _ = read_container(path, KIND)
    assert header["model"] == "CharVectorizer" and header["format"] == FORMAT
    expected = {"sklearn_rnn": sklearn_rnn.__version__, **find_versions()}
    assert header["versions"] == expected
    assert find_versions()["numpy"] == np.__version__


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": FORMAT + 1}, "version 2 of the format.*Install sklearn_rnn '"),
        ({"format": None}, "no version of the format"),
        ({"format": True}, "no version of the format"),
        ({"versions": {"numpy": 3}}, "list of versions"),
        ({"objects": None}, "header is damaged"),
        ({"more": 1}, "header is damaged"),
        ({"model": "RNNClassifier"}, "does not contain a 'RNNClassifier'"),
        ({"root": "text"}, "does not contain a 'CharVectorizer'"),
        ({"root": [99]}, "reference 99"),
        ({"objects": [["list", 3]]}, "a list is damaged"),
        ({"objects": [["range", "a", 1, 1]]}, "not a valid model .TypeError"),
    ],
)
def test_invalid_headers_are_refused(changes, message, path):
    rewrite(path, **changes)
    with pytest.raises(ModelFileError, match=message) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_other_files_are_refused(path, tmp_path):
    write_container(path, "stream", {}, {})
    with pytest.raises(ModelFileError, match="contains a 'stream'"):
        load(path)
    path.write_bytes(pickle.dumps(MODEL))
    with pytest.raises(ModelFileError, match="of another format"):
        load(path)
    for name in (tmp_path / "missing", tmp_path):
        with pytest.raises(OSError):
            load(name)


def test_json_that_is_not_strict_is_refused(path):
    content = path.read_bytes()
    for text in (b'{"a": NaN}', b'{"a": 1, "a": 1}', b'{"a": -Infinity}'):
        path.write_bytes(replace_header(content, text))
        with pytest.raises(ModelFileError, match="not well-formed"):
            load(path)


def test_values_that_are_no_models_are_a_type_error(path):
    with pytest.raises(TypeError, match="got dict"):
        save({"a": 1}, path)
    assert same(load(path), MODEL)


def test_a_model_that_cannot_be_saved_leaves_the_old_file(path):
    model = CharVectorizer(preprocessor=lambda text: text)
    with pytest.raises(ModelFileError, match=r"^preprocessor of type function"):
        save(model, path)
    assert same(load(path), MODEL)
    with pytest.raises(ModelFileError, match="cannot be saved: Exceeds the limit"):
        save(CharVectorizer(max_length=10**9999), path)


class UsersTransformer(FunctionTransformer):
    def __getstate__(self):
        return 1, 2


TUPLES = np.array([[(1, 2)], [(3, 4)], [None]], dtype=object)[:2]
UNREADABLE = {
    "categories": (OneHotEncoder().fit(TUPLES), "could not be loaded: "),
    "keys": (
        FunctionTransformer(kw_args=dict.fromkeys([math.nan, float("nan")])),
        "could not be loaded: .* twice",
    ),
    "state": (UsersTransformer(), "of type .*UsersTransformer has a state of type tup"),
    "masked": (FunctionTransformer(kw_args={"x": np.ma.masked}), "Constant cannot be"),
}


@pytest.mark.parametrize(("model", "message"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_loaded_is_not_saved(model, message, tmp_path):
    with pytest.raises(ModelFileError, match=message) as caught:
        save(model, tmp_path / "model")
    assert not str(caught.value).endswith("..")
    assert not any(tmp_path.iterdir())


def test_folders_and_devices_cannot_be_written(tmp_path):
    with pytest.raises(TypeError, match="not NoneType"):
        save(MODEL, None)
    with pytest.raises(IsADirectoryError):
        save(MODEL, tmp_path)
    with pytest.raises(ModelFileError, match="not a regular file"):
        save(MODEL, os.devnull)


def set_version(path, version):
    """Rewrite a file as if another version of this package had written it."""
    header, _ = read_container(path, KIND)
    text = json.dumps(header["objects"])
    other = text.replace(f'"{sklearn_rnn.__version__}"', f'"{version}"')
    rewrite(path, objects=json.loads(other))


def test_files_of_earlier_versions_are_loaded_without_a_warning(path):
    set_version(path, "0.0.1")
    assert same(load(path), MODEL)


def test_files_of_newer_versions_are_warned_of(path):
    set_version(path, "99.0")
    message = r"CharVectorizer was saved by sklearn_rnn 99\.0"
    with pytest.warns(InconsistentVersionWarning, match=message):
        assert same(load(path), MODEL)


def test_a_damaged_version_is_an_error(path):
    set_version(path, "damaged")
    with pytest.raises(ModelFileError, match="not a valid model"):
        load(path)


def test_trust_is_passed_on(tmp_path):
    path = tmp_path / "model"
    save(CharVectorizer(preprocessor=json.loads), path)
    with pytest.raises(ModelFileError, match="json:loads"):
        load(path)
    assert load(path, trusted=[json.loads]).preprocessor is json.loads


def test_memory_errors_are_not_hidden(path, monkeypatch):
    def fail(*args):
        raise MemoryError

    monkeypatch.setattr("sklearn_rnn.persistence._files.Decoder", fail)
    with pytest.raises(MemoryError):
        load(path)


def test_recall_after_loading(tmp_path):
    patterns = np.random.default_rng(0).integers(0, 2, (3, 40))
    model = HopfieldDenoiser().fit(patterns)
    save(model, tmp_path / "m")
    noisy = patterns ^ (np.arange(40) % 9 == 0)
    expected = model.transform(noisy)
    np.testing.assert_array_equal(load(tmp_path / "m").transform(noisy), expected)
