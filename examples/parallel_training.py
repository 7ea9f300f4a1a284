"""
Training a text generator with several processes
================================================

This program trains one :class:`~sklearn_rnn.SequenceGenerator` on the text of a file,
or on Moby Dick, with as many processes as torchrun starts::

    python examples/parallel_training.py
    torchrun --nproc-per-node=2 examples/parallel_training.py --text book.txt

Both commands train the same network, up to rounding. Each process reads its share of
every batch, on its own GPU if the machine has as many. To train on several machines,
run the second command on each of them, with ``--nnodes`` and ``--rdzv-endpoint`` (see
the `documentation of torchrun
<https://docs.pytorch.org/docs/stable/elastic/run.html>`_).

The loss is printed after each epoch, by the first process only. At the end, this
process saves the model, which any program can load and use on a single machine.

:doc:`From a laptop to a cluster </guide/cluster>` explains what the processes exchange,
and when they save time.
"""

import argparse
from pathlib import Path

from sklearn_rnn import SequenceGenerator, distribute_training, save
from sklearn_rnn.datasets import load_moby_dick


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--text", help="file to train on")
    parser.add_argument("--characters", type=int, help="train on the first ones only")
    parser.add_argument("--hidden-size", type=int, default=512)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--model", default="generator.skrnn", help="file to write")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if arguments.text:
        text = Path(arguments.text).read_text("utf-8")
    else:
        text = load_moby_dick().data
    generator = SequenceGenerator(
        hidden_size=arguments.hidden_size,
        batch_size=arguments.batch_size,
        max_epochs=arguments.epochs,
        verbose=1,
        random_state=0,
    )
    with distribute_training() as rank:
        generator.fit(text[: arguments.characters])
    if rank == 0:
        save(generator, arguments.model)
        print(generator.generate(text[:50], 100, random_state=0))


if __name__ == "__main__":
    main()
