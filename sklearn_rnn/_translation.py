"""Pairs of sequences: how a net learns them, and how a trained one writes targets."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sklearn_rnn._batching import padded, prediction_batches, training_batches
from sklearn_rnn._corpus import Corpus, Window, in_window
from sklearn_rnn._decoding import log_softmax
from sklearn_rnn._nn import Inputs, TranslationNetwork, map_states
from sklearn_rnn._sequences import Sequences
from sklearn_rnn._tokens import END, START
from sklearn_rnn._training import RecurrentNet

# So many sources are translated side by side.
SOURCES_AT_ONCE = 128


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
        codes, follow, valid = in_window(self.targets, window)
        if valid is not None:
            valid = torch.from_numpy(valid).to(device)
        inputs = padded(self.sources, rows, device)
        tensors = (torch.from_numpy(part).to(device) for part in (codes, follow))
        return inputs, *tensors, valid


class TranslationNet(RecurrentNet):
    """A net that learns to say targets, given the right codes up to each step.

    ``own_share`` of these codes are the net's own guesses instead (scheduled sampling,
    Bengio et al., 2015, in two parallel passes after Mihaylova and Martins, 2019).
    """

    own_share = 0.0
    label_smoothing = 0.0

    def _prepared(self, examples):
        return examples

    def _batches(self, pairs, batch_size, rng) -> Iterator[tuple]:
        lengths = pairs.sources.lengths + pairs.targets.lengths
        for rows in training_batches(pairs.rows, lengths, batch_size, rng):
            yield pairs.batch(rows, self.device)

    def _loss(self, batch):
        inputs, codes, follow, valid = batch
        if self.own_share:
            codes = self._with_own(inputs, codes)
        logits = self.module_(inputs, codes, self.dropout_generator).flatten(0, 1)
        follow = follow.flatten()
        if valid is not None:
            places = torch.nonzero(valid.flatten())[:, 0]
            logits, follow = logits.index_select(0, places), follow[places]
        loss = F.cross_entropy(logits, follow, label_smoothing=self.label_smoothing)
        return loss, logits, len(follow)

    @torch.no_grad()
    def _with_own(self, inputs, codes):
        """Codes (T, B), some of which are what the net would have said there."""
        self.module_.eval()
        guesses = self.module_(inputs, codes).argmax(2)  # (T, B)
        self.module_.train()
        own = torch.empty(codes.shape, device=codes.device)
        own.bernoulli_(self.own_share, generator=self.dropout_generator)
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
        self.history.record("valid_loss", torch.cat(losses).mean().item())
        self.history.record("valid_score", torch.cat(right).double().mean().item())


# ---------------------------------------------------------------- writing targets


@dataclass(frozen=True)
class Said:
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


def translated(
    module: TranslationNetwork,
    sources: Sequences,
    *,
    beam_size: int,
    length_penalty: float,
    max_length: int,
    attention: bool = False,
) -> list[list[Said]]:
    """The likeliest targets of each source found by a beam search, the best first."""
    device = next(module.parameters()).device
    answers: list[Any] = [None] * len(sources)
    rows = np.arange(len(sources))
    size = max(1, SOURCES_AT_ONCE // beam_size)
    with torch.inference_mode():
        for batch in prediction_batches(rows, sources.lengths, size):
            inputs = padded(sources, batch, device)
            search = Search(module, inputs, beam_size, length_penalty, attention)
            for row, said in zip(batch, search.run(max_length), strict=True):
                answers[row] = said
    return answers


class Search:
    """Beams of several sources side by side, each with its own number of targets alive.

    Where a target ends its place is not filled again, so that a beam of one is greedy.
    A source is finished when nothing alive can become better than what has ended.
    """

    def __init__(self, module, inputs: Inputs, beam_size, length_penalty, attention):
        self.module, self.beam_size, self.attention = module, beam_size, attention
        self.length_penalty = length_penalty
        self.memory, self.states = module.encode(inputs)
        n = self.memory.shape[1]
        self.lengths = inputs.lengths
        self.owners = np.arange(n)  # the source of each target alive
        self.alive = [Said([], 0.0)] * n
        self.ended: list[list[Said]] = [[] for _ in range(n)]

    def run(self, max_length: int) -> list[list[Said]]:
        """All that was found of each source, the best first."""
        last = np.full(len(self.alive), START)
        for length in range(1, max_length + 1):
            logp, looked = self._step(last)
            grown = self._grown(logp, looked)
            keep = [
                k
                for k, (row, said) in enumerate(grown)
                if not said.is_ended
                and self._may_win(said, self.owners[row], max_length)
            ]
            for row, said in grown:
                if said.is_ended:
                    self.ended[self.owners[row]].append(said)
            rows = np.array([grown[k][0] for k in keep], dtype=np.int64)
            self.alive = [grown[k][1] for k in keep]
            if not len(rows) or length == max_length:
                self.owners = self.owners[rows]
                break
            last = np.array([said.codes[-1] for said in self.alive])
            self._go_on(rows)
        for owner, said in zip(self.owners, self.alive, strict=True):
            self.ended[owner].append(said)  # as it stands
        return [
            sorted(found, key=lambda said: -said.score(self.length_penalty))
            for found in self.ended
        ]

    def _step(self, last):
        """Log-probabilities (n_alive, V) of the next code, attention (n_alive, S)."""
        codes = torch.from_numpy(last).to(self.memory.device).unsqueeze(0)
        logits, self.states, weights = self.module.decode(
            codes, self.states, self.memory, self.lengths
        )
        logits = logits[0].float().cpu().numpy()
        logits[:, :END] = -np.inf
        looked = None
        if self.attention and weights is not None:
            looked = weights[:, 0].cpu().numpy()
        return log_softmax(logits), looked

    def _grown(self, logp, looked):
        """Rows and targets one code longer: the best of each source."""
        grown = []
        best = None
        if self.beam_size == 1:
            best = logp.argmax(1)
        for owner, rows in _runs(self.owners):
            if best is not None:
                picks = [(rows[0], best[rows[0]])]
            else:
                room = self.beam_size - len(self.ended[owner])
                so_far = np.array([self.alive[row].log_probability for row in rows])
                total = (so_far[:, None] + logp[rows]).ravel()
                order = np.argsort(-total, kind="stable")[:room]
                order = order[np.isfinite(total[order])]
                parents, codes = np.divmod(order, logp.shape[1])
                picks = [(rows[p], c) for p, c in zip(parents, codes, strict=True)]
            for row, code in picks:
                before = self.alive[row]
                seen = before.attention
                if looked is not None:
                    seen = [*seen, looked[row]]
                grown.append(
                    (
                        row,
                        Said(
                            [*before.codes, int(code)],
                            before.log_probability + float(logp[row, code]),
                            seen,
                        ),
                    )
                )
        return grown

    def _may_win(self, said, owner, max_length):
        """Whether it can still overtake the best that has ended."""
        found = self.ended[owner]
        if not found or self.beam_size == 1:
            return True
        at_best = replace(said, codes=[END] * max_length)  # a sum of negative numbers
        best = max(done.score(self.length_penalty) for done in found)
        return (
            max(at_best.score(self.length_penalty), said.score(self.length_penalty))
            > best
        )

    def _go_on(self, rows):
        """Keep what belongs to the targets that are still alive."""
        self.owners = self.owners[rows]
        index = torch.from_numpy(rows).to(self.memory.device)

        def kept(tensor: Tensor) -> Tensor:
            return tensor[index]

        self.states = map_states(self.states, kept)
        self.memory = self.memory[:, index]
        if self.lengths is not None:
            self.lengths = self.lengths[index]


def _runs(owners):
    """Each owner with the places of its run in a sorted array."""
    edges = np.flatnonzero(np.diff(owners)) + 1
    for rows in np.split(np.arange(len(owners)), edges):
        if len(rows):
            yield owners[rows[0]], rows
