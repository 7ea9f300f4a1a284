"""Beam search for the targets of a trained translation network."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from sklearn_rnn._data.sequences import Sequences
from sklearn_rnn._data.tokens import END, PADDING, START, UNKNOWN
from sklearn_rnn._nn.functional import check_outputs, log_softmax
from sklearn_rnn._nn.sequence import Inputs
from sklearn_rnn._nn.states import map_states
from sklearn_rnn._nn.translation import TranslationNetwork
from sklearn_rnn._training.batching import pad_batch, prediction_batches
from sklearn_rnn.translation._options import SearchOptions

# Maximum number of hypotheses in one batch, over all beams.
MAX_HYPOTHESES_PER_BATCH = 512


@dataclass(frozen=True)
class Hypothesis:
    """A target that the search found. Its codes include the end if it was reached."""

    codes: list[int]
    log_probability: float  # in nats
    score: float  # log-probability / length ** length_penalty
    attention: np.ndarray | None = None  # (n_codes, S), None if it was not kept

    @property
    def is_ended(self) -> bool:
        """Whether the target ended before it reached the maximum length."""
        return bool(self.codes) and self.codes[-1] == END


def beam_search(
    module: TranslationNetwork, sources: Sequences, options: SearchOptions
) -> list[list[Hypothesis]]:
    """Search for the targets of each source; return hypotheses, the best first."""
    device = next(module.parameters()).device
    results: list[Any] = [None] * len(sources)
    rows = np.arange(len(sources))
    size = max(1, MAX_HYPOTHESES_PER_BATCH // options.beam_size)
    with torch.inference_mode():
        for batch in prediction_batches(rows, sources.lengths, size):
            search = BeamSearch(module, pad_batch(sources, batch, device), options)
            for row, hypotheses in zip(batch, search.run(), strict=True):
                results[row] = hypotheses
    return results


class BeamSearch:
    """A beam search for several sources in parallel.

    Each source has active hypotheses and hypotheses that have ended. A hypothesis that
    has ended is not replaced in the beam, so a beam of size 1 is greedy. A source is
    finished when none of its active hypotheses can still become one of its best
    ``options.n_best`` hypotheses.
    """

    def __init__(
        self, module: TranslationNetwork, inputs: Inputs, options: SearchOptions
    ) -> None:
        self.module, self.options = module, options
        memory, states = module.encode(inputs)
        outputs, beam_size = memory.outputs, options.beam_size
        n, self.device = len(outputs), outputs.device
        rows = torch.arange(n, device=self.device).repeat_interleave(beam_size)
        self.memory = memory if beam_size == 1 else memory.of(rows)
        self.states = map_states(states, lambda state: state[rows])
        if inputs.lengths is None:
            self.source_lengths = np.full(n, outputs.shape[1])
        else:
            self.source_lengths = inputs.lengths.cpu().numpy()
        self.sources = np.arange(n)  # sources that are not finished
        self.scores = np.full((n, beam_size), -np.inf)  # active: log-probability
        self.scores[:, 0] = 0
        self.codes = np.full((n, beam_size, 1), START)
        self.attention: list[np.ndarray] = []  # (n, beam_size, S) for each step
        self.results: list[list[Hypothesis]] = [[] for _ in range(n)]

    def run(self) -> list[list[Hypothesis]]:
        """Run the search and return hypotheses of each source, the best first."""
        max_length = self.options.max_length
        for length in range(1, max_length + 1):
            log_probabilities, attention = self._predict_next()
            parents, codes = self._choose_extensions(log_probabilities)
            if self.options.keep_attention:
                self.attention.append(attention)
            self._extend(parents, codes)
            self._collect(self.codes[:, :, -1] == END)
            if length == max_length:
                break
            is_open = self._find_open_sources()
            if not is_open.any():
                break
            self._select_sources(is_open, parents)
        self._collect(True)  # hypotheses that have not ended are returned as they are
        return [sorted(found, key=lambda h: -h.score) for found in self.results]

    def _predict_next(self):
        """Compute log-probabilities (n, beam_size, V) of next codes, and attention."""
        last = torch.from_numpy(self.codes[:, :, -1].reshape(1, -1))
        outputs, self.states, attention = self.module.decode(
            last.to(self.device), self.states, self.memory
        )
        logits = outputs[0].float().cpu().numpy()
        check_outputs(logits)
        logits[:, [PADDING, START]] = -np.inf
        if not self.options.allow_unknown:
            logits[:, UNKNOWN] = -np.inf
        shape = (len(self.sources), self.options.beam_size, -1)
        weights = None
        if attention is not None:
            weights = attention[:, 0].cpu().numpy().reshape(shape)
        return log_softmax(logits).reshape(shape), weights

    def _choose_extensions(self, log_probabilities):
        """Choose the best extended hypotheses of each source, and set their scores.

        Returns their parents and their last codes, both (n, beam_size). The beam of a
        source shrinks by one for each of its hypotheses that has ended.
        """
        n, beam_size, V = log_probabilities.shape
        total = (self.scores[:, :, None] + log_probabilities).reshape(n, -1)
        if beam_size == 1:
            best = total.argmax(1)[:, None]
        else:
            best = np.argsort(-total, axis=1, kind="stable")[:, :beam_size]
        self.scores = np.take_along_axis(total, best, axis=1)
        n_ended = np.array([len(self.results[source]) for source in self.sources])
        n_places = beam_size - n_ended[:, None]
        self.scores[np.arange(beam_size) >= n_places] = -np.inf
        return np.divmod(best, V)

    def _extend(self, parents, codes):
        """Replace the hypotheses by their parents, extended by one code each."""
        index = parents[:, :, None]
        before = np.take_along_axis(self.codes, index, axis=1)
        self.codes = np.concatenate([before, codes[:, :, None]], axis=2)
        self.attention = [
            np.take_along_axis(step, index, axis=1) for step in self.attention
        ]

    def _collect(self, is_ended):
        """Move active hypotheses with ``is_ended`` (n, beam_size) to the results."""
        is_ended = is_ended & np.isfinite(self.scores)
        for row, place in zip(*np.nonzero(is_ended), strict=True):
            self.results[self.sources[row]].append(self._make_hypothesis(row, place))
        self.scores[is_ended] = -np.inf

    def _make_hypothesis(self, row, place):
        codes = self.codes[row, place, 1:].tolist()
        log_probability = float(self.scores[row, place])
        score = log_probability / len(codes) ** self.options.length_penalty
        attention, n_steps = None, self.source_lengths[self.sources[row]]
        if self.options.keep_attention:
            attention = np.array(
                [step[row, place, :n_steps] for step in self.attention]
            )
        return Hypothesis(codes, log_probability, score, attention)

    def _find_open_sources(self):
        """Find the sources (n,) with an active hypothesis that can still be a best."""
        options = self.options
        bounds = self.scores.max(1) / options.max_length**options.length_penalty
        is_open = np.isfinite(bounds)
        for row in np.flatnonzero(is_open):
            scores = sorted(h.score for h in self.results[self.sources[row]])
            if len(scores) >= options.n_best:
                is_open[row] = bounds[row] > scores[-options.n_best]
        return is_open

    def _select_sources(self, is_open, parents):
        """Remove the finished sources, and select the states of the parents."""
        places = np.arange(len(is_open))[:, None] * self.options.beam_size + parents
        index = torch.from_numpy(places[is_open].ravel()).to(self.device)
        self.states = map_states(self.states, lambda state: state[index])
        if not is_open.all():
            self.memory = self.memory.of(index)
        self.sources, self.scores = self.sources[is_open], self.scores[is_open]
        self.codes = self.codes[is_open]
        self.attention = [step[is_open] for step in self.attention]
