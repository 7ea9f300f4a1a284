"""Trained nets as plain data: Python values and numpy arrays.

A pickled net would name classes of skorch and torch, whose releases may change them.
The plain data needs neither library to be read. The arrays share the memory of the net.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_rnn._core.device import resolve_device
from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._nn.description import (
    build_described,
    describe_network,
    list_arrays,
    to_shared_array,
)
from sklearn_rnn._training.averaging import WeightAverage
from sklearn_rnn._training.net import RecurrentNet, make_net
from sklearn_rnn._training.optimizers import OF_OPTIMIZERS, list_own_attributes

# Types of the attributes of a user's optimizer that are stored.
STORED_ATTRIBUTES = (bool, int, float, str, type(None), Tensor)


def pack_net(net: RecurrentNet) -> dict[str, Any]:
    """Return everything that predictions and further training need, as plain data."""
    module = net.module_
    frozen = [name for name, p in module.named_parameters() if not p.requires_grad]
    attributes = pack_attributes(net.optimizer_)
    shared = {"attributes": attributes} if attributes else {}
    return {
        "network": describe_network(module),
        "weights": list_arrays(module),
        "frozen": frozen,
        "device": str(net.device),
        "learning_rate": net.lr,
        "weight_decay": net.weight_decay,
        "own_schedule": net.own_schedule,
        "history": [dict(row) for row in net.history],
        "average": pack_average(net.average_),
        "optimizer": pack_optimizer(net.optimizer_),
        **shared,
    }


def unpack_net(state: Mapping[str, Any], estimator: Any) -> RecurrentNet:
    """Build the net that :func:`pack_net` packed.

    The classes of net and optimizer are those of the fitted ``estimator``. If its
    device is not available, the net is moved to the CPU with a warning.

    Raises
    ------
    ValueError, LookupError, TypeError
        If the state is not valid.
    """
    fixed = estimator._fixed_on_warm_start
    module = build_described(state["network"], state["weights"], fixed["cell"])
    for name in state["frozen"]:
        module.get_parameter(name).requires_grad_(False)
    net = make_net(
        estimator._net_class,
        module,
        nn.Identity(),  # continue_net sets the loss
        optimizer=fixed["optimizer"],
        learning_rate=state["learning_rate"],
        weight_decay=state["weight_decay"],
        average=state["average"] is not None,
        callbacks=None,
        device=_find_device(state["device"]),
        **estimator._net_options(),
    )
    net.own_schedule = state["own_schedule"]
    net.history.extend(dict(row) for row in state["history"])
    restore_average(net.average_, state["average"])
    restore_optimizer(net.optimizer_, state["optimizer"])
    restore_attributes(net.optimizer_, state.get("attributes", {}), net.device)
    net.module_.eval()
    return net


def _find_device(name: str) -> torch.device:
    try:
        return resolve_device(name)
    except (ImportError, RuntimeError, TypeError, ValueError) as error:
        warn_user(
            f"the model was trained on the device {name!r}, which is not available "
            f"here, and is moved to the CPU ({error})"
        )
        return torch.device("cpu")


def pack_average(average: WeightAverage | None) -> dict[str, Any] | None:
    """Return the average of the weights as plain data."""
    if average is None:
        return None
    arrays = [to_shared_array(weight) for weight in average.weights]
    return {"weights": arrays, "n_steps": average.n_steps}


@torch.no_grad()
def restore_average(
    average: WeightAverage | None, state: Mapping[str, Any] | None
) -> None:
    """Set the average to the state that :func:`pack_average` returned."""
    if average is None and state is None:
        return
    if average is None or state is None:
        raise ValueError("the average of the weights is missing or not expected.")
    average.n_steps = int(state["n_steps"])
    for weight, array in zip(average.weights, state["weights"], strict=True):
        _copy_array(weight, array)


def pack_optimizer(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return the options and the state of an optimizer as plain data.

    Tensors become arrays. There is one state per parameter, in the order of the groups.
    If a user's optimizer stores other entries in its ``state``, they are contained too.

    Raises
    ------
    TypeError
        If the key of such an entry is not a string or an integer.
    """
    groups = [
        {name: _pack(value) for name, value in group.items() if name != "params"}
        for group in optimizer.param_groups
    ]
    parameters = _list_parameters(optimizer)
    states = [_pack(optimizer.state.get(p, {})) for p in parameters]
    ids = {id(p) for p in parameters}
    others = {k: _pack(v) for k, v in optimizer.state.items() if id(k) not in ids}
    if unknown := [key for key in others if not isinstance(key, str | int)]:
        raise TypeError(
            f"the state of the optimizer has a key of type {type(unknown[0]).__name__}"
            ", which cannot be stored. Use parameters and strings as keys."
        )
    shared = {"others": others} if others else {}
    return {"groups": groups, "states": states, **shared}


def restore_optimizer(
    optimizer: torch.optim.Optimizer, state: Mapping[str, Any]
) -> None:
    """Set the options and the state that :func:`pack_optimizer` returned."""
    for group, options in zip(optimizer.param_groups, state["groups"], strict=True):
        if "params" in options:
            raise ValueError("the options of an optimizer contain parameters.")
        group.update({name: _unpack(v, None) for name, v in options.items()})
    is_fused = any(group.get("fused") for group in optimizer.param_groups)
    parameters = _list_parameters(optimizer)
    for parameter, packed in zip(parameters, state["states"], strict=True):
        if is_fused:  # the kernel would read beyond the end of smaller tensors
            _require_same_shapes(packed, parameter)
        if packed:
            optimizer.state[parameter] = _unpack(packed, parameter)
    others = _unpack(state.get("others", {}), None)
    optimizer.state.update(others)


def list_users_attributes(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return the attributes that a user's class of optimizers has added.

    Those of torch's optimizers do not change in training, except for their state.
    """
    if type(optimizer).__module__.startswith(("sklearn_rnn.", "torch.")):
        return {}
    return list_own_attributes(optimizer)


def pack_attributes(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return the attributes of a user's optimizer that are plain values or tensors."""
    return {
        name: _pack(value)
        for name, value in list_users_attributes(optimizer).items()
        if isinstance(value, STORED_ATTRIBUTES)
    }


def restore_attributes(
    optimizer: torch.optim.Optimizer, state: Mapping[str, Any], device: Any
) -> None:
    """Set the attributes that :func:`pack_attributes` returned."""
    for name, value in state.items():
        if name in OF_OPTIMIZERS or callable(getattr(type(optimizer), name, None)):
            raise ValueError(f"{name!r} is not an attribute that an optimizer adds.")
        is_array = isinstance(value, np.ndarray)
        value = torch.from_numpy(np.array(value)).to(device) if is_array else value
        vars(optimizer)[name] = value


def _list_parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [p for group in optimizer.param_groups for p in group["params"]]


def _pack(value: Any) -> Any:
    """Return nested values with arrays in place of tensors."""
    if isinstance(value, Tensor):
        return to_shared_array(value)
    if isinstance(value, dict):
        return {name: _pack(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_pack(part) for part in value)
    return value


def _unpack(value: Any, parameter: Tensor | None) -> Any:
    """Return nested values with tensors in place of arrays.

    They are on the device of ``parameter``. Those of its shape have its strides, as
    fused optimizers require.
    """
    if isinstance(value, np.ndarray):
        tensor = torch.from_numpy(np.array(value))
        if parameter is None:
            return tensor
        if tensor.shape != parameter.shape:
            return tensor.to(parameter.device)
        return torch.empty_like(parameter, dtype=tensor.dtype).copy_(tensor)
    if isinstance(value, dict):
        return {name: _unpack(part, parameter) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_unpack(part, parameter) for part in value)
    return value


def _require_same_shapes(state: Mapping[str, Any], parameter: Tensor) -> None:
    """Check that arrays have the shape and type of the weights they belong to.

    Only the number of steps is a single number.
    """
    expected = tuple(parameter.shape), str(parameter.dtype).removeprefix("torch.")
    for name, value in state.items():
        found = np.shape(value), str(getattr(value, "dtype", ""))
        fits = found[0] == () if name == "step" else found == expected
        if not fits and value is not None:
            raise ValueError(
                f"{name} of the optimizer has the shape {found[0]} and type {found[1]} "
                f"for weights of the shape {expected[0]} and type {expected[1]}."
            )


def _copy_array(tensor: Tensor, array: np.ndarray) -> None:
    if array.shape != tuple(tensor.shape):
        raise ValueError(
            f"an average has the shape {array.shape}, expected {tuple(tensor.shape)}."
        )
    tensor.copy_(torch.from_numpy(np.array(array)))
