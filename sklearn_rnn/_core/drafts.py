"""Shallow copies of estimators, so that a fit that fails changes nothing."""


def snapshot(estimator):
    """A shallow copy: what one thread works on while another may fit the original."""
    copy = object.__new__(type(estimator))
    vars(copy).update(vars(estimator))
    return copy


def hand_over(draft, estimator):
    """Give ``estimator`` the state of ``draft``, and nothing of its own former one."""
    for name in vars(estimator).keys() - vars(draft).keys():
        delattr(estimator, name)
    vars(estimator).update(vars(draft))
