"""Reading of the data files that are bundled with the package."""

import gzip
from importlib import resources


def read_bundled(name):
    """Return the text of a file in ``data``; files with the suffix .gz are unpacked."""
    content = (resources.files("sklearn_rnn.datasets") / "data" / name).read_bytes()
    if name.endswith(".gz"):
        content = gzip.decompress(content)
    return content.decode("utf-8")
