"""Text whose characters or words are colored by values."""

import html

import numpy as np

from sklearn_rnn._core.scalars import is_integer
from sklearn_rnn.display._axes import axes_for, show_whitespace
from sklearn_rnn.display._colors import choose_colors, is_dark
from sklearn_rnn.display._gates import FRACTIONS, NAMES
from sklearn_rnn.inspection._gates import compute_gates

CELL = (0.085, 0.22)  # width and height of a character in a new figure, in inches
LONGEST = 400  # figures of more rows are too large


class TextDisplay:
    """Text whose tokens are colored by one value each, in notebooks and figures.

    Create it with :meth:`from_estimator` or :meth:`from_attributions`. A notebook shows
    the display as HTML, and :meth:`plot` draws a figure.

    Parameters
    ----------
    tokens : list of str
        Characters or words of the text.
    values : array-like of shape (n_tokens,)
        Value of each token. Values of both signs have a diverging color map.
    label : str, default=""
        Quantity of the values.
    separator : str or None, default=None
        Text between tokens; None is a space if some token has several characters.
    limits : tuple of 2 float or None, default=None
        Values of the first and the last color; None takes them from the values.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the text.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    colorbar_ : matplotlib Colorbar
        Color bar of the values.

    See Also
    --------
    GateDisplay : All units of a layer over a text.
    AttributionDisplay : Attributions of a series.
    sklearn_rnn.inspection.find_units : Finds units that track a property.

    Examples
    --------
    >>> from sklearn_rnn import SequenceGenerator
    >>> from sklearn_rnn.display import TextDisplay
    >>> model = SequenceGenerator(hidden_size=4, max_epochs=1, random_state=0)
    >>> model = model.fit("the cat sat on the mat " * 10)
    >>> display = TextDisplay.from_estimator(model, "the cat", what="cell", unit=2)
    >>> display.label
    'cell state c of unit 2'
    >>> display = display.plot()
    """

    def __init__(self, tokens, values, *, label="", separator=None, limits=None):
        self.tokens = tokens
        self.values = values
        self.label = label
        self.separator = separator
        self.limits = limits

    @classmethod
    def from_estimator(
        cls, estimator, text, *, what="hidden", unit=0, layer=-1, direction="forward"
    ):
        """Let a network read a text, and color it by a state or gate of one unit.

        Parameters
        ----------
        estimator : estimator
            Fitted SequenceGenerator, a Pipeline of a vectorizer and an RNNClassifier or
            RNNRegressor, or a search over one.
        text : str or list of str
            Text or list of tokens to read.
        what : str, default="hidden"
            Value of the unit: "hidden" or "cell" for its state after each token, or the
            letter of a gate, such as "f" for the forget gate of an LSTM.
        unit : int, default=0
            Index of the unit.
        layer : int, default=-1
            Index of the layer; -1 is the last layer.
        direction : {"forward", "backward"}, default="forward"
            Direction of the layer in a bidirectional network.

        Returns
        -------
        display : TextDisplay
            The display, which is not drawn yet.

        Raises
        ------
        TypeError
            If the cell is a callable, or if the estimator has no such network.
        ValueError
            If a value or unit does not exist, or if the estimator reads numbers.
        """
        found = compute_gates(estimator, text, layer, direction)
        if found.labels is None:
            raise ValueError(
                "the estimator reads numbers, not text. Use GateDisplay or "
                "SequenceDisplay."
            )
        values = found.find(what)
        n_units = values.shape[1]
        if not is_integer(unit, -n_units, n_units - 1):
            raise ValueError(
                f"unit={unit!r}; expected an integer below {n_units}, the number of "
                "units."
            )
        name = {"hidden": "h", "cell": "c"}.get(what, what)
        label = f"{NAMES.get(name, name)} of unit {unit % n_units}"
        limits = (0.0, 1.0) if name in FRACTIONS else None
        return cls(found.labels, values[:, unit], label=label, limits=limits)

    @classmethod
    def from_attributions(cls, result, index=0):
        """Color a text by the attributions of its tokens.

        Parameters
        ----------
        result : :class:`~sklearn.utils.Bunch`
            What :func:`~sklearn_rnn.inspection.attribute` returned.
        index : int, default=0
            Index of the text.

        Returns
        -------
        display : TextDisplay
            The display, which is not drawn yet.

        Raises
        ------
        ValueError
            If the sequences were not text.
        """
        if result.tokens is None:
            raise ValueError(
                "the attributions are those of numbers, not of text. Use "
                "AttributionDisplay."
            )
        label = f"attribution to {describe_target(result, index)}"
        return cls(result.tokens[index], result.attributions[index], label=label)

    def plot(self, *, ax=None, columns=80, cmap=None):
        """Draw the text in a font of fixed width.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure, whose size depends on the text.
        columns : int, default=80
            Maximum number of characters per line. Lines also end at line breaks of the
            text.
        cmap : str or matplotlib Colormap, default=None
            Color map; None chooses one by the signs of the values.

        Returns
        -------
        display : TextDisplay
            The display.

        Raises
        ------
        ValueError
            If there are not as many values as tokens, or if the text is too long.
        """
        tokens, values = self._check()
        if not is_integer(columns, 1):
            raise ValueError(f"columns={columns!r}; expected an integer of at least 1.")
        shown, places = self._lay_out(tokens, columns)
        n_rows = places[-1][0] + 1
        if n_rows > LONGEST:
            raise ValueError(
                f"the text has {n_rows} lines; a figure can show {LONGEST}. Pass a "
                "shorter text."
            )
        n_columns = max(
            start + len(t) for t, (_, start) in zip(shown, places, strict=True)
        )
        size = (CELL[0] * n_columns + 0.4, CELL[1] * n_rows + 0.9)
        size = (max(size[0], 4.0), size[1])
        self.ax_, self.figure_ = axes_for(self, ax, figsize=size)
        colors = self._make_colors(values, cmap)
        self._draw(shown, places, colors.to_rgba(values))
        self.ax_.set(xlim=(0, n_columns), ylim=(n_rows, 0))
        self.ax_.axis("off")
        self.colorbar_ = self.figure_.colorbar(
            colors,
            ax=self.ax_,
            location="bottom",
            shrink=min(1.0, 4 / size[0]),
            aspect=30,
        )
        self.colorbar_.set_label(self.label, parse_math=False)
        return self

    def _check(self):
        """Validate tokens and values."""
        tokens = [str(token) for token in self.tokens]
        values = np.asarray(self.values, dtype=float)
        if values.shape != (len(tokens),) or not tokens:
            raise ValueError(
                f"values have the shape {values.shape} for {len(tokens)} tokens; give "
                "one value for each token, and at least one token."
            )
        if not np.isfinite(values).all():
            raise ValueError("values contain NaN or infinity.")
        return tokens, values

    def _find_separator(self, tokens):
        """The text between tokens."""
        if self.separator is not None:
            return self.separator
        return " " if any(len(token) > 1 for token in tokens) else ""

    def _lay_out(self, tokens, columns):
        """Tokens as they are drawn, and the row and column of each.

        Lines end after white space, if there is any.
        """
        gap = len(self._find_separator(tokens))
        shown = ["".join(map(show_whitespace, token)) for token in tokens]
        places: list[tuple[int, int]] = []
        row = column = breakable = 0
        for k, text in enumerate(shown):
            if column and column + len(text) > columns:
                row, column = row + 1, 0
                moved = places[breakable:] if places[breakable:k] else []
                if moved and moved[0][1]:  # the beginning of a word
                    first = moved[0][1]
                    places[breakable:] = [(row, place - first) for _, place in moved]
                    column = places[-1][1] + len(shown[k - 1]) + gap
            places.append((row, column))
            column += len(text) + gap
            if "\n" in tokens[k]:
                row, column = row + 1, 0
            if tokens[k].isspace() or gap:
                breakable = k + 1
        return shown, places

    def _make_colors(self, values, cmap):
        """A mapping of values to colors."""
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        chosen = choose_colors(values)
        low, high = self.limits or (chosen["vmin"], chosen["vmax"])
        return ScalarMappable(Normalize(low, high), cmap or chosen["cmap"])

    def _draw(self, shown, places, colors):
        """Draw a colored rectangle and the characters of each token."""
        from matplotlib.collections import PatchCollection
        from matplotlib.patches import Rectangle

        boxes = []
        for text, (row, column), color in zip(shown, places, colors, strict=True):
            boxes.append(Rectangle((column, row + 0.04), len(text), 0.92))
            ink = "white" if is_dark(color) else "black"
            for k, character in enumerate(text):
                self.ax_.text(
                    column + k + 0.5,
                    row + 0.5,
                    character,
                    color=ink,
                    ha="center",
                    va="center",
                    family="monospace",
                    fontsize=9,
                    parse_math=False,
                )
        self.ax_.add_collection(
            PatchCollection(boxes, facecolors=colors, edgecolors="none", zorder=0)
        )

    def to_html(self):
        """Return the colored text as HTML.

        The value of each token is its tooltip. Tokens are escaped, so that no text can
        act as HTML.

        Returns
        -------
        text : str
            A ``div`` element without scripts or external resources.

        Raises
        ------
        ValueError
            If there are not as many values as tokens.
        """
        tokens, values = self._check()
        mapping = self._make_colors(values, None)
        separator = html.escape(self._find_separator(tokens))
        parts = []
        for token, value, color in zip(
            tokens, values, mapping.to_rgba(values), strict=True
        ):
            ink = "#fff" if is_dark(color) else "#000"
            text = html.escape(token).replace("\n", "\u21b5\n")
            parts.append(
                f'<span title="{value:.3g}" style="background:{_to_hex(color)};'
                f'color:{ink}">{text}</span>'
            )
        low, high = mapping.get_clim()
        stops = mapping.to_rgba(np.linspace(low, high, 9))
        gradient = ", ".join(map(_to_hex, stops))
        bar = (
            f'<div style="margin-top:.5em;font-family:sans-serif;font-size:.85em">'
            f"{html.escape(self.label)} {low:.3g} "
            f'<span style="display:inline-block;width:9em;height:.8em;'
            f'background:linear-gradient(to right, {gradient})"></span> {high:.3g}'
            "</div>"
        )
        style = (
            "font-family:monospace;white-space:pre-wrap;overflow-wrap:anywhere;"
            "line-height:1.5"
        )
        return f'<div><div style="{style}">{separator.join(parts)}</div>{bar}</div>'

    def _repr_html_(self):
        return self.to_html()


def _to_hex(color):
    """A color in hexadecimal notation."""
    return "#" + "".join(f"{round(255 * float(part)):02x}" for part in color[:3])


def describe_target(result, index):
    """What the attributions of a sequence explain, for labels."""
    target = result.targets[index]
    if result.output == "prediction":
        return f"prediction {target}" if target else "prediction"
    if result.output == "forecast":
        return f"forecast of lead {target}"
    quantity = {"log_odds": "log-odds", "proba": "probability"}[result.output]
    return f"{quantity} of {target!r}"
