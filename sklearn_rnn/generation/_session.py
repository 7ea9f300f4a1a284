"""WritingSession: a person writes a text with suggestions of a generator."""

import copy
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import Bunch

from sklearn_rnn._core.drafts import snapshot
from sklearn_rnn._core.scalars import check_integer, check_number, is_integer
from sklearn_rnn._data.tokens import END, TokenArray
from sklearn_rnn._nn.functional import log_softmax
from sklearn_rnn._nn.states import Arrays
from sklearn_rnn.generation._language_model import LanguageModel, compute_log_proba
from sklearn_rnn.generation._options import encode_phrase
from sklearn_rnn.text._codecs import count_spaces

FORMAT = "sklearn_rnn writing session"
VERSION = 2  # version 1 had no checksum
N_SUGGESTED = 10  # default number of suggestions, also used by the statistics
OPENING = "([{"
NO_SPACE_AFTER = OPENING + "'\u2019-\u2010"  # apostrophes and hyphens


@dataclass(frozen=True)
class Step:
    """An accepted token, and how it was chosen."""

    code: int
    log_probability: float  # at temperature 1
    rank: int  # position of the token among all tokens, 0 is the likeliest
    picked: bool  # True if picked from the suggestions, False if typed
    temperature: float
    n_typed: int = 0  # length of the prefix that was typed before the token was picked


class Moment(NamedTuple):
    """A step, the state of the network after it, and the prediction from this state."""

    step: Step | None  # None after the prompt
    state: Arrays
    log_proba: np.ndarray  # (n_classes,), of the next token


class Progress(NamedTuple):
    """All attributes of a session that change, except the temperature.

    Only the first ``n_moments`` items of the list are valid; a step writes after them.
    """

    moments: list[Moment]
    n_moments: int
    suggested: np.ndarray | None = None  # positions in classes_; None before suggest()
    prefix: str = ""  # prefix of these suggestions


class WritingSession:
    """Session in which a person writes a text with suggestions of a generator.

    The network suggests next tokens, the person picks one of them or types another
    token, and the network reads it. Each token is read only once: :meth:`undo` returns
    to a stored state.

    Sessions are opened by :meth:`SequenceGenerator.session` and
    :meth:`SequenceGenerator.resume`.

    Parameters
    ----------
    generator : SequenceGenerator
        Fitted generator. A later fit of it does not change this session.
    prompt : str, list of tokens or TokenArray
        Beginning of the text.
    temperature : float, default=1.0
        Divisor of the logits of the suggestions. Values above 1 make the suggested
        probabilities more uniform, values below 1 make them more extreme. It can be set
        during the session.

    Attributes
    ----------
    classes_ : ndarray of shape (n_tokens + 1,)
        Tokens that can be suggested, which are the classes of the generator.
    temperature : float
        Current temperature.

    See Also
    --------
    SequenceGenerator : Generator that suggests the tokens.

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
        self._model = LanguageModel.of(generator)
        is_single, self._stepper, logits, texts = self._model.start(prompt)
        if not is_single:
            raise ValueError(
                f"a session continues one prompt, got {len(texts)} prompts. Open one "
                "session per prompt."
            )
        if isinstance(prompt, bytes):
            raise TypeError(
                "the prompt of a session is part of its text and must be a str, got "
                "bytes. Decode them first: prompt.decode()."
            )
        # a copy, because the user may change the list later
        prompt = prompt.tolist() if isinstance(prompt, np.ndarray) else prompt
        self._prompt: Any = prompt if isinstance(prompt, str) else list(prompt)
        self._prompt_codes = texts[0].prompt
        self.classes_ = self._model.classes
        self.temperature = temperature
        first = Moment(None, self._stepper.state, compute_log_proba(logits[0]))
        # replaced in one assignment, so that no interrupt leaves a mixed state
        self._progress = Progress([first], 1)

    @property
    def temperature(self):
        """Current temperature of the suggestions."""
        return self._temperature

    @temperature.setter
    def temperature(self, value):
        self._temperature = float(check_number("temperature", value, above=0))

    def suggest(self, k=N_SUGGESTED, *, prefix=""):
        """Suggest the likeliest next tokens.

        Parameters
        ----------
        k : int, default=10
            Maximum number of suggestions.
        prefix : str, default=""
            First characters of the suggested tokens, such as the beginning of a word
            that the person has typed. The probabilities still refer to all tokens, so
            they sum to the probability of the prefix. The end of the text is not
            suggested if a prefix is given.

        Returns
        -------
        suggestions : list of tuples (token, probability)
            Tokens with their probabilities, the likeliest first. "<end>" ends the text.
            The list is empty if no token starts with ``prefix``.

        Raises
        ------
        ValueError
            If the text has ended, if k is below 1, or if a prefix is given but the
            tokens are not str.
        """
        check_integer("k", k, minimum=1)
        self._check_not_over()
        candidates = self._find_candidates(prefix)
        log_proba = self._moment.log_proba
        with np.errstate(over="ignore"):  # minus infinity for small temperatures
            sharpened = (log_proba - log_proba.max()) / self.temperature
        proba = np.exp(log_softmax(sharpened))
        # sort log-probabilities: probabilities may underflow at low temperatures
        order = np.argsort(-log_proba[candidates], kind="stable")[:k]
        suggested = candidates[order]
        self._progress = self._progress._replace(suggested=suggested, prefix=prefix)
        return [(self.classes_[j], float(proba[j])) for j in suggested]

    def pick(self, index):
        """Accept one of the tokens that :meth:`suggest` returned last.

        Parameters
        ----------
        index : int
            Position in the list of suggestions, counted from 0. If :meth:`suggest` was
            not called since the last step, it is called with its default arguments.

        Returns
        -------
        self : WritingSession
            The session.

        Raises
        ------
        ValueError
            If there is no suggestion at this position, or if the text has ended.
        """
        if self._progress.suggested is None:
            self.suggest()
        suggested: Any = self._progress.suggested
        prefix = self._progress.prefix
        if not len(suggested):
            raise ValueError(
                f"no token starts with {prefix!r}, so nothing was suggested. Call "
                "suggest() with another prefix, or accept() a token."
            )
        if not is_integer(index, 0, len(suggested) - 1):
            raise ValueError(
                f"index must be the position of a suggestion, from 0 to "
                f"{len(suggested) - 1}, got {index!r}."
            )
        code = int(suggested[index]) + END
        return self._accept_codes([code], picked=True, n_typed=len(prefix))

    def accept(self, token):
        """Accept a token that the person has typed, or several tokens.

        Parameters
        ----------
        token : str, token of another type, or list of tokens
            One of ``classes_``, where "<end>" ends the text. Other texts, such as
            "white whale", are split into tokens by the vectorizer. Each token of a text
            or list is one step, which can be undone.

        Returns
        -------
        self : WritingSession
            The session.

        Raises
        ------
        ValueError
            If a token is not in the vocabulary, or if the text has ended. Then no token
            is accepted.
        """
        codes = encode_phrase(self._model.codec, token, "accept")
        if not codes:
            raise ValueError(
                f"accept got {token!r}, which contains no token. Pass at least one."
            )
        self._check_not_over()
        if END in codes[:-1]:
            raise ValueError(
                f"accept got {token!r}, but {self.classes_[0]!r} ends the text, so no "
                "token can follow it. Pass it last."
            )
        return self._accept_codes(codes, picked=False)

    def undo(self, n=1):
        """Remove the last tokens. The network does not read any token again.

        Parameters
        ----------
        n : int, default=1
            Number of tokens to remove.

        Returns
        -------
        self : WritingSession
            The session.

        Raises
        ------
        ValueError
            If fewer tokens were accepted. Then no token is removed.
        """
        if not is_integer(n, 0, self._n_steps):
            raise ValueError(
                f"n must be an integer from 0 to {self._n_steps}, the number of tokens "
                f"accepted since the prompt, got {n!r}."
            )
        if n:
            moments, n_moments, *_ = self._progress
            self._progress = Progress(moments, n_moments - n)
            del moments[n_moments - n :]
        return self

    def branch(self):
        """Copy the session, to continue its text in another way.

        Returns
        -------
        branch : WritingSession
            Copy that is independent of this session.
        """
        twin = copy.copy(self)
        moments, n_moments, *_ = self._progress
        twin._progress = self._progress._replace(moments=moments[:n_moments])
        twin._stepper = self._stepper.branch()
        return twin

    def write(self, chooser, n_tokens, k=N_SUGGESTED):
        """Let a function choose the tokens instead of a person.

        Parameters
        ----------
        chooser : callable
            Function that is called with the list that :meth:`suggest` returns. It
            returns the position of a suggestion, any argument of :meth:`accept` except
            an int, or None to stop.
        n_tokens : int
            Number of tokens after which writing stops. If several tokens are accepted
            at once, there may be more.
        k : int, default=10
            Number of suggestions at each step.

        Returns
        -------
        self : WritingSession
            The session.
        """
        check_integer("n_tokens", n_tokens, minimum=0)
        n_wanted = self._n_steps + n_tokens
        while self._n_steps < n_wanted and not self.is_over:
            choice = chooser(self.suggest(k))
            if choice is None:
                break
            self.pick(choice) if is_integer(choice) else self.accept(choice)
        return self

    # ---------------------------------------------------------------- the text so far

    @property
    def is_over(self):
        """Whether the end of the text was accepted."""
        step = self._moment.step
        return step is not None and step.code == END

    @property
    def tokens(self):
        """The accepted tokens, as a list."""
        return [self.classes_[step.code - END] for step in self._steps]

    @property
    def written(self):
        """The text after the prompt, as the vectorizer joins its tokens."""
        return self._model.codec.decode([step.code for step in self._steps])

    @property
    def text(self):
        """The prompt and the text after it."""
        written = self.written
        if isinstance(written, TokenArray):
            codes = [*self._prompt_codes, *written.view(np.ndarray)[0]]
            return TokenArray(
                np.array([codes], np.int32), self._model.codec.vocabulary_size
            )
        if not isinstance(written, str):
            return [*self._prompt, *written]
        # decoded as a whole, because spaces depend on the tokens on both sides
        codes = [step.code for step in self._steps]
        head = self._model.codec.decode(self._prompt_codes)
        whole = self._model.codec.decode([*self._prompt_codes, *codes])
        separator = " " * count_spaces(self._model.codec)
        if whole.startswith(head):
            written = whole[len(head) :]
        elif written:
            written = separator + written
        if separator and (not self._prompt or self._prompt[-1:].isspace()):
            written = written.lstrip(" ")
        return self._prompt + written

    @property
    def log_probability(self):
        """Natural logarithm of the probability of the accepted tokens.

        The probabilities are those at temperature 1 among ``classes_``.
        """
        return float(sum(step.log_probability for step in self._steps))

    def statistics(self):
        """Compute statistics of how the text was written.

        Returns
        -------
        statistics : :class:`~sklearn.utils.Bunch`
            Dictionary-like object with the following attributes:

            n_tokens : int
                Number of accepted tokens.
            n_picked, n_typed : int
                Number of tokens that were picked and that were typed.
            n_suggested : int
                Number of tokens that were among the ten likeliest.
            suggested : float
                ``n_suggested / n_tokens``.
            keystrokes : int
                Number of keystrokes, as defined in the Notes.
            keystrokes_saved : float
                Fraction of keystrokes that picking saved, compared with typing the
                whole text.
            log_probability : float
                Natural logarithm of the probability of the accepted tokens.
            perplexity : float
                ``exp(-log_probability / n_tokens)``.

        Notes
        -----
        Typing takes one keystroke per character, and one per space between words. There
        is no space before a closing bracket or another punctuation mark, or after an
        apostrophe, a hyphen or an opening bracket. Picking takes one keystroke, and one
        per character of the prefix given to :meth:`suggest`, but none for a space.
        """
        steps = self._steps
        n, typing, keys = len(steps), 0, 0
        for step, length in zip(steps, self._count_keystrokes(), strict=True):
            typing += length
            keys += 1 + step.n_typed if step.picked else length
        n_picked = sum(step.picked for step in steps)
        n_suggested = sum(step.rank < N_SUGGESTED for step in steps)
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
        """Save the session as a transcript for :meth:`SequenceGenerator.resume`.

        Returns
        -------
        transcript : str
            JSON with the prompt, the accepted tokens and how they were chosen, a
            fingerprint of the model and a checksum. It does not contain tokens that
            were undone.
        """
        is_text = self._model.codec.vectorizer is not None
        content = {
            "format": FORMAT,
            "version": VERSION,
            "model": self._model.fingerprint(),
            "prompt": self._prompt if is_text else self._prompt_codes,
            "steps": [
                [step.code, step.picked, step.temperature]
                + ([step.n_typed] if step.n_typed else [])
                for step in self._steps
            ],
            "temperature": self.temperature,
        }
        return json.dumps({**content, "checksum": _compute_checksum(content)})

    @classmethod
    def from_json(cls, generator, transcript):
        """Restore a session, as :meth:`SequenceGenerator.resume` does.

        Parameters
        ----------
        generator : SequenceGenerator
            The generator of the session that was saved.
        transcript : str
            JSON that :meth:`to_json` returned.

        Returns
        -------
        session : WritingSession
            A session with the same text and steps as the saved session.

        Raises
        ------
        ValueError
            If the transcript cannot be read, was changed, or belongs to another model.
            Transcripts of earlier versions have no checksum, so a change is noticed
            only if it results in an impossible step.
        """
        generator = snapshot(generator)  # a fit in another thread changes nothing
        fingerprint = LanguageModel.of(generator).fingerprint()
        try:
            content = json.loads(transcript)
            if content["format"] != FORMAT or content["version"] not in (1, VERSION):
                raise ValueError(f"its format is not {FORMAT!r} 1 or {VERSION}")
            if content["version"] == VERSION:
                checksum = content.pop("checksum")
                if checksum != _compute_checksum(content):
                    raise ValueError("it was changed, because its checksum differs")
            if content["model"] == fingerprint:
                return cls._replay(generator, content)
        except (
            ArithmeticError,
            LookupError,
            RecursionError,
            TypeError,
            ValueError,
        ) as error:
            raise ValueError(
                f"the transcript cannot be read: {error}. Pass the unchanged result of "
                "to_json()."
            ) from error
        raise ValueError(
            "the transcript belongs to another model, whose vocabulary or weights "
            "differ. Resume it with the generator of the saved session."
        )

    @classmethod
    def _replay(cls, generator, content):
        """Check the entries of a transcript of this model, and restore its session."""
        codec = LanguageModel.of(generator).codec
        session = cls(generator, codec.restore_prompt(content["prompt"]))
        if content["prompt"] not in (session._prompt, session._prompt_codes):
            raise ValueError("its prompt cannot be read by this model")
        for entry in content["steps"]:
            code, picked, temperature, *rest = entry
            is_code = is_integer(code, END, codec.vocabulary_size - 1)
            n_typed = rest[0] if rest else 0
            longest = len(str(codec.classes[code - END])) if is_code and picked else 0
            is_count = len(rest) < 2 and is_integer(n_typed, 0, longest)
            if not is_code or not is_count or not isinstance(picked, bool):
                raise ValueError(f"it contains the impossible step {entry}")
            session.temperature = temperature
            session._accept_codes([code], picked, n_typed)
        session.temperature = content["temperature"]
        return session

    # ---------------------------------------------------------------- one step

    def _find_candidates(self, prefix):
        """Find the positions in ``classes_`` of the tokens that start with a prefix."""
        if not isinstance(prefix, str):
            raise TypeError(
                "prefix must be a str with the first characters of a token, got "
                f"{prefix!r} of type {type(prefix).__name__}."
            )
        if not prefix:
            return np.arange(len(self.classes_))
        tokens = self.classes_[1:]
        if not any(isinstance(token, str) for token in tokens):
            raise ValueError(
                f"prefix={prefix!r} needs tokens that are str, but the tokens of this "
                f"model are like {tokens[0]!r}. Call suggest() without prefix."
            )
        starts = [isinstance(t, str) and t.startswith(prefix) for t in tokens]
        return 1 + np.flatnonzero(starts)

    def _accept_codes(self, codes, picked, n_typed=0):
        """Let the network read codes, and append either all of them or none."""
        self._check_not_over()
        moments, n_moments, *_ = self._progress
        moment, added = self._moment, []
        for code in codes:
            logp = moment.log_proba[code - END]
            is_likelier = moment.log_proba > logp
            is_likelier[: code - END] |= moment.log_proba[: code - END] == logp
            rank = int(np.count_nonzero(is_likelier))
            step = Step(code, float(logp), rank, picked, self.temperature, n_typed)
            state, log_proba = moment.state, moment.log_proba
            if code != END:
                self._stepper.restore(state)
                log_proba = compute_log_proba(self._stepper.feed(np.array([code]))[0])
                state = self._stepper.state
            moment = Moment(step, state, log_proba)
            added.append(moment)
        moments[n_moments:] = added
        self._progress = Progress(moments, n_moments + len(added))
        return self

    @property
    def _moment(self):
        """The last step, with the state and prediction after it."""
        moments, n_moments, *_ = self._progress
        return moments[n_moments - 1]

    @property
    def _steps(self):
        """The steps since the prompt."""
        moments, n_moments, *_ = self._progress
        return [moment.step for moment in moments[1:n_moments]]

    @property
    def _n_steps(self):
        """The number of steps since the prompt."""
        return self._progress.n_moments - 1

    def _check_not_over(self):
        if self.is_over:
            raise ValueError(
                "the text has ended. Call undo() to remove the end and continue."
            )

    def _count_keystrokes(self):
        """Yield the number of keystrokes for typing each accepted token."""
        separator = count_spaces(self._model.codec)
        is_text = self._model.codec.vectorizer is not None
        previous = self._prompt[-1:] if is_text else self._prompt_codes
        for step, token in zip(self._steps, self.tokens, strict=True):
            name = str(token)
            is_apart = _needs_space(previous, name) if is_text else len(previous) > 0
            yield 1 if step.code == END else len(name) + separator * is_apart
            previous = name


def _needs_space(previous, token):
    """Return whether there is a space between the end of a text and a token."""
    begins = token in OPENING or re.search(r"\w", token) is not None
    last = previous[-1:]
    return begins and bool(last) and not last.isspace() and last not in NO_SPACE_AFTER


def _compute_checksum(content):
    """Hash the entries of a transcript, regardless of white space in its JSON."""
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
