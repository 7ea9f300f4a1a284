"""Find the model to inspect or draw inside searches and pipelines."""

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


def find_memory(estimator, X):
    """A fitted memory, the patterns that it reads, and the shape of their images.

    ``estimator`` may be a Pipeline, also within a search, whose transformers transform
    X. The shape is that of an ImageFlattener before the memory, and None otherwise.
    """
    model, shape = find_best_estimator(estimator), None
    while isinstance(model, Pipeline):
        if len(model.steps) > 1:
            X = model[:-1].transform(X)
            shape = getattr(model.steps[-2][1], "image_shape_", None)
        model = find_best_estimator(model.steps[-1][1])
    if not hasattr(model, "recall"):
        raise TypeError(
            f"{type(model).__name__} recalls no patterns; expected a fitted "
            "HopfieldDenoiser, or a Pipeline that ends in one."
        )
    return model, X, shape if shape is None or len(shape) == 2 else None


def find_forecaster(estimator):
    """The forecaster that a search or a FrozenEstimator holds, or itself."""
    is_meta = isinstance(estimator, FrozenEstimator) or hasattr(
        estimator, "cv_results_"
    )
    model = find_best_estimator(estimator) if is_meta else estimator
    if not hasattr(model, "backtest"):
        raise TypeError(
            f"expected an RNNForecaster or SeasonalNaiveForecaster, or a fitted search "
            f"over one; got {type(model).__name__}."
        )
    return model
