"""Training of one network by several processes, each on its share of every batch.

The processes have the same data, the same network and the same random numbers. Each
reads some of the sequences of a batch. The sum of their gradients is the gradient of
the batch, so that all of them take the step that a single process would take.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


class Processes:
    """The processes that train together; by default, this process alone."""

    rank, size = 0, 1

    def choose_columns(self, n: int) -> slice:
        """Return which of the ``n`` sequences of a batch this process reads."""
        return slice(None)

    def sum_gradients(self, parameters: Iterable[Tensor], loss: Tensor) -> Tensor:
        """Replace the gradients by their sums; return the sum of the losses."""
        return loss

    def broadcast(self, value: Any) -> Any:
        """Return the value of the first process."""
        return value

    def broadcast_tensors(self, tensors: Sequence[Tensor]) -> None:
        """Replace the values of tensors by those of the first process."""

    def check_equal(self, what: str, value: Any) -> None:
        """Raise a ValueError if the value is not the same in all processes."""

    @contextmanager
    def training(self) -> Iterator[None]:
        """Return the context of a training; after an error, no more can follow."""
        yield


ALONE = Processes()
_current: ContextVar[Processes] = ContextVar("processes", default=ALONE)


def current_processes() -> Processes:
    """Return the processes that share the trainings of this context."""
    return _current.get()


@contextmanager
def distribute_training(*, timeout: float = 600.0) -> Iterator[int]:
    """Train each network in this block by all processes that torchrun started.

    Run the same script in several processes, ``torchrun --nproc-per-node=2 script.py``,
    and call ``fit`` in this block. Each process reads its share of every batch, and the
    gradients are summed, so that the processes train the network that one process would
    train with the same ``batch_size``, up to rounding. They exchange the gradients by
    NCCL between GPUs, of which each process uses one, and by Gloo otherwise. In a
    script that was not started by torchrun, the block does nothing.

    Parameters
    ----------
    timeout : float, default=600.0
        Number of seconds that a process waits for the others before ``fit`` raises an
        error.

    Yields
    ------
    rank : int
        Number of this process, from 0. It is 0 if there is only one.

    Raises
    ------
    RuntimeError
        If this block is entered within another one, or if the processes cannot connect.

    See Also
    --------
    SequenceGenerator : Model whose training takes longest.

    Notes
    -----
    Networks of :class:`RNNClassifier`, :class:`RNNRegressor`, :class:`RNNForecaster`
    and :class:`SequenceGenerator` are trained in this way. In a block of several
    processes, :class:`SequenceTranslator` raises a ValueError, and the models in
    ``sklearn_rnn.energy`` are fitted by each process alone.

    All processes must call the same methods with the same data and parameters. ``fit``
    compares the data, the initial weights and the settings of the training, and raises
    a ValueError if they differ. If ``random_state=None``, all use the seed of the first
    process. Each process evaluates all validation rows. A user's cell that draws random
    numbers gets other numbers than in a single process.

    If ``fit`` fails or is interrupted in one process, it closes the connections of this
    process. ``fit`` then raises a RuntimeError in the others, and their estimators are
    unchanged. The same happens if a process ends, or if it does not answer within
    ``timeout`` seconds. After an error, no further network can be trained in the block.

    With ``checkpoint``, the first process writes the files. All processes must be able
    to read them.

    Examples
    --------
    >>> from sklearn_rnn import SequenceGenerator, distribute_training
    >>> text = "the cat sat on the mat. " * 20
    >>> generator = SequenceGenerator(hidden_size=8, max_epochs=2, random_state=0)
    >>> with distribute_training() as rank:
    ...     _ = generator.fit(text)
    >>> if rank == 0:  # only one process should save the model
    ...     print(generator.n_iter_)
    2
    """
    if _current.get() is not ALONE:
        raise RuntimeError(
            "distribute_training() was called within a block of distribute_training(). "
            "Use one block for all trainings."
        )
    if not _is_one_of_several():
        yield 0
        return
    processes = ConnectedProcesses(timeout)
    token = _current.set(processes)
    try:
        yield processes.rank
    finally:
        _current.reset(token)
        processes.leave()


def _is_one_of_several() -> bool:
    """Return whether torchrun, or a process group, includes this process."""
    return dist.is_available() and (
        dist.is_initialized() or dist.is_torchelastic_launched()
    )


class ConnectedProcesses(Processes):
    """Processes that are connected by torch.distributed.

    ``timeout`` is the number of seconds that they wait for each other.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout, self._is_connected = timeout, True
        self._is_idle = False
        self._device: int | None = None  # GPU that torch used before
        has_gpu = torch.cuda.is_available() and dist.is_nccl_available()
        options: dict[str, Any] = {
            "backend": "cpu:gloo,cuda:nccl" if has_gpu else "gloo",
            "timeout": timedelta(seconds=timeout),
        }
        self._group: dist.ProcessGroup | None = None
        with self._explain_failures():
            if dist.is_initialized():
                self._group = dist.new_group(**options)
            else:
                dist.init_process_group(**options)
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        local = int(os.environ.get("LOCAL_RANK", self.rank))
        if has_gpu and local < torch.cuda.device_count():
            self._device = torch.cuda.current_device()
            torch.cuda.set_device(local)

    def leave(self) -> None:
        """Close the connections, which is an error in processes that wait for it."""
        if self._is_connected:
            self._is_connected = False
            dist.destroy_process_group(self._group)
        if self._device is not None:
            torch.cuda.set_device(self._device)

    def choose_columns(self, n: int) -> slice:
        """Return which of the ``n`` sequences of a batch this process reads.

        If there are fewer sequences than processes, some read the first one, and their
        gradient is not used.
        """
        self._is_idle = self.rank >= n
        return slice(1) if self._is_idle else slice(self.rank, None, self.size)

    def sum_gradients(self, parameters: Iterable[Tensor], loss: Tensor) -> Tensor:
        """Replace the gradients by their sums; return the sum of the losses."""
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([part.flatten() for part in (*gradients, loss.detach())])
        if self._is_idle:
            flat.zero_()
        with self._explain_failures():
            dist.all_reduce(flat, group=self._group)
        *sums, total = flat.split([*(part.numel() for part in gradients), 1])
        for gradient, part in zip(gradients, sums, strict=True):
            gradient.copy_(part.view_as(gradient))
        return total[0]

    def broadcast(self, value: Any) -> Any:
        """Return the value of the first process."""
        values = [value]
        with self._explain_failures():
            dist.broadcast_object_list(values, src=0, group=self._group)
        return values[0]

    def broadcast_tensors(self, tensors: Sequence[Tensor]) -> None:
        """Replace the values of tensors by those of the first process."""
        with self._explain_failures(), torch.no_grad():
            for tensor in tensors:
                dist.broadcast(tensor, src=0, group=self._group)

    def check_equal(self, what: str, value: Any) -> None:
        """Raise a ValueError if the value is not the same in all processes."""
        values: list[Any] = [None] * self.size
        with self._explain_failures():
            dist.all_gather_object(values, value, group=self._group)
        others = [rank for rank, other in enumerate(values) if other != values[0]]
        if others:
            raise ValueError(
                f"the processes {[0, *others]} of distribute_training() do not have "
                f"the same {what}. Call the same methods with the same data and "
                "parameters in all processes. The estimator is unchanged."
            )

    @contextmanager
    def training(self) -> Iterator[None]:
        """Return the context of a training; after an error, no more can follow."""
        try:
            yield
        except BaseException:
            self.leave()
            raise

    @contextmanager
    def _explain_failures(self) -> Iterator[None]:
        if not self._is_connected:
            raise RuntimeError(
                "an earlier fit in this block of distribute_training() failed, so that "
                "the processes are no longer connected. Start all processes again."
            )
        try:
            yield
        except RuntimeError as error:
            raise RuntimeError(
                "another process of distribute_training() failed, was interrupted, or "
                f"did not answer for {self._timeout:g} seconds. See the error that it "
                "raised, start all processes again, or increase timeout. The estimator "
                f"is unchanged. ({error})"
            ) from error
