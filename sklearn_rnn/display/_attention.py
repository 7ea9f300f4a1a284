"""Attention weights of a translator over the steps of its source."""

import numpy as np

from sklearn_rnn.display._axes import axes_for, label_ticks, number_places
from sklearn_rnn.inspection._models import find_best_estimator
from sklearn_rnn.inspection._steps import refuse_texts

END = "<end>"
CELL = 0.25  # width and height of a weight in a new figure, in inches
LONGEST_SIDE = 14  # of a new figure, in inches


class AttentionDisplay:
    """Attention weights of a translator: one row per target code.

    Create it with :meth:`from_estimator`.

    Parameters
    ----------
    attention : ndarray of shape (n_codes, n_source_steps)
        Attention weights. Each row sums to 1.
    source : list of str or None, default=None
        Names of the source's steps; None numbers them.
    target : list of str or None, default=None
        Names of the target's codes, with or without the end; None numbers them.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the image.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    image_ : matplotlib AxesImage
        Image of the weights.
    colorbar_ : matplotlib Colorbar
        Color bar of the image.

    See Also
    --------
    sklearn_rnn.SequenceTranslator.predict : Returns the weights.
    SequenceDisplay : States and predictions of a network step by step.

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
        """Translate one source and draw the attention weights.

        Parameters
        ----------
        estimator : SequenceTranslator
            Fitted translator with attention, or a search over one.
        source : str, list of tokens or array-like of shape (n_timesteps,) or \
(n_timesteps, n_features)
            One source to translate.
        beam_size : int, default=None
            Number of candidates that are kept; None is the translator's ``beam_size``.
        max_length : int, default=None
            Maximum number of codes of the target; None is the translator's
            ``max_length``.
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure, whose size depends on the lengths
            of source and target.
        **image_kw : dict
            Passed to matplotlib's ``imshow``.

        Returns
        -------
        display : AttentionDisplay
            The display.

        Raises
        ------
        TypeError
            If the estimator is not a SequenceTranslator.
        ValueError
            If the translator has no attention, or if there are several sources.
        """
        model = find_best_estimator(estimator)
        if not hasattr(model, "target_vectorizer_"):
            raise TypeError(
                f"{type(model).__name__} has no attention; expected a fitted "
                "SequenceTranslator."
            )
        vectorizer = getattr(model, "source_vectorizer_", None)
        if vectorizer is not None:
            refuse_texts(source, vectorizer)
        targets, attention = model.predict(
            [source], beam_size=beam_size, max_length=max_length, return_attention=True
        )
        display = cls(
            attention[0],
            source=_name_steps(source, vectorizer),
            target=_name_steps(targets[0], model.target_vectorizer_),
        )
        return display.plot(ax=ax, **image_kw)

    def plot(self, *, ax=None, **image_kw):
        """Draw the weights as an image with a color bar that begins at 0.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure, whose size depends on the lengths
            of source and target.
        **image_kw : dict
            Passed to matplotlib's ``imshow``.

        Returns
        -------
        display : AttentionDisplay
            The display.

        Raises
        ------
        ValueError
            If ``attention`` is not a table, or if there are fewer names than steps.
        """
        attention = np.asarray(self.attention)
        if attention.ndim != 2 or not attention.size:
            raise ValueError(
                "attention must have the shape (n_codes, n_source_steps) with one code "
                f"and one step at least; got the shape {attention.shape}."
            )
        n_codes, n_steps = attention.shape
        size = np.clip(
            (1.8 + CELL * n_steps, 1 + CELL * n_codes), (4, 2.5), LONGEST_SIDE
        )
        self.ax_, self.figure_ = axes_for(self, ax, figsize=size)
        image_kw = {"cmap": "Greys", "vmin": 0, "aspect": "auto"} | image_kw
        self.image_ = self.ax_.imshow(attention, **image_kw)
        self.colorbar_ = self.figure_.colorbar(
            self.image_, ax=self.ax_, label="attention weight", fraction=0.05
        )
        source = None if self.source is None else self.source[:n_steps]
        target = None if self.target is None else [*self.target, END][:n_codes]
        for axis, names, n_names in (
            (self.ax_.xaxis, source, n_steps),
            (self.ax_.yaxis, target, n_codes),
        ):
            if names is not None and len(names) < n_names:
                raise ValueError(
                    f"{len(names)} names for {n_names} steps or codes; give one for "
                    "each."
                )
            if names is None or not label_ticks(axis, [str(name) for name in names]):
                number_places(axis)
        self.ax_.set(xlabel="source", ylabel="target")
        return self


def _name_steps(sequence, vectorizer):
    """The names of the codes of a text or list of tokens; None for numbers."""
    if vectorizer is not None:
        codes = np.asarray(vectorizer.transform([sequence]))[0]
        names = vectorizer.get_feature_names_out()
        return [str(names[code]) for code in codes if code]
    if isinstance(sequence, list):
        return [str(token) for token in sequence]
    return None
