"""Callbacks of skorch: which work, and which are refused."""

import pytest
import skorch


@pytest.mark.parametrize(
    ("kind", "instead"), [("EarlyStopping", "train_loss"), ("Checkpoint", "train_loss")]
)
def test_a_monitor_of_the_validation_loss_needs_validation_data(
    model, ragged, kind, instead
):
    model.set_params(callbacks=[getattr(skorch.callbacks, kind)()])
    message = f"{kind} monitors 'valid_loss.* early_stopping=True .*monitor='{instead}"
    with pytest.raises(ValueError, match=message):
        model.fit(*ragged)


@pytest.mark.parametrize(
    "item", [3, ("a",), (1, skorch.callbacks.PrintLog()), ("a", "b", "c")]
)
def test_something_else_than_a_callback_is_refused(model, ragged, item):
    with pytest.raises(TypeError, match=r"pairs \(name, callback\), got .* of type"):
        model.set_params(callbacks=[item]).fit(*ragged)


@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize(
    "callback",
    [
        skorch.callbacks.PrintLog(sink=lambda text: None),
        skorch.callbacks.LRScheduler("StepLR", step_size=1),
        skorch.callbacks.GradientNormClipping(0.1),
        skorch.callbacks.EarlyStopping("train_loss", patience=1, load_best=True),
    ],
    ids=lambda callback: type(callback).__name__,
)
def test_skorch_callbacks_work(model, ragged, callback, early_stopping):
    model.set_params(callbacks=[callback], early_stopping=early_stopping)
    assert model.fit(*ragged).n_iter_ >= 2


@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize("kind", ["Checkpoint", "TrainEndCheckpoint"])
def test_skorch_checkpoints_work(model, ragged, kind, early_stopping, tmp_path):
    options = {"monitor": "train_loss_best"} if kind == "Checkpoint" else {}
    callback = getattr(skorch.callbacks, kind)(dirname=tmp_path, **options)
    model.set_params(callbacks=[callback], early_stopping=early_stopping).fit(*ragged)
    assert list(tmp_path.glob("*params.pt"))


def test_callbacks_that_need_skorchs_data_are_refused(model, ragged):
    model.set_params(callbacks=[skorch.callbacks.EpochScoring("accuracy")])
    with pytest.raises(TypeError, match=r"EpochScoring needs skorch's own .*history"):
        model.fit(*ragged)
