"""Pairs of sequences: how a net learns them, and how a trained one writes targets."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from sklearn_rnn._data.sequences import Sequences
from sklearn_rnn._data.tokens import END, PADDING, START, UNKNOWN
from sklearn_rnn._nn.functional import log_softmax
from sklearn_rnn._nn.sequence import Inputs
from sklearn_rnn._nn.states import map_states
from sklearn_rnn._nn.translation import TranslationNetwork
from sklearn_rnn._training.batching import (
    pad_batch,
    prediction_batches,
    training_batches,
)
from sklearn_rnn._training.corpus import Corpus, Window, gather_window
from sklearn_rnn._training.net import RecurrentNet

# So many targets are written side by side, those of all beams together.
TARGETS_AT_ONCE = 512


@dataclass(frozen=True)
class Pairs:
    """Sources and targets, of which ``rows`` take part."""

    sources: Sequences
    targets: Corpus
    rows: np.ndarray

    def batch(self, rows: np.ndarray, device: torch.device):
        """Inputs, target codes (T, B), what follows them, and which are valid."""
        lengths = self.targets.lengths[rows]
        window = Window(self.targets.starts[rows], lengths, np.ones(len(rows), bool))
        codes, follow, valid = gather_window(self.targets, window)
        if valid is not None:
            valid = torch.from_numpy(valid).to(device)
        inputs = pad_batch(self.sources, rows, device)
        tensors = (torch.from_numpy(part).to(device) for part in (codes, follow))
        return inputs, *tensors, valid


class TranslationNet(RecurrentNet):
    """A net that learns to say targets, given the right codes up to each step.

    ``own_share`` of these codes are the net's own guesses instead (scheduled sampling,
    Bengio et al., 2015, in two parallel passes after Mihaylova and Martins, 2019).
    """

    def __init__(
        self, *args, sampling_rate=0.0, label_smoothing=0.0, stop_on="loss", **kwargs
    ):
        super().__init__(*args, **kwargs)
        self.sampling_rate = sampling_rate
        self.label_smoothing = label_smoothing
        self.stop_on = stop_on

    def _prepare_examples(self, examples):
        return examples

    def _batches(self, pairs, batch_size, rng) -> Iterator[tuple]:
        lengths = pairs.sources.lengths + pairs.targets.lengths
        for rows in training_batches(pairs.rows, lengths, batch_size, rng):
            yield pairs.batch(rows, self.device)

    def _loss(self, batch):
        inputs, codes, follow, valid = batch
        if self.sampling_rate:
            codes = self._mix_in_guesses(inputs, codes)
        logits = self.module_(inputs, codes, self.dropout_generator).flatten(0, 1)
        follow = follow.flatten()
        if valid is not None:
            places = torch.nonzero(valid.flatten())[:, 0]
            logits, follow = logits.index_select(0, places), follow[places]
        loss = F.cross_entropy(logits, follow, label_smoothing=self.label_smoothing)
        return loss, logits, len(follow)

    @torch.no_grad()
    def _mix_in_guesses(self, inputs, codes):
        """Codes (T, B), some of which are what the net would have said there."""
        self.module_.eval()
        guesses = self.module_(inputs, codes).argmax(2)  # (T, B)
        self.module_.train()
        own = torch.empty(codes.shape, device=codes.device)
        own.bernoulli_(self.sampling_rate, generator=self.dropout_generator)
        own[0] = 0  # the start code
        said = torch.cat([codes[:1], guesses[:-1]])
        return torch.where(own.bool(), said, codes)

    @torch.inference_mode()
    def _record_validation(self, valid, plan):
        losses, right = [], []
        lengths = valid.sources.lengths
        for rows in prediction_batches(valid.rows, lengths, plan.batch_size):
            inputs, codes, follow, is_valid = valid.batch(rows, self.device)
            logits = self.module_(inputs, codes)
            loss = F.cross_entropy(
                logits.flatten(0, 1), follow.flatten(), reduction="none"
            ).view_as(follow)
            wrong = logits.argmax(2) != follow
            if is_valid is not None:
                loss, wrong = loss[is_valid], wrong & is_valid
            losses.append(loss.flatten())
            right.append(~wrong.any(0))
        loss = torch.cat(losses).mean().item()
        accuracy = torch.cat(right).double().mean().item()
        by_loss = self.stop_on == "loss"
        self.history.record("valid_loss", loss if by_loss else 1 - accuracy)
        self.history.record("valid_score", accuracy)


# ---------------------------------------------------------------- writing targets


@dataclass(frozen=True)
class Hypothesis:
    """A target as it was said: its codes, with the end if it came, and how likely."""

    codes: list[int]
    log_probability: float
    attention: list[np.ndarray] = field(default_factory=list)  # (S,) each step

    @property
    def is_ended(self) -> bool:
        """Whether the end was said, rather than the longest length reached."""
        return bool(self.codes) and self.codes[-1] == END

    def score(self, length_penalty: float) -> float:
        """What beams are compared by: log-probability / length ** length_penalty."""
        return self.log_probability / max(len(self.codes), 1) ** length_penalty


def beam_search(
    module: TranslationNetwork,
    sources: Sequences,
    *,
    beam_size: int,
    length_penalty: float,
    max_length: int,
    n_best: int = 1,
    attention: bool = False,
    allow_unknown: bool = False,
) -> list[list[Hypothesis]]:
    """The likeliest targets of each source found by a beam search, the best first."""
    device = next(module.parameters()).device
    answers: list[Any] = [None] * len(sources)
    rows = np.arange(len(sources))
    size = max(1, TARGETS_AT_ONCE // beam_size)
    with torch.inference_mode():
        for batch in prediction_batches(rows, sources.lengths, size):
            inputs = pad_batch(sources, batch, device)
            search = BeamSearch(module, inputs, beam_size, length_penalty, n_best)
            search.allow_unknown = allow_unknown
            found = search.run(max_length, attention)
            for row, said in zip(batch, found, strict=True):
                answers[row] = said
    return answers


class BeamSearch:
    """Beams of several sources side by side: targets alive, and those that have ended.

    Where a target ends its place is not filled again, so that a beam of one is greedy.
    A source is finished when nothing alive can come among its best ``n_best`` any more.
    """

    allow_unknown = False

    def __init__(self, module, inputs: Inputs, beam_size, length_penalty, n_best=1):
        self.module, self.width = module, beam_size
        self.length_penalty, self.n_best = length_penalty, n_best
        memory, states = module.encode(inputs)
        n, self.device = len(memory.outputs), memory.outputs.device
        rows = torch.arange(n, device=self.device).repeat_interleave(beam_size)
        self.memory = memory if beam_size == 1 else memory.of(rows)
        self.states = map_states(states, lambda state: state[rows])
        self.sources = np.arange(n)  # those that are not finished
        self.scores = np.full((n, beam_size), -np.inf)  # of the targets alive
        self.scores[:, 0] = 0
        self.codes = np.full((n, beam_size, 1), START)
        self.looked: list[np.ndarray] = []  # (n, width, S) for each step
        self.ended: list[list[Hypothesis]] = [[] for _ in range(n)]

    def run(self, max_length: int, attention: bool = False) -> list[list[Hypothesis]]:
        """All that was found of each source, the best first."""
        for length in range(1, max_length + 1):
            logp, looked = self._step()
            parents, codes = self._grow(logp)
            if attention:
                self.looked.append(looked)
            self._take(parents, codes)
            self._set_ended_aside()
            if length == max_length:
                break
            going = self._may_still_win(max_length)
            if not going.any():
                break
            self._keep(going, parents)
        for row, slot in zip(*np.nonzero(np.isfinite(self.scores)), strict=True):
            self._note(row, slot)  # as it stands
        return [
            sorted(found, key=lambda said: -said.score(self.length_penalty))
            for found in self.ended
        ]

    def _step(self):
        """Log-probabilities (n, width, V) of the next code, and attention."""
        last = torch.from_numpy(self.codes[:, :, -1].reshape(1, -1))
        logits, self.states, weights = self.module.decode(
            last.to(self.device), self.states, self.memory
        )
        logits = logits[0].float().cpu().numpy()
        logits[:, [PADDING, START]] = -np.inf
        if not self.allow_unknown:
            logits[:, UNKNOWN] = -np.inf
        shape = (len(self.sources), self.width, -1)
        if weights is not None:
            weights = weights[:, 0].cpu().numpy().reshape(shape)
        return log_softmax(logits).reshape(shape), weights

    def _grow(self, logp):
        """Slots (n, width) that the best longer targets come from, and their codes.

        As many of each source as there are places left; the scores become theirs.
        """
        n, width, V = logp.shape
        total = (self.scores[:, :, None] + logp).reshape(n, -1)
        if width == 1:
            best = total.argmax(1)[:, None]
        else:
            best = np.argsort(-total, axis=1, kind="stable")[:, :width]
        self.scores = np.take_along_axis(total, best, axis=1)
        room = width - np.array([len(self.ended[source]) for source in self.sources])
        self.scores[np.arange(width) >= room[:, None]] = -np.inf
        return np.divmod(best, V)

    def _take(self, parents, codes):
        """Put the new codes behind those of the targets they belong to."""
        before = np.take_along_axis(self.codes, parents[:, :, None], axis=1)
        self.codes = np.concatenate([before, codes[:, :, None]], axis=2)
        self.looked = [
            np.take_along_axis(step, parents[:, :, None], axis=1)
            for step in self.looked
        ]

    def _set_ended_aside(self):
        over = (self.codes[:, :, -1] == END) & np.isfinite(self.scores)
        for row, slot in zip(*np.nonzero(over), strict=True):
            self._note(row, slot)
        self.scores[over] = -np.inf

    def _note(self, row, slot):
        said = Hypothesis(
            self.codes[row, slot, 1:].tolist(),
            float(self.scores[row, slot]),
            [step[row, slot] for step in self.looked],
        )
        self.ended[self.sources[row]].append(said)

    def _may_still_win(self, max_length):
        """Which sources (n,) have a target alive that can come among the best."""
        bound = self.scores.max(1) / max_length**self.length_penalty
        going = np.isfinite(bound)
        for row in np.flatnonzero(going):
            found = self.ended[self.sources[row]]
            if len(found) >= self.n_best:
                scores = sorted(said.score(self.length_penalty) for said in found)
                going[row] = bound[row] > scores[-self.n_best]
        return going

    def _keep(self, going, parents):
        """Go on with some sources, from the states of their targets' parents."""
        rows = (np.arange(len(going))[:, None] * self.width + parents)[going].ravel()
        index = torch.from_numpy(rows).to(self.device)
        self.states = map_states(self.states, lambda state: state[index])
        if not going.all():
            self.memory = self.memory.of(index)
        self.sources, self.scores = self.sources[going], self.scores[going]
        self.codes = self.codes[going]
        self.looked = [step[going] for step in self.looked]
