"""Mutated state files and transcripts raise ValueError, or hold a valid state."""

import json
import tracemalloc

import numpy as np
import pytest
from file_mutations import mutate_bytes, seal, split_file
from stream_models import QUICK, fitted, same_state

from sklearn_rnn import SequenceGenerator
from sklearn_rnn._core.container import PREFIX
from sklearn_rnn.generation._session import _compute_checksum

COUNTS = [150, pytest.param(2500, marks=pytest.mark.slow)]
NUMBERS = [0, 1, 4, 255, 2**31, 2**32 - 1, 2**53, 2**62]
VALUES = [None, True, -1, 1.5, 2**70, "", "x", [], {}, [[0]], 1e308, "[" * 5000]
X = np.random.default_rng(0).normal(size=(4, 9, 3)).astype(np.float32)


def mutate_parts(content, rng):
    """Change prefix, header or arrays, with consistent lengths and checksum."""
    fields, header, arrays = split_file(content)
    kind = rng.integers(5)
    if kind == 0:
        header = mutate_bytes(header, header, rng)
    elif kind == 1:
        texts = json.loads(header)
        texts[str(rng.choice(["model", "keys", "n_steps", "x"]))] = choose(rng)
        header = json.dumps(texts).encode()
    elif kind == 2:  # the description of the arrays
        size = int.from_bytes(arrays[:8], "little")
        table = json.loads(arrays[8 : 8 + size])
        entry = table[str(rng.choice(list(table)))]
        entry[str(rng.choice(list(entry)))] = choose(rng)
        text = json.dumps(table).encode()
        arrays = len(text).to_bytes(8, "little") + text + arrays[8 + size :]
    elif kind == 3:
        arrays = mutate_bytes(arrays, arrays, rng)
    fields[3:] = len(header), len(arrays)
    if kind == 4:
        fields[int(rng.choice([1, 3, 4]))] = int(rng.choice(NUMBERS[:6]))
    return seal(PREFIX.pack(*fields) + header + arrays)


def mutate_entry(transcript, rng):
    """Change a value in a transcript, half of the time with a new checksum."""
    content = json.loads(transcript)
    place = content
    key = str(rng.choice(list(content)))
    if key == "steps" and rng.random() < 0.8:
        place = content["steps"][int(rng.integers(len(content["steps"])))]
        key = int(rng.integers(len(place)))
    place[key] = choose(rng)
    if rng.random() < 0.5:
        content.pop("checksum", None)
        content["checksum"] = _compute_checksum(content)
    return json.dumps(content)


def choose(rng):
    """Choose one of VALUES or NUMBERS."""
    return [*VALUES, *NUMBERS][int(rng.integers(len(VALUES) + len(NUMBERS)))]


@pytest.fixture(params=[2, None], ids=["counted", "by key"])
def stream(request):
    model = fitted(X, cell="lstm", pooling="concat")
    stream = model.stream(request.param)
    stream.predict(X[:2, 0] if request.param else {"a": X[0, 0], 7: X[1, 0]})
    return stream


@pytest.mark.parametrize("count", COUNTS)
def test_mutated_stream_files(count, stream, tmp_path):
    rng, path = np.random.default_rng(count), tmp_path / "state"
    stream.save(path)
    content, before, n_loaded = path.read_bytes(), stream.state, 0
    for k in range(count // 2):
        if k % 2:
            mutant = mutate_parts(content, rng)
        else:
            mutant = mutate_bytes(content, content, rng)
        path.write_bytes(mutant)
        tracemalloc.start()
        try:
            stream.load(path)
        except ValueError as error:
            assert str(error), k
            same_state(stream.state, before)
        else:  # values that a state of this model may have
            n_loaded += 1
            ahead = stream.copy()
            steps = (
                X[:2, 1] if stream.keys is None else dict.fromkeys(ahead.keys, X[0, 1])
            )
            answers = ahead.predict_proba(steps)
            found = answers if stream.keys is None else list(answers.values())
            assert np.isfinite(np.array(found, float)).all(), k
            stream.state = before
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < 20 * len(content) + 2_000_000, k
    assert n_loaded < count // 4


@pytest.mark.filterwarnings("ignore:the text has:UserWarning")
@pytest.mark.parametrize("count", COUNTS)
def test_mutated_transcripts(count):
    rng = np.random.default_rng(count)
    model = SequenceGenerator(**QUICK).fit("the cat sat on the mat. " * 4)
    session = model.session("the ").accept("cat")
    session.suggest(prefix="")
    transcript, n_resumed = session.pick(1).to_json(), 0
    for k in range(count):
        if k % 2:
            mutant = mutate_entry(transcript, rng)
        else:
            text = transcript.encode()
            mutant = mutate_bytes(text, text, rng).decode("latin-1")
        try:
            again = model.resume(mutant)
        except ValueError as error:
            assert str(error), k
        else:  # a transcript that a session could have written, or another spacing
            n_resumed += 1
            assert np.isfinite(again.log_probability), k
            if not k % 2:
                assert again.to_json() == transcript, k
    assert n_resumed < count // 4
