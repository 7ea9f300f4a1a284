"""Several processes, here threads, train the network that one process would train."""

import os
import socket
import subprocess
import sys
import threading
from queue import Queue

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from skorch.callbacks import Callback

from sklearn_rnn import (
    RNNClassifier,
    RNNForecaster,
    SequenceGenerator,
    SequenceTranslator,
    StopTraining,
    distribute_training,
)
from sklearn_rnn._training import processes
from sklearn_rnn._training.processes import ALONE, current_processes


class ThreadedDist:
    """The functions of torch.distributed, for threads instead of processes."""

    CLOSED = object()

    def __init__(self, size):
        self.size, self.thread = size, threading.local()
        self.sent = [[Queue() for _ in range(size)] for _ in range(size)]  # from, to
        self.end = threading.Barrier(size, timeout=20)

    def exchange(self, value):
        me = self.thread.rank
        for queue in self.sent[me]:
            queue.put(value)
        values = [queues[me].get(timeout=20) for queues in self.sent]
        if any(value is self.CLOSED for value in values):
            raise RuntimeError("Connection closed by peer")
        return values

    def all_reduce(self, tensor, group):
        tensor.copy_(torch.stack(self.exchange(tensor.clone())).sum(0))

    def broadcast(self, tensor, src, group):
        tensor.copy_(self.exchange(tensor.clone())[src])

    def broadcast_object_list(self, values, src, group):
        values[:] = self.exchange(list(values))[src]

    def all_gather_object(self, values, value, group):
        values[:] = self.exchange(value)

    def destroy_process_group(self, group):
        for queue in self.sent[self.thread.rank]:
            queue.put(self.CLOSED)

    def get_rank(self):
        return self.thread.rank

    def get_world_size(self):
        return self.size

    def new_group(self, **options):
        return options

    def is_available(self):
        return True

    is_initialized = is_torchelastic_launched = is_available

    def is_nccl_available(self):
        return False


@pytest.fixture
def run_in_threads(monkeypatch):
    """Function that calls a function of the rank in threads that train together.

    It returns the results or errors.
    """

    def run(function, size=2):
        fake = ThreadedDist(size)
        monkeypatch.setattr(processes, "dist", fake)
        results = [None] * size

        def work(rank):
            fake.thread.rank = rank
            try:
                with distribute_training() as given:
                    assert given == rank
                    results[rank] = function(rank)
                    fake.end.wait()  # nobody leaves before the others are done
            except Exception as error:
                results[rank] = error

        threads = [threading.Thread(target=work, args=(k,)) for k in range(size)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    return run


rng = np.random.default_rng(0)
X = [rng.normal(size=(n, 2)) for n in rng.integers(2, 9, 31)]
y = np.arange(31) % 3
LETTERS = "".join(rng.choice(list("abcdef "), size=500))
SETTINGS = {"hidden_size": 6, "max_epochs": 2, "random_state": 0, "dropout": 0.3}


def classifier(**options):
    return RNNClassifier("gru", **{**SETTINGS, "batch_size": 10, **options})


MODELS = {
    "classifier": (classifier(early_stopping=True, num_layers=2), (X, y)),
    "steps": (
        classifier(return_sequences=True),
        (X, [np.arange(len(x)) % 2 for x in X]),
    ),
    "windows": (
        classifier(return_sequences=True, backprop_window=3, num_layers=2),
        (X, [np.arange(len(x)) % 2 for x in X]),
    ),
    "text": (
        SequenceGenerator(**SETTINGS, batch_size=4, window=15, num_layers=2),
        (LETTERS,),
    ),
    "texts": (
        SequenceGenerator(**SETTINGS, batch_size=4, early_stopping=True),
        ([LETTERS[i : i + 5 + i % 20] for i in range(0, 400, 20)],),
    ),
    "series": (
        RNNForecaster(**SETTINGS, window=10, horizon=2),
        (np.sin(np.arange(60) / 3),),
    ),
    "few rows": (classifier(batch_size=1), (X[:3], y[:3])),
}


@pytest.mark.parametrize("name", ["classifier", "windows"])
def test_processes_read_segments_with_the_masks_of_one(
    run_in_threads, name, monkeypatch
):
    monkeypatch.setattr("sklearn_rnn._nn.sequence.MOST_OUTPUTS_KEPT", 150)
    monkeypatch.setattr("sklearn_rnn._nn.sequence.STEPS_PER_SEGMENT", 2)
    test_two_processes_train_the_network_of_one(run_in_threads, name)


@pytest.mark.filterwarnings("ignore::sklearn_rnn.forecasting.ForecastSkillWarning")
@pytest.mark.parametrize("name", MODELS)
def test_two_processes_train_the_network_of_one(run_in_threads, name):
    model, data = MODELS[name]
    alone = model.fit(*data)
    curves = alone.loss_curve_, alone.validation_loss_curve_
    weights = [w.detach().clone() for w in alone.module_.parameters()]

    def fit(rank):
        copy = type(model)(**model.get_params()).fit(*data)
        assert copy.net_.processes is ALONE
        return copy

    first, second = run_in_threads(fit)
    for ours, theirs, expected in zip(
        first.module_.parameters(), second.module_.parameters(), weights, strict=True
    ):
        assert_array_equal(ours.detach(), theirs.detach())
        assert_allclose(ours.detach(), expected, rtol=1e-3, atol=2e-5)
    assert first.loss_curve_ == second.loss_curve_
    assert_allclose(first.loss_curve_, curves[0], rtol=1e-5)
    if curves[1] is not None:
        assert_allclose(first.validation_loss_curve_, curves[1], rtol=1e-5)


def test_all_processes_use_the_seed_of_the_first(run_in_threads):
    first, second = run_in_threads(
        lambda rank: classifier(random_state=None).fit(X, y).loss_curve_, 2
    )
    assert first == second


def test_different_data_are_an_error(run_in_threads):
    errors = run_in_threads(lambda rank: classifier().fit(X, np.roll(y, rank)))
    for error in errors:
        with pytest.raises(ValueError, match=r"processes \[0, 1\] .* the same data"):
            raise error


class StopAfterOne(Callback):
    """A callback that stops the first process only."""

    def __init__(self, rank):
        self.rank = rank

    def on_epoch_end(self, net, **kwargs):
        if self.rank == 0:
            raise StopTraining


class StopInOne:
    """An error in the second process."""

    def __call__(self, epoch):
        if current_processes().rank == 1:
            raise ZeroDivisionError
        return 1.0


def test_an_error_in_one_process_ends_all(run_in_threads):
    def fit(rank):
        model = classifier(max_epochs=1).fit(X, y)
        before = model.module_
        model.set_params(learning_rate_schedule=StopInOne(), max_epochs=9)
        error = RuntimeError if rank == 0 else ZeroDivisionError
        with pytest.raises(error) as caught:
            model.fit(X, y)
        assert model.module_ is before
        with pytest.raises(RuntimeError, match="earlier fit"):
            model.fit(X, y)
        raise caught.value

    first, second = run_in_threads(fit)
    with pytest.raises(
        RuntimeError, match=r"another process .* did not answer for 600"
    ):
        raise first
    assert isinstance(second, ZeroDivisionError)


def test_a_callback_of_the_first_process_stops_all(run_in_threads):
    def fit(rank):
        return classifier(callbacks=[StopAfterOne(rank)], max_epochs=5).fit(X, y)

    assert [model.n_iter_ for model in run_in_threads(fit)] == [1, 1]


def test_the_first_process_writes_checkpoints_and_prints(
    run_in_threads, tmp_path, capsys
):
    model = classifier(checkpoint=tmp_path, verbose=1)
    first = run_in_threads(lambda rank: classifier(**own(model)).fit(X, y))[0]
    assert capsys.readouterr().out.count("epoch") == 2
    (file,) = tmp_path.iterdir()
    before = file.stat().st_mtime_ns
    again = run_in_threads(lambda rank: classifier(**own(model)).fit(X, y))
    assert file.stat().st_mtime_ns >= before
    assert capsys.readouterr().out.count("resumed after epoch 2") == 1
    assert again[1].loss_curve_ == first.loss_curve_
    model.fit(X, y)  # one process trains a network of other bits
    assert len(list(tmp_path.iterdir())) == 2


def own(model):
    names = ("checkpoint", "verbose")
    return {name: getattr(model, name) for name in names}


def test_a_translator_refuses(run_in_threads):
    errors = run_in_threads(
        lambda rank: SequenceTranslator(hidden_size=4).fit(["ab"] * 4, ["cd"] * 4)
    )
    for error in errors:
        with pytest.raises(ValueError, match="outside of distribute_training"):
            raise error


@pytest.fixture
def launched(monkeypatch):
    """The environment of the only process that torchrun starts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    variables = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "RANK": "0"}
    variables |= {"WORLD_SIZE": "1", "TORCHELASTIC_RUN_ID": "1"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_a_single_process_of_torchrun_trains_the_same_network(launched):
    expected = classifier().fit(X, y).loss_curve_
    with distribute_training(timeout=20) as rank:
        assert (rank, current_processes().size) == (0, 1)
        assert classifier().fit(X, y).loss_curve_ == expected
        with pytest.raises(RuntimeError, match="within a block"):
            distribute_training().__enter__()
    assert current_processes() is ALONE
    assert not torch.distributed.is_initialized()


def test_without_torchrun_the_block_does_nothing():
    with distribute_training() as rank:
        assert rank == 0 and current_processes() is ALONE


SCRIPT = """
import sys
from sklearn_rnn import SequenceGenerator, distribute_training
model = SequenceGenerator(hidden_size=8, max_epochs=2, dropout=0.2, random_state=0)
with distribute_training(timeout=60) as rank:
    if rank == 1 and len(sys.argv) > 1:
        raise ZeroDivisionError
    model.fit("the cat sat on the mat. " * 30)
if rank == 0:
    print(model.loss_curve_)
"""


def launch(folder, *arguments):
    script = folder / "script.py"
    script.write_text(SCRIPT)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2"]
    return subprocess.run(
        [*torchrun, "--standalone", script, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


@pytest.mark.slow
def test_torchrun_trains_the_network_of_one_process(tmp_path):
    run = launch(tmp_path)
    assert run.returncode == 0, run.stderr
    model = SequenceGenerator(hidden_size=8, max_epochs=2, dropout=0.2, random_state=0)
    model.fit("the cat sat on the mat. " * 30)
    assert_allclose(eval(run.stdout), model.loss_curve_, rtol=1e-4)


@pytest.mark.slow
def test_torchrun_ends_after_an_error_in_one_process(tmp_path):
    run = launch(tmp_path, "fail")
    assert run.returncode != 0
    assert "ZeroDivisionError" in run.stderr
