"""HTML representations that link to the documentation and summarize the fit."""

import html
import os
from typing import Any

from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.versions import VersionedEstimator

# Where the documentation is. It has no published address yet. The relative address
# works on the pages of the gallery, which are the pages that show estimators. Another
# address, such as "http://localhost:8000", can be set in the environment variable.
DOCUMENTATION = "../.."
ENVIRONMENT_VARIABLE = "SKLEARN_RNN_DOCS"


class SummaryValue:
    """A text that scikit-learn's table of fitted attributes shows without quotes."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


class DocumentedEstimator(VersionedEstimator):
    """A base whose HTML representation links to the documentation.

    Parameters and fitted attributes show their descriptions as tooltips. A subclass
    that defines ``_summarize_fit`` begins the fitted attributes with a summary.
    """

    _doc_link_module = "sklearn_rnn"
    _doc_link_template = "{documentation}/generated/sklearn_rnn.{name}.html"

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        place = os.environ.get(ENVIRONMENT_VARIABLE, "").rstrip("/") or DOCUMENTATION
        return {"documentation": html.escape(place), "name": type(self).__name__}

    def _summarize_fit(self) -> dict[str, str]:
        """Return short texts by name that describe the fitted estimator."""
        return {}

    def _get_fitted_attr_html(self, doc_link: str = "") -> Any:
        """Return scikit-learn's table of fitted attributes, after the summary.

        scikit-learn also asks for those of the unfitted ``estimator`` of an ensemble.
        """
        attributes = super()._get_fitted_attr_html(doc_link)
        if not is_fitted(self):
            return attributes
        summary = {
            name: {"type_name": "", "value": SummaryValue(text)}
            for name, text in self._summarize_fit().items()
        }
        attributes.data = {**summary, **attributes.data}
        return attributes


def is_fitted(estimator: Any) -> bool:
    """Return whether ``check_is_fitted`` accepts an estimator."""
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def summarize_epochs(estimator: Any) -> dict[str, str]:
    """Return the number of epochs and the losses after the last one or the one kept."""
    epochs = f"{estimator.n_iter_:,}"
    kept = getattr(estimator, "best_epoch_", None) or 0
    if kept:
        epochs += f", kept epoch {kept:,}"
    losses = {"training loss": estimator.loss_curve_[kept - 1]}
    if kept:
        losses["validation loss"] = estimator.validation_loss_curve_[kept - 1]
    return {"epochs": epochs} | {name: f"{x:.4g}" for name, x in losses.items()}
