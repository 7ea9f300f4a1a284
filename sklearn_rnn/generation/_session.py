"""WritingSession: a person and a generator write one text together."""

import copy
import hashlib
import json
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from sklearn.utils import Bunch

from sklearn_rnn._data.tokens import END, RESERVED, UNKNOWN, TokenArray
from sklearn_rnn._nn.functional import log_softmax
from sklearn_rnn.text._codecs import CodeCoder

FORMAT = "sklearn_rnn writing session"
VERSION = 1
SHOWN = 10  # tokens that are suggested, and that the statistics ask for


@dataclass(frozen=True)
class Step:
    """A token that was accepted, and how it came."""

    code: int
    log_probability: float  # at temperature 1
    rank: int  # of the token among all, 0 the likeliest
    picked: bool  # out of the suggestions, rather than typed
    temperature: float


@dataclass(frozen=True)
class Moment:
    """Where the network stands: its state, and what it believes comes next."""

    state: object
    log_proba: np.ndarray  # (n_classes,)


class WritingSession:
    """A text that a person writes together with a generator.

    The network suggests what could come next, the person picks a suggestion or gives a
    token of their own, and the network takes that step. No step is taken twice: undoing
    goes back to a state that was kept.

    Made by :meth:`SequenceGenerator.session` and :meth:`SequenceGenerator.resume`.

    Parameters
    ----------
    generator : SequenceGenerator
        Fitted. A later fit of it does not change this session.
    prompt : str, list of tokens or TokenArray
        How the text begins.
    temperature : float, default=1.0
        Above 1 evens out the suggested probabilities, below 1 sharpens them. Can be set
        on the way.

    Attributes
    ----------
    classes_ : ndarray of shape (n_tokens + 1,)
        What can be suggested: those of the generator.
    temperature : float
        The present temperature.

    Examples
    --------
    >>> from sklearn_rnn import SequenceGenerator
    >>> text = "the cat sat on the mat. " * 40
    >>> model = SequenceGenerator(hidden_size=32, max_epochs=10, random_state=0)
    >>> session = model.fit(text).session("the c")
    >>> [token for token, probability in session.suggest(1)]
    ['a']
    >>> session.pick(0).accept("t").text
    'the cat'
    >>> session.undo().text
    'the ca'
    >>> other = session.branch().accept("n")
    >>> session.text, other.text
    ('the ca', 'the can')
    >>> goal = iter("t sat")
    >>> session.write(lambda suggestions: next(goal, None), n_tokens=100).text
    'the cat sat'
    >>> session.statistics().n_typed
    5
    >>> model.resume(session.to_json()).written
    'at sat'
    """

    def __init__(self, generator, prompt, *, temperature=1.0):
        single, self._stepper, logits, texts = generator._start(prompt)
        if not single:
            raise ValueError(
                f"a session writes one text, got {len(texts)} prompts. Open a session "
                "for each."
            )
        if isinstance(prompt, bytes):
            raise TypeError(
                "the prompt of a session is part of its text, got bytes. Decode them "
                "first."
            )
        # a copy: whoever gave a list may go on changing theirs
        prompt = prompt.tolist() if isinstance(prompt, np.ndarray) else prompt
        self._prompt = prompt if isinstance(prompt, str) else list(prompt)
        self._prompt_codes, self._generator = texts[0].prompt, generator
        self.classes_ = generator.classes_
        self.temperature = temperature
        self._steps = []
        self._moments = [self._moment(logits)]
        self._shown = None

    @property
    def temperature(self):
        """How even the suggested probabilities are."""
        return self._temperature

    @temperature.setter
    def temperature(self, value):
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        if not is_number or not 0 < value < np.inf:
            raise ValueError(f"temperature must be a number above 0, got {value!r}.")
        self._temperature = float(value)

    def suggest(self, k=SHOWN):
        """The likeliest next tokens.

        Parameters
        ----------
        k : int, default=10
            How many; all if there are fewer.

        Returns
        -------
        suggestions : list of (token, probability)
            The likeliest first. "<end>" ends the text.

        Raises
        ------
        ValueError
            If the text has ended, or k is below 1.
        """
        if not _is_whole(k, 1):
            raise ValueError(f"k must be an integer of at least 1, got {k!r}.")
        self._refuse_if_over()
        log_proba = self._moments[-1].log_proba
        with np.errstate(over="ignore"):  # to -inf, near temperature 0
            sharpened = (log_proba - log_proba.max()) / self.temperature
        proba = np.exp(log_softmax(sharpened))
        self._shown = np.argsort(-proba, kind="stable")[:k]
        return [(self.classes_[j], float(proba[j])) for j in self._shown]

    def pick(self, index):
        """Accept one of the tokens that were suggested last.

        Parameters
        ----------
        index : int
            Its place in what :meth:`suggest` returned, from 0; in ten suggestions if
            it was not called since the last step.

        Returns
        -------
        self : WritingSession
            The session.

        Raises
        ------
        ValueError
            If there is no such place, or the text has ended.
        """
        if self._shown is None:
            self.suggest()
        if not _is_whole(index, 0, len(self._shown) - 1):
            raise ValueError(
                f"index must be in 0..{len(self._shown) - 1}, the places of the "
                f"suggestions, got {index!r}."
            )
        return self._take(int(self._shown[index]) + END, picked=True)

    def accept(self, token):
        """Accept any token that the model can write.

        Parameters
        ----------
        token : str, or what the tokens are
            One of ``classes_``; "<end>" ends the text.

        Returns
        -------
        self : WritingSession
            The session.

        Raises
        ------
        ValueError
            If the model has no such token, or the text has ended.
        """
        return self._take(self._generator._code_of(token, "accept"), picked=False)

    def undo(self, n=1):
        """Take back the last tokens, without reading anything again.

        Parameters
        ----------
        n : int, default=1
            How many.

        Returns
        -------
        self : WritingSession
            The session.

        Raises
        ------
        ValueError
            If fewer were written; none is taken back then.
        """
        if not _is_whole(n, 0, len(self._steps)):
            raise ValueError(
                f"n must be an integer from 0 to {len(self._steps)}, the tokens "
                f"written since the prompt, got {n!r}."
            )
        if n:
            del self._steps[-n:], self._moments[-n:]
            self._stepper.restore(self._moments[-1].state)
            self._shown = None
        return self

    def branch(self):
        """A copy that goes its own way from here.

        Returns
        -------
        branch : WritingSession
            Shares nothing that changes with this one.
        """
        twin = copy.copy(self)
        twin._steps, twin._moments = [*self._steps], [*self._moments]
        twin._stepper = self._stepper.branch()
        return twin

    def write(self, chooser, n_tokens, k=SHOWN):
        """Let a function choose in place of a person.

        Parameters
        ----------
        chooser : callable
            ``chooser(suggestions)`` with what :meth:`suggest` returns; answers with the
            place of a suggestion, a token that is no int, or None to stop.
        n_tokens : int
            Tokens to write at most.
        k : int, default=10
            How many tokens are suggested each time.

        Returns
        -------
        self : WritingSession
            The session.
        """
        if not _is_whole(n_tokens, 0):
            raise ValueError(
                f"n_tokens must be an integer of at least 0, got {n_tokens!r}."
            )
        for _ in range(n_tokens):
            if self.is_over:
                break
            choice = chooser(self.suggest(k))
            if choice is None:
                break
            is_place = isinstance(choice, Integral) and not isinstance(choice, bool)
            self.pick(choice) if is_place else self.accept(choice)
        return self

    # ---------------------------------------------------------------- what there is

    @property
    def is_over(self):
        """Whether the end of the text was accepted."""
        return bool(self._steps) and self._steps[-1].code == END

    @property
    def tokens(self):
        """The accepted tokens, as a list."""
        return [self.classes_[step.code - END] for step in self._steps]

    @property
    def written(self):
        """What was written after the prompt, as the vectorizer writes it."""
        return self._generator._coder.decode([step.code for step in self._steps])

    @property
    def text(self):
        """The prompt, and what was written after it."""
        written = self.written
        if isinstance(written, TokenArray):
            codes = [*self._prompt_codes, *written.view(np.ndarray)[0]]
            return TokenArray(np.array([codes], np.int32), written.vocabulary_size)
        if not isinstance(written, str):
            return [*self._prompt, *written]
        apart = self._prompt and written and not self._prompt[-1:].isspace()
        return self._prompt + " " * (self._separator if apart else 0) + written

    @property
    def log_probability(self):
        """Natural logarithm of the probability of the accepted tokens.

        That of the model itself, at temperature 1, among ``classes_``.
        """
        return float(sum(step.log_probability for step in self._steps))

    def statistics(self):
        """How the text came about.

        Returns
        -------
        statistics : :class:`~sklearn.utils.Bunch`
            ``n_tokens``, of which ``n_picked`` and ``n_typed``; ``n_suggested`` that
            were among the ten likeliest, and their share ``suggested``; ``keystrokes``,
            one for a pick and one for each character typed (with a separator between
            words), and the share ``keystrokes_saved`` against typing all of it;
            ``log_probability`` and ``perplexity`` of the accepted tokens.
        """
        n, typing, keys, separator = len(self._steps), 0, 0, self._separator
        for step, token in zip(self._steps, self.tokens, strict=True):
            length = len(str(token)) + separator if step.code != END else 1
            typing += length
            keys += 1 if step.picked else length
        n_picked = sum(step.picked for step in self._steps)
        n_suggested = sum(step.rank < SHOWN for step in self._steps)
        return Bunch(
            n_tokens=n,
            n_picked=n_picked,
            n_typed=n - n_picked,
            n_suggested=n_suggested,
            suggested=n_suggested / n if n else np.nan,
            keystrokes=keys,
            keystrokes_saved=1 - keys / typing if n else np.nan,
            log_probability=self.log_probability,
            perplexity=float(np.exp(-self.log_probability / n)) if n else np.nan,
        )

    # ---------------------------------------------------------------- transcripts

    def to_json(self):
        """The session as a transcript, which :meth:`SequenceGenerator.resume` replays.

        Returns
        -------
        transcript : str
            JSON: the prompt, the accepted tokens and how they came, and a fingerprint
            of the model. What was undone is not in it.
        """
        is_text = self._generator._coder.vectorizer is not None
        return json.dumps(
            {
                "format": FORMAT,
                "version": VERSION,
                "model": fingerprint_generator(self._generator),
                "prompt": self._prompt if is_text else self._prompt_codes,
                "steps": [
                    [step.code, step.picked, step.temperature] for step in self._steps
                ],
                "temperature": self.temperature,
            }
        )

    @classmethod
    def from_json(cls, generator, transcript):
        """Replay a transcript; see :meth:`SequenceGenerator.resume`.

        Parameters
        ----------
        generator : SequenceGenerator
            The model of the transcript.
        transcript : str
            What :meth:`to_json` returned.

        Returns
        -------
        session : WritingSession
            As the one that was written down.

        Raises
        ------
        ValueError
            If the transcript cannot be read, or is of another model.
        """
        try:
            given = json.loads(transcript)
            if given["format"] != FORMAT or given["version"] != VERSION:
                raise ValueError(f"its format is not version {VERSION} of ours")
            if given["model"] == fingerprint_generator(generator):
                return cls._replay(generator, given)
        except (
            ArithmeticError,
            LookupError,
            RecursionError,
            TypeError,
            ValueError,
        ) as error:
            raise ValueError(
                f"the transcript cannot be read (give what to_json() returned): {error}"
            ) from error
        raise ValueError(
            "the transcript is of another model: its vocabulary or its weights "
            "differ. Replay it with the generator that wrote it."
        )

    @classmethod
    def _replay(cls, generator, given):
        """The session of a transcript of this model, every entry of it checked."""
        session = cls(generator, _prompt_of(generator._coder, given["prompt"]))
        if given["prompt"] not in (session._prompt, session._prompt_codes):
            raise ValueError("its prompt is not one that this model read")
        for code, picked, temperature in given["steps"]:
            whole = _is_whole(code, END, generator.vocabulary_size_ - 1)
            if not whole or not isinstance(picked, bool):
                raise ValueError(f"it has the step {[code, picked, temperature]}")
            session.temperature = temperature
            session._take(code, picked)
        session.temperature = given["temperature"]
        return session

    # ---------------------------------------------------------------- one step

    def _take(self, code, picked):
        """Let the network take the one step of an accepted code."""
        self._refuse_if_over()
        moment = self._moments[-1]
        logp = moment.log_proba[code - END]
        ahead = moment.log_proba > logp
        ahead[: code - END] |= moment.log_proba[: code - END] == logp
        rank = int(np.count_nonzero(ahead))
        step = Step(code, float(logp), rank, picked, self.temperature)
        if code != END:
            moment = self._moment(self._stepper.feed(np.array([code])))
        self._steps.append(step)
        self._moments.append(moment)
        self._shown = None
        return self

    def _moment(self, logits):
        return Moment(self._stepper.save(), log_softmax(logits[0, END:]))

    def _refuse_if_over(self):
        if self.is_over:
            raise ValueError("the text has ended. undo() takes the end back.")

    @property
    def _separator(self):
        """Characters between two tokens: none between characters, else one."""
        names, coder = self._generator._coder.names, self._generator._coder
        both = coder.decode([END + 1, END + 1])
        if isinstance(both, str):
            return len(both) - 2 * len(str(names[0]))
        return 1


def _is_whole(value, low, high=np.inf):
    """Whether ``value`` is an integer, no bool, from ``low`` to ``high``."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    return whole and low <= value <= high


def _prompt_of(coder, written):
    """What to give the generator for the prompt that a transcript has.

    A token that the model did not know is not in it; "<unk>" stands for it.
    """
    if coder.vectorizer is not None:
        return written
    if isinstance(coder, CodeCoder):
        return TokenArray([written], len(RESERVED) + len(coder.names))
    unknown = RESERVED[UNKNOWN]
    return [
        unknown if code == UNKNOWN else coder.names[code - len(RESERVED)]
        for code in written
    ]


def fingerprint_generator(generator):
    """A hash of the vocabulary and the weights of a fitted generator."""
    found = hashlib.sha256(repr(list(generator.classes_)).encode("utf-8"))
    for name, value in generator.module_.state_dict().items():
        found.update(name.encode())
        found.update(value.detach().cpu().numpy().tobytes())
    return found.hexdigest()
