"""Deep Q-networks of OpenAI's baselines. Source: baselines/deepq/models.py, of 2017 (``cnn_to_mlp``, ``mlp``) and of 2018 (``build_q_func``)."""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, count, has, number, size
from .trunk import observations, square_side, trunk

_HEAD = {"kernel": ("weights", "w"), "bias": ("biases", "b")}
_STRIDES = (4, 2, 1)
_KERNELS = (8, 4, 3)
_ATARI = 84  # rows and columns of an Atari screen as everybody feeds it


def _linear(net: Net, x: Handle, scope: str, place: int, units: Size) -> Handle:
    end = f"_{place}" if place else ""
    return net.dense(x, f"{scope}fully_connected{end}", units)


def _hidden(net: Net, x: Handle, root: str, scope: str, units: Size) -> Handle:
    """Dense layers and ReLU as many as the file has, and a last one without."""
    place = 0
    path = f"{root}/{scope}fully_connected"
    while net.stored_size(f"{path}_{place + 1}/weights", 0) is not None:
        x = _linear(net, x, scope, place, None)
        norm = f"{scope}LayerNorm" + (f"_{place}" if place else "")
        if net.stored_size(f"{root}/{norm}/gamma", 0) is not None:
            x = net.layer_norm(x, norm, 1e-12)
        x = net.activation(x, "relu")
        place += 1
    return _linear(net, x, scope, place, units)


def _duel(net: Net, value: Handle, scores: Handle, actions: Size) -> Handle:
    """The worth of the state, and of each action how much better than the mean it is."""
    rows = net.reshape(scores, (number(actions) or 0, 1))
    mean = net.layer("GlobalAveragePooling1D", "mean", (rows,), {}, {}, 1)
    better = net.layer("Subtract", "advantage", (scores, mean), {}, {}, actions)
    return net.add(better, value)


def _convnet(net: Net, image: Handle, root: str) -> Handle:
    x = image
    with net["convnet"]:
        for place, (size_, strides) in enumerate(zip(_KERNELS, _STRIDES, strict=True)):
            name = f"Conv_{place}" if place else "Conv"
            x = net.conv(x, name, None, size_, strides, activation="relu")
    rows = net.stored_size(f"{root}/action_value/fully_connected/weights", 0) or 0
    side = square_side(net, x, rows, f"{root}/action_value/fully_connected")
    screen = _ATARI if side == -(-_ATARI // 8) else 8 * side
    net.sized(image, screen, screen)
    return net.flatten(x, rows)


def _q(net: Net, x: Handle, root: str, depth: int, actions: Size) -> None:
    """What each action is worth; ``root`` is where the weights of this copy lie."""
    if depth or net.stored_size(f"{root}/c1/w", 0) is not None:
        x = trunk(net, x, root, depth)
    with net[root]:
        if net.stored_size(f"{root}/convnet/Conv/weights", 0) is not None:
            x = _convnet(net, x, root)
        elif net.stored_size(f"{root}/action_value/fully_connected/weights", 0) is None:
            _hidden(net, x, root, "", actions)
            return
        scores = _hidden(net, x, root, "action_value/", actions)
        if net.stored_size(f"{root}/state_value/fully_connected/weights", 0):
            _duel(net, _hidden(net, x, root, "state_value/", 1), scores, actions)


@family(
    "Deep Q-network (baselines)",
    "q_func/convnet/Conv/weights",
    "q_func/action_value/fully_connected/weights",
    "q_func/fully_connected/weights",
    roles=_HEAD,
    variant=lambda actions, duelling, **_: f"{actions} actions"
    + (", duelling" if duelling else ""),
)
def deep_q(
    net: Net,
    seen: Size = size(),
    depth: int = count("q_func/mlp_fc{}", start=0),
    actions: Size = size(),
    duelling: bool = has("q_func/state_value/fully_connected/weights"),
    target: bool = has("target_q_func/fully_connected/weights"),
    target_head: bool = has("target_q_func/action_value/fully_connected/weights"),
    explores: bool = has("eps"),
) -> None:
    """What each action is worth; the target is the same net a little behind. Screens come as 0 to 1 in the form of 2017."""
    is_screen = net.stored_size("q_func/convnet/Conv/weights", 0) is not None
    x = net.input(seen) if is_screen else observations(net, "q_func", seen)
    _q(net, x, "q_func", depth, actions)
    if target or target_head:
        _q(net, x, "target_q_func", depth, actions)
    if explores:
        net.beside("eps", (), "how often an action is drawn")
