"""Export of SequenceGenerator to an HTML page that runs the network in a browser.

The page consists of the files in the folder ``cowriter``, of a description of the model
in JSON, and of its weights. Weights of matrices are rounded to multiples of a scale per
row: integers of 12 bits, or of 11 bits in networks with more than a million weights.
On Moby Dick, the ten likeliest tokens then are those of the unrounded network after
more than 99 % of prompts, as in float16, with a tenth to a fifth less bytes; with 8
bits, they are the same after 96 %. The low and high bytes of the integers are stored
separately, because the high bytes compress well.
"""

import base64
import hashlib
import html
import json
import zlib
from collections.abc import Mapping
from importlib.resources import files
from string import Template
from typing import Any

import numpy as np
from torch import nn

from sklearn_rnn._core.container import find_target, replace_file
from sklearn_rnn._nn.cells.base import RecurrentLayer
from sklearn_rnn._nn.cells.custom import CustomLayer
from sklearn_rnn._nn.description import list_arrays
from sklearn_rnn._version import __version__
from sklearn_rnn.generation._language_model import LanguageModel
from sklearn_rnn.text import CharVectorizer, WordVectorizer
from sklearn_rnn.text._codecs import Codec, count_spaces
from sklearn_rnn.text._documents import TOKEN_PATTERN

MANY_WEIGHTS = 2**20
FOLDER = files("sklearn_rnn.generation") / "cowriter"
SCRIPTS = "network.js", "text.js", "transcript.js", "session.js", "app.js"
# parameters of vectorizers that the page does not support, and their defaults
UNSUPPORTED = {
    "preprocessor": None,
    "tokenizer": None,
    "strip_accents": None,
    "stop_words": None,
    "token_pattern": TOKEN_PATTERN,
    "detokenizer": None,
}
UNIT_NAMES = {"characters": ("character", "characters"), "words": ("word", "words")}


def export_html(model: LanguageModel, path: Any, title: str, prompt: str) -> None:
    """Write a page that runs a language model and starts with a prompt."""
    for name, value in {"title": title, "prompt": prompt}.items():
        if not isinstance(value, str):
            raise TypeError(f"{name} must be a str, got {type(value).__name__}.")
    find_target(path)
    check_vectorizer(model.codec)
    check_cells(model.module)
    model.start(prompt)  # raises an error for a prompt that cannot be read
    arrays = list_arrays(model.module)
    description = describe_model(model, arrays) | {"prompt": prompt}
    page = fill_page(title, description, pack_arrays(arrays))
    with replace_file(path) as file:
        file.write(page.encode("utf-8"))


def check_vectorizer(codec: Codec) -> None:
    """Raise an error unless the page can split texts like the vectorizer."""
    vectorizer = codec.vectorizer
    if type(vectorizer) not in (CharVectorizer, WordVectorizer):
        found = "codes or lists of tokens"
        if vectorizer is not None:
            found = f"the texts of a {type(vectorizer).__name__}"
        raise ValueError(
            f"to_html supports CharVectorizer and WordVectorizer, but the model was "
            f"fitted on {found}. Pass one of them as vectorizer of SequenceGenerator."
        )
    for name, default in UNSUPPORTED.items():
        value = getattr(vectorizer, name, default)
        if value != default:
            raise ValueError(
                f"to_html does not support {name}={value!r} of the vectorizer, because "
                f"the page cannot do the same. Fit with {name}={default!r}."
            )


def check_cells(module: nn.Module) -> None:
    """Raise an error if a cell of a network is the user's."""
    if any(isinstance(layer, CustomLayer) for layer in module.modules()):
        raise ValueError(
            "to_html supports the cells 'rnn', 'lstm' and 'gru', but the cell of this "
            "model is a callable. Fit with one of them."
        )


def describe_model(
    model: LanguageModel, arrays: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """Describe a model for the page: its layers, its texts, and its arrays."""
    codec = model.codec
    layers = [m for m in model.module.modules() if isinstance(m, RecurrentLayer)]
    return {
        "version": __version__,
        "fingerprint": model.fingerprint(),
        "cell": layers[0].name,
        "activation": layers[0].activation,
        "num_layers": len(layers),
        "hidden_size": layers[0].hidden_size,
        "unit": "words"
        if isinstance(codec.vectorizer, WordVectorizer)
        else "characters",
        "lowercase": codec.vectorizer.lowercase,
        "handle_unknown": codec.vectorizer.handle_unknown,
        "separator": count_spaces(codec),
        "classes": model.classes.tolist(),
        "arrays": [[name, *array.shape] for name, array in arrays.items()],
    }


def fill_page(title: str, description: Mapping[str, Any], weights: bytes) -> str:
    """Fill the template of the page."""
    script = "\n".join(read_part(name) for name in SCRIPTS)
    script, style = f'"use strict";\n{script}', read_part("page.css")
    policy = (
        f"default-src 'none'; script-src '{hash_source(script)}'; "
        f"style-src '{hash_source(style)}'; base-uri 'none'; form-action 'none'"
    )
    token, tokens = UNIT_NAMES[description["unit"]]
    help_of_words = "Only suggestions that start with them are shown."
    return Template(read_part("page.html")).substitute(
        policy=policy,
        title=html.escape(title),
        style=style,
        about=html.escape(introduce(description)),
        token=token,
        tokens=tokens,
        own_help=help_of_words if token == "word" else "",
        # no "<", which could end the element that contains the data
        description=json.dumps(description).replace("<", "\\u003c"),
        weights=base64.b64encode(weights).decode("ascii"),
        script=script,
    )


def introduce(description: Mapping[str, Any]) -> str:
    """Return a sentence about the model."""
    n_layers, kind = description["num_layers"], description["cell"].upper()
    layers = f"{n_layers} {kind} layer{'s' if n_layers > 1 else ''}"
    return (
        f"A recurrent network ({layers} of {description['hidden_size']} units, "
        f"{len(description['classes']) - 1:,} {description['unit']}) suggests how the "
        "text continues. The page runs in your browser and sends nothing."
    )


def read_part(name: str) -> str:
    """Read a file of the page."""
    return (FOLDER / name).read_text("utf-8")


def hash_source(source: str) -> str:
    """Hash a script or style sheet for the content security policy."""
    digest = hashlib.sha256(source.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def round_arrays(
    arrays: Mapping[str, np.ndarray],
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Round the matrices; return the scales of the rows and the integers of each."""
    n_weights = sum(array.size for array in arrays.values())
    largest = 2 ** (10 if n_weights > MANY_WEIGHTS else 11) - 1
    rounded = {}
    for name, array in arrays.items():
        if array.ndim == 2:
            scales = (np.abs(array).max(1, initial=0) / largest).astype(np.float32)
            scales[scales == 0] = 1
            integers = np.rint(array / scales[:, None]).astype(np.int16)
            rounded[name] = scales, integers
    return rounded


def restore_arrays(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays with the values that the page computes with."""
    values = {name: array.astype(np.float32) for name, array in arrays.items()}
    for name, (scales, integers) in round_arrays(arrays).items():
        values[name] = integers * scales[:, None]
    return values


def pack_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Compress arrays, in the format that ``readArrays`` of the page reads."""
    parts, rounded = [], round_arrays(arrays)
    for name, array in arrays.items():
        if name not in rounded:
            parts.append(array.astype("<f4").tobytes())
            continue
        scales, integers = rounded[name]
        planes = integers.astype("<i2").view(np.uint8).reshape(-1, 2).T
        parts += [scales.astype("<f4").tobytes(), planes.tobytes()]
    compressor = zlib.compressobj(level=9, wbits=-zlib.MAX_WBITS)
    return compressor.compress(b"".join(parts)) + compressor.flush()
