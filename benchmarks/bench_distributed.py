"""Training of one generator by one and by two processes of one thread: loss and time.

The script starts itself by torchrun. The table ``training`` compares the losses and the
seconds per epoch; ``cpu_ratio`` is the processor time of one of the two processes
relative to that of a single one. The table ``model`` compares the seconds with a cost
model: a training step of p processes takes as long as a step of one process with 1/p of
the batch, and the time to sum the gradients.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"

import torch
from _common import environment
from _results import Table

from sklearn_rnn import SequenceGenerator, distribute_training
from sklearn_rnn._training.processes import ALONE, current_processes
from sklearn_rnn.datasets import load_moby_dick

WINDOW, N_EPOCHS = 100, 2


def train(hidden_size, batch_size, n_steps):
    """Train on ``n_steps`` batches per epoch; return losses and seconds."""
    text = load_moby_dick().data[: batch_size * WINDOW * n_steps]
    generator = SequenceGenerator(
        cell="lstm",
        hidden_size=hidden_size,
        window=WINDOW,
        batch_size=batch_size,
        max_epochs=N_EPOCHS,
        random_state=0,
    )
    with distribute_training() as rank:
        started = time.process_time()
        generator.fit(text)
        cpu = time.process_time() - started
        n_weights = sum(part.numel() for part in generator.module_.parameters())
        seconds = measure_sum(n_weights)
    if rank == 0:
        result = {
            "loss": generator.loss_curve_[-1],
            "epoch": min(row["dur"] for row in generator.net_.history),
            "cpu": cpu,
            "sum": seconds,
            "n_weights": n_weights,
        }
        print(json.dumps(result))


def measure_sum(n_weights):
    """Seconds to sum the gradients of all processes."""
    processes, seconds = current_processes(), []
    weight = torch.nn.Parameter(torch.zeros(n_weights))
    weight.grad = torch.zeros(n_weights)
    for _ in range(7):
        processes.broadcast(None)  # the processes start together
        started = time.perf_counter()
        if processes is not ALONE:
            processes.sum_gradients([weight], torch.zeros(()))
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def run(n_processes, *sizes):
    """Train in ``n_processes``, and return what the first one prints."""
    launch = ["-m", "torch.distributed.run", "--standalone"]
    launch = [*launch, f"--nproc-per-node={n_processes}"] if n_processes > 1 else []
    command = [sys.executable, *launch, __file__, "--train", *map(str, sizes)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def compare(hidden_size, batch_size, n_steps, repeats):
    one, two, half = [], [], []
    for _ in range(repeats):
        one.append(run(1, hidden_size, batch_size, n_steps))
        two.append(run(2, hidden_size, batch_size, n_steps))
        half.append(run(1, hidden_size, batch_size // 2, n_steps))
    took = {
        name: statistics.median(result["epoch"] for result in results)
        for name, results in {"one": one, "two": two, "half": half}.items()
    }
    ratios = {
        key: statistics.median(b[key] / a[key] for a, b in zip(one, two, strict=True))
        for key in ("epoch", "cpu")
    }
    sizes = {"hidden": hidden_size, "batch": batch_size}
    Table(__file__, "training", "hidden", "batch").add(
        **sizes,
        loss_of_one=one[-1]["loss"],
        loss_of_two=two[-1]["loss"],
        difference=abs(one[-1]["loss"] - two[-1]["loss"]),
        one=took["one"],
        two=took["two"],
        ratio=ratios["epoch"],
        cpu_ratio=ratios["cpu"],
    )
    seconds = statistics.median(result["sum"] for result in two)
    n_bytes = 4 * one[0]["n_weights"]
    model = took["half"] + n_steps * seconds
    Table(__file__, "model", "hidden", "batch").add(
        **sizes,
        megabytes=n_bytes / 1e6,
        step_of_one=took["one"] / n_steps,
        step_of_half=took["half"] / n_steps,
        sum_of_gradients=seconds,
        gigabytes_per_second=n_bytes / 1e9 / seconds,
        model=model,
        two=took["two"],
        error=model / took["two"] - 1,
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", nargs=3, type=int, help=argparse.SUPPRESS)
    parser.add_argument("--hidden", nargs="+", type=int, default=[256, 512])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.train:
        train(*arguments.train)
        return
    print(environment())
    for hidden_size in arguments.hidden:
        compare(hidden_size, arguments.batch, arguments.steps, arguments.repeats)


if __name__ == "__main__":
    main()
