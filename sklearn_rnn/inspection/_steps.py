"""Read one sequence step by step with a fitted model, alone or in a Pipeline."""

from collections.abc import Collection, Iterable, Sized

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from sklearn_rnn._data.containers import refuse_sparse, unwrap, unwrap_documents
from sklearn_rnn._data.tokens import TokenArray
from sklearn_rnn.inspection._models import find_best_estimator
from sklearn_rnn.text._vectorizer import TokenVectorizer


def read_steps(estimator, sequence):
    """The model that reads one sequence, its steps as streams take them, and labels.

    ``sequence`` is anything that represents one sequence to ``estimator``: steps, a
    text, or a container with one row. The transformers of a Pipeline transform it as a
    whole. Labels are the tokens of a text, and None for numbers.
    """
    transformers, model = split_pipeline(find_best_estimator(estimator))
    refuse_models_without_streams(model)
    refuse_sparse(sequence, "sequence")
    if isinstance(sequence, Sized) and not len(sequence):
        raise ValueError("the sequence is empty; expected one step or more.")
    if hasattr(model, "generate"):
        return (model, *_read_text(model, sequence))
    if hasattr(model, "input_size_"):
        return (model, *_read_row(model, transformers, sequence))
    return (model, *_read_series(transformers, sequence))


def split_pipeline(estimator):
    """The transformers of a Pipeline, and the model at its end."""
    transformers, model = [], estimator
    while isinstance(model, Pipeline):
        transformers += list_transformers(model)
        model = find_best_estimator(model.steps[-1][1])
    return transformers, model


def list_transformers(pipeline):
    """The transformers of a Pipeline, also of Pipelines inside it."""
    found = []
    for _, step in pipeline.steps[:-1]:
        if isinstance(step, Pipeline):
            found += [*list_transformers(step), step.steps[-1][1]]
        else:
            found.append(step)
    return [step for step in found if step not in (None, "passthrough")]


def refuse_models_without_streams(model):
    if not hasattr(model, "stream"):
        raise TypeError(
            f"{type(model).__name__} has no streams; expected a fitted RNNClassifier, "
            "RNNRegressor, RNNForecaster or SequenceGenerator, or a Pipeline that ends "
            "in one."
        )


def _read_text(generator, sequence):
    """The tokens that a generator reads, and their names."""
    sequence = unwrap_documents(sequence, "sequence")
    if not hasattr(sequence, "__len__"):
        raise TypeError(f"sequence={sequence!r}; expected a text or a list of tokens.")
    codec, tokens = generator._codec, []
    if codec.vectorizer is None:
        if not isinstance(sequence, TokenArray) or sequence.ndim == 2:
            sequence = check_one_row(codec.list_prompts(sequence))[0]
        return list(sequence), [str(token) for token in sequence]
    if not isinstance(sequence, (str, bytes)) and len(sequence) == 1:
        sequence = sequence[0]
    refuse_texts(sequence, codec.vectorizer)
    codec.encode([sequence], lambda text, found: tokens.extend(found))
    return tokens, tokens


def _read_series(transformers, sequence):
    """The time steps of one series (n_timesteps, n_channels)."""
    if np.ndim(sequence) == 3:
        sequence = check_one_row(sequence)[0]
    if transformers and np.ndim(sequence) == 1:
        sequence = np.reshape(sequence, (-1, 1))
    for transformer in transformers:
        sequence = transformer.transform(sequence)
    return np.asarray(unwrap(sequence)), None


def _read_row(model, transformers, sequence):
    """The steps of one sequence of numbers or codes, and the names of its tokens."""
    row = make_row(sequence, (*transformers, model)[0])
    if transformers and isinstance(transformers[0], TokenVectorizer):
        refuse_texts(row[0], transformers[0])
    for transformer in transformers:
        row_of_text, row = row, transformer.transform(row)
    found = model._read(row, reset=False)
    steps = found.values[found.starts[0] : found.starts[0] + found.lengths[0]]
    if not transformers or not isinstance(transformers[-1], TokenVectorizer):
        return steps, None
    return steps, name_tokens(transformers[-1], row_of_text[0], steps)


def refuse_texts(tokens, vectorizer):
    """Raise an error for several texts, which would be read as unknown tokens."""
    if isinstance(tokens, (str, bytes)) or not isinstance(tokens, Iterable):
        return
    analyze, known = vectorizer._reader().build_analyzer(), vectorizer.vocabulary_
    for token in tokens:
        if isinstance(token, str) and token not in known:
            parts = analyze(token)
            if len(parts) > 1 and all(part in known for part in parts):
                raise ValueError(
                    f"expected one text or list of tokens, got a list with the text "
                    f"{token[:40]!r}. Select one text: X[i]."
                )


def name_tokens(vectorizer, document, codes):
    """The tokens of a document, or the names of its codes if some were left out."""
    tokens = document
    if isinstance(document, (str, bytes)):
        tokens = vectorizer._reader().build_analyzer()(document)
        tokens = restore_case(document, tokens)
    if len(tokens) != len(codes) or vectorizer.boundaries:
        tokens = vectorizer.get_feature_names_out()[codes]
    return [str(token) for token in tokens]


def restore_case(document, tokens):
    """The tokens as they are written in a text, which may have upper case."""
    if not isinstance(document, str) or len(document.lower()) != len(document):
        return tokens
    lowered, place, found = document.lower(), 0, []
    for token in tokens:
        place = lowered.find(token.lower(), place)
        if place < 0 or not token:
            return tokens  # changed by a preprocessor or tokenizer
        found.append(document[place : place + len(token)])
        place += len(token)
    return found


def make_row(sequence, reader):
    """A container with one sequence, as the first ``reader`` of it expects."""
    if isinstance(sequence, (str, bytes)):
        return [sequence]
    if isinstance(sequence, TokenArray):
        return check_one_row(sequence) if sequence.ndim > 1 else sequence[None]
    n_columns, n_features = find_widths(reader)
    if isinstance(sequence, list) and hasattr(sequence[0], "columns"):
        sequence = check_one_row(sequence)[0]
    if hasattr(sequence, "columns"):  # a frame: one row of a table, or steps
        if len(sequence) == 1 and sequence.shape[1] != n_features:
            return sequence
        if get_tags(reader).input_tags.three_d_array and n_columns is None:
            return [sequence]  # a transformer that may select columns by name
        return np.asarray(unwrap(sequence))[None]
    names = getattr(sequence, "index", None)
    if isinstance(names, Collection) and hasattr(sequence, "to_frame"):
        if list(names) == list(getattr(reader, "feature_names_in_", ())):
            return sequence.to_frame().T.infer_objects()  # a row of a frame
    try:
        values = np.asarray(unwrap(sequence))
    except ValueError:
        raise ValueError(
            f"the sequence is a list of {len(sequence)} parts of unequal shapes; "
            "expected one sequence. Select one: X[i]."
        ) from None
    if values.dtype.kind in "OSU" and values.ndim:
        return _wrap_objects(values, reader)
    if getattr(reader, "_vocabulary_size", None) is not None:
        values = check_one_row(values)[0] if values.ndim == 2 else values
        return TokenArray(values[None], reader._vocabulary_size)
    return _shape_row(values, n_columns, n_features)


def _wrap_objects(values, reader):
    """A container with one list of tokens, or with the only object of an array."""
    if len(values) == 1:
        inner = values[0]
        return [inner] if isinstance(inner, (str, bytes)) else make_row(inner, reader)
    if any(np.ndim(value) > 0 for value in values):
        check_one_row(values)
    return [list(values)]


def find_widths(reader):
    """Columns of the tables that a reader was fitted on, and features per step.

    Each is None if it is unknown.
    """
    n_columns = getattr(reader, "n_features_in_", None)
    if hasattr(reader, "input_size_"):
        return n_columns if reader._fitted_on_table else None, reader.input_size_
    if get_tags(reader).input_tags.three_d_array:
        return None, n_columns
    return n_columns, None


def _shape_row(values, n_columns, n_features):
    """Numbers of one sequence as a table of one row, or an array (1, T, F)."""
    if values.ndim == 3:
        return check_one_row(values)
    if values.ndim not in (1, 2):
        raise ValueError(
            f"the sequence has the shape {values.shape}; expected one sequence of "
            "shape (n_timesteps,) or (n_timesteps, n_features), or a container with "
            "one row."
        )
    if n_columns is not None and values.size == n_columns:
        return values.reshape(1, n_columns)  # a row of a table
    is_row = values.ndim == 1 or len(values) == 1
    if not is_row and n_columns == values.shape[1] != n_features:
        check_one_row(values)  # several rows of a table
    if is_row and n_columns is not None and n_features is None:
        return values.reshape(1, -1)
    n_features = n_features or 1
    if is_row and values.shape[-1] != n_features and values.size % n_features == 0:
        return values.reshape(1, -1, n_features)
    return values.reshape(1, -1, values.shape[-1])


def check_one_row(container):
    """A container of sequences that holds a single one."""
    if len(container) != 1:
        raise ValueError(
            f"expected one sequence, got {len(container)} sequences. Select one: X[i]."
        )
    return container
