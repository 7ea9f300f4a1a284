"""Peak memory of SequenceGenerator.fit on a text file of 200 MB, characters.

The file consists of copies of Moby Dick. A small network, one epoch, 512 lanes.
"""

import resource
import tempfile
import time
from pathlib import Path

import torch
from _common import environment
from _results import Table

from sklearn_rnn import SequenceGenerator
from sklearn_rnn.datasets import load_moby_dick

MEGABYTES = 200


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main():
    torch.set_num_threads(1)
    print(environment())
    imported = peak()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text.txt"
        book = load_moby_dick().data.encode()
        with path.open("wb") as file:
            while file.tell() < MEGABYTES * 10**6:
                file.write(book)
        del book
        model = SequenceGenerator(
            cell="gru",
            hidden_size=16,
            embedding=8,
            input="filename",
            max_epochs=1,
            batch_size=512,
            random_state=0,
        )
        started = time.perf_counter()
        model.fit(path)
    Table(__file__, "fit", "megabytes").add(
        megabytes=MEGABYTES,
        peak=peak(),
        imports=imported,
        seconds=time.perf_counter() - started,
    )


if __name__ == "__main__":
    main()
