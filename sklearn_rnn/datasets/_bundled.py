"""Reading the files that come with the package."""

import gzip
from importlib import resources


def read_bundled(name):
    """The text of a file in ``data``, unpacked if it ends in .gz."""
    content = (resources.files("sklearn_rnn.datasets") / "data" / name).read_bytes()
    if name.endswith(".gz"):
        content = gzip.decompress(content)
    return content.decode("utf-8")
