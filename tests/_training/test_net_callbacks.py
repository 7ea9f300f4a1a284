"""The callbacks of skorch: copies, errors and schedules that continue."""

import pytest
import torch
from skorch.callbacks import Callback, EarlyStopping, EpochScoring, LRScheduler

from sklearn_rnn._training.net_callbacks import (
    copy_callbacks,
    has_lost_patience,
    refuse_monitors_of_validation,
    resume_schedulers,
)


def test_callbacks_are_copied_and_share_their_objects():
    own = Callback()
    own.seen = []
    (copied, (name, made)) = copy_callbacks([own, ("stop", EarlyStopping)])
    assert copied is not own and copied.seen is own.seen
    assert name == "stop" and isinstance(made, EarlyStopping)
    assert copy_callbacks(None) == []


@pytest.mark.parametrize(
    "wrong, error",
    [(print, "must contain skorch"), (EpochScoring("accuracy"), "skorch's own")],
)
def test_other_callbacks_are_errors(wrong, error):
    with pytest.raises(TypeError, match=error):
        copy_callbacks([wrong])


def test_monitors_of_validation_need_validation_rows():
    refuse_monitors_of_validation([("a", EarlyStopping(monitor="train_loss"))])
    with pytest.raises(ValueError, match=r"EarlyStopping\(monitor='train_loss'\)"):
        refuse_monitors_of_validation([("a", EarlyStopping())])


def test_patience_of_early_stopping():
    stopping = EarlyStopping(patience=2)
    stopping.misses_ = 1
    assert not has_lost_patience(stopping)
    stopping.misses_ = 2
    assert has_lost_patience(stopping) and not has_lost_patience(Callback())


def test_a_scheduler_continues_from_its_last_rate():
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
    optimizer.param_groups[0] |= {"initial_lr": 1.0}
    callback = LRScheduler()
    with resume_schedulers(optimizer, [callback]):
        callback.lr_scheduler_ = torch.optim.lr_scheduler.StepLR(optimizer, 1)
        optimizer.param_groups[0]["lr"] = 0.05
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert callback.lr_scheduler_.get_last_lr() == [0.5]
