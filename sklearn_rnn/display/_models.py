"""Find the model to draw inside searches and pipelines."""

from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted


def find_best_estimator(estimator):
    """The fitted estimator that a search or a FrozenEstimator holds, or itself."""
    check_is_fitted(estimator)
    while True:
        if isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif hasattr(estimator, "cv_results_") and hasattr(estimator, "refit"):
            raise ValueError(
                f"this {type(estimator).__name__} has refit={estimator.refit!r} and "
                "no best_estimator_. Set refit=True, or pass a fitted estimator."
            )
        else:
            return estimator


def find_last_step(estimator):
    """The last step of a Pipeline, also within a search, or the estimator itself.

    For a TransformedTargetRegressor it is that of its regressor.
    """
    estimator = find_best_estimator(estimator)
    if isinstance(estimator, Pipeline):
        return find_last_step(estimator.steps[-1][1])
    if isinstance(estimator, TransformedTargetRegressor):
        return find_last_step(estimator.regressor_)
    return estimator
