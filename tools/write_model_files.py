"""Write the model files that later versions have to read, and what they predict.

Usage: ``python tools/write_model_files.py [NAME ...]`` from the root of the repository,
once per version, before its release. The names are those of ``tests/saved_models.py``;
without any, all files are written. Files of earlier versions are not changed.
"""

import sys
import warnings
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]


def write_files(names: list[str]) -> None:
    """Write the files of these models to the folder of the current version."""
    sys.path.insert(0, str(ROOT / "tests"))
    from saved_models import FILES, MODELS, list_answers

    from sklearn_rnn import __version__, save

    folder = FILES / __version__.partition(".dev")[0]
    folder.mkdir(exist_ok=True, parents=True)
    for name in names or MODELS:
        model = MODELS[name][0]()
        save(model, folder / f"{name}.skrnn")
        answers = dict(enumerate(list_answers(name, model)))
        np.savez_compressed(
            folder / f"{name}.npz", **{str(k): one for k, one in answers.items()}
        )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    write_files(sys.argv[1:])
