"""Parameter checks of estimators, with suggestions for misspelled options."""

from difflib import get_close_matches
from typing import Any

import numpy as np

from sklearn_rnn._core.documentation import DocumentedEstimator
from sklearn_rnn._core.sklearn_private import (
    HasMethods,
    Interval,
    InvalidParameterError,
    StrOptions,
)


class ValidatedEstimator(DocumentedEstimator):
    """Base whose errors for misspelled options, such as "LSTM", suggest corrections."""

    def _validate_params(self) -> None:
        try:
            super()._validate_params()
        except InvalidParameterError as error:
            constraints = self._parameter_constraints
            for name, value in self.get_params(deep=False).items():
                if str(error).startswith(f"The {name!r} parameter of "):
                    hint = suggest_option(value, constraints.get(name, []))
                    raise InvalidParameterError(f"{error}{hint}") from None
            raise
        except TypeError as error:  # an unhashable value was looked up in a set
            for name, value in self.get_params(deep=False).items():
                if isinstance(value, (dict, list, set)):
                    raise InvalidParameterError(
                        f"The {name!r} parameter of {type(self).__name__} cannot be "
                        f"{value!r} of type {type(value).__name__}."
                    ) from error
            raise
        for name, value in self.get_params(deep=False).items():
            constraints = self._parameter_constraints.get(name, [])
            if isinstance(value, bool) and _wants_number(constraints):
                raise InvalidParameterError(
                    f"The {name!r} parameter of {type(self).__name__} must be a "
                    f"number, got {value!r}."
                )
            if isinstance(value, (dict, set)) and "array-like" in constraints:
                raise InvalidParameterError(
                    f"The {name!r} parameter of {type(self).__name__} cannot be a "
                    f"{type(value).__name__}. Pass an array."
                )
            if isinstance(value, type) and any(
                isinstance(one, HasMethods) for one in constraints
            ):
                raise InvalidParameterError(
                    f"The {name!r} parameter of {type(self).__name__} must be an "
                    f"object, got the class {value.__name__}. Create one: "
                    f"{name}={value.__name__}(...)."
                )


def _wants_number(constraints: list) -> bool:
    """Return whether a parameter must be a number.

    scikit-learn accepts a bool for such parameters too.
    """
    has_interval = any(isinstance(one, Interval) for one in constraints)
    return has_interval and not {"boolean", "verbose", bool} & {
        one for one in constraints if isinstance(one, (str, type))
    }


def plain_parameters(estimator: Any) -> dict[str, Any]:
    """Return the parameters that are numpy numbers, as Python numbers.

    Sums and products of a numpy int8 could overflow.
    """
    constraints = getattr(estimator, "_parameter_constraints", None) or {}
    return {
        name: value.item()
        for name in constraints
        if isinstance(value := vars(estimator).get(name), np.number | np.bool_)
    }


def suggest_option(value: Any, constraints: list) -> str:
    """Return a hint that names the option most similar to ``value``, or ""."""
    if not isinstance(value, str):
        return ""
    options = [o for c in constraints if isinstance(c, StrOptions) for o in c.options]
    close = get_close_matches(value.lower(), sorted(options), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""
