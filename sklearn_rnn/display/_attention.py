"""Where a translator looks."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn.display._axes import axes_for


class AttentionDisplay:
    """Attention of a translator: a row a code it said, a column a step of the source.

    Made by :meth:`from_estimator`, as a rule.

    Parameters
    ----------
    attention : ndarray of shape (n_codes, n_source_steps)
        Weights, each row summing to 1.
    source : list of str or None, default=None
        Names of the source's steps.
    target : list of str or None, default=None
        Names of the codes, the end included.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the picture.
    figure_ : matplotlib Figure
        Their figure.
    image_ : matplotlib AxesImage
        The weights.

    See Also
    --------
    SequenceDisplay : States and answers step by step.

    Examples
    --------
    >>> from sklearn_rnn import SequenceTranslator
    >>> from sklearn_rnn.display import AttentionDisplay
    >>> model = SequenceTranslator(hidden_size=4, max_epochs=1, random_state=0)
    >>> model = model.fit(["abc", "ba"] * 4, ["cba", "ab"] * 4)
    >>> display = AttentionDisplay.from_estimator(model, "abc")
    """

    def __init__(self, attention, *, source=None, target=None):
        self.attention = attention
        self.source = source
        self.target = target

    @classmethod
    def from_estimator(
        cls, estimator, source, *, beam_size=None, max_length=None, ax=None, **image_kw
    ):
        """Translate one source and draw where the translator looked.

        Parameters
        ----------
        estimator : SequenceTranslator
            A fitted translator with attention.
        source : str, or one sequence
            What to translate.
        beam_size : int, default=None
            In place of the translator's.
        max_length : int, default=None
            In place of the translator's.
        ax : matplotlib Axes or None, default=None
            Where to draw; None is a new figure.
        **image_kw : dict
            Passed to matplotlib's ``imshow``.

        Returns
        -------
        display : AttentionDisplay
            The picture.
        """
        check_is_fitted(estimator)
        answers, looked = estimator.predict(
            [source], beam_size=beam_size, max_length=max_length, return_attention=True
        )
        display = cls(
            looked[0],
            source=_names(source, getattr(estimator, "source_vectorizer_", None)),
            target=_names(answers[0], estimator.target_vectorizer_),
        )
        return display.plot(ax=ax, **image_kw)

    def plot(self, *, ax=None, **image_kw):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None is a new figure.
        **image_kw : dict
            Passed to matplotlib's ``imshow``.

        Returns
        -------
        display : AttentionDisplay
            The picture.
        """
        self.ax_, self.figure_ = axes_for(self, ax)
        image_kw = {"cmap": "Greys", "vmin": 0, "vmax": 1} | image_kw
        self.image_ = self.ax_.imshow(np.asarray(self.attention), **image_kw)
        n_codes, n_steps = np.shape(self.attention)
        if self.source is not None:
            self.ax_.set_xticks(range(n_steps), self.source[:n_steps])
            long = max(map(len, self.source), default=0) > 2
            self.ax_.tick_params(axis="x", labelrotation=90 if long else 0)
        if self.target is not None:
            names = [*self.target, "<end>"][:n_codes]
            self.ax_.set_yticks(range(len(names)), names)
        self.ax_.set(xlabel="source", ylabel="target")
        return self


def _names(sequence, vectorizer):
    """What the steps of a text, or of a list of tokens, are called."""
    if vectorizer is not None:
        codes = np.asarray(vectorizer.transform([sequence]))[0]
        names = vectorizer.get_feature_names_out()
        return [str(names[code]) for code in codes if code]
    if isinstance(sequence, list):
        return [str(token) for token in sequence]
    return None
