"""Actors and critics of OpenAI's baselines: A2C and PPO, DDPG. Sources: baselines/common/policies.py and distributions.py, baselines/ddpg/models.py."""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, Width, count, has, size
from .trunk import ROLES, observations, trunk


def _title(actions: int | None, **_: object) -> str:
    return f"{actions} actions"


@family(
    "Actor and critic (baselines A2C, PPO)",
    "pi/c1/w",
    "pi/mlp_fc0/w",
    "vf/w",
    roles=ROLES,
    variant=_title,
)
def actor_critic(
    net: Net,
    seen: Size = size(),
    depth: int = count("pi/mlp_fc{}", start=0),
    critic_depth: int = count("vf/mlp_fc{}", start=0),
    actions: Size = size("pi/w"),
    spread: bool = has("pi/logstd"),
    own_eyes: bool = has("vf/c1/w"),
) -> None:
    """The scores of each action (or the mean of each), and what the state is worth."""
    x = observations(net, "pi", seen)
    latent = trunk(net, x, "pi", depth)
    net.dense(latent, "pi", actions)
    if spread:
        net.loose("pi/logstd", (1, actions))
    state = trunk(net, x, "vf", critic_depth) if critic_depth or own_eyes else latent
    net.dense(state, "vf", 1)


def _normed(net: Net, x: Handle, place: int, units: Size, normed: bool) -> Handle:
    """A dense layer, its norm where there is one, ReLU."""
    end = f"_{place}" if place else ""
    x = net.dense(x, f"dense{end}", units)
    if normed:
        x = net.layer_norm(x, f"LayerNorm{end}", 1e-12)
    return net.activation(x, "relu")


def _actor_and_critic(
    net: Net, scope: str, state: Handle, action: Handle, units: Size, normed: bool
) -> None:
    with net[f"{scope}actor"]:
        x = _normed(net, _normed(net, state, 0, units, normed), 1, units, normed)
        net.activation(net.dense(x, "dense_2", action.channels), "tanh")
    with net[f"{scope}critic"]:
        x = net.concatenate(_normed(net, state, 0, units, normed), action)
        net.dense(_normed(net, x, 1, units, normed), "dense_2", 1)


@family(
    "DDPG (baselines)",
    "actor/dense_2/kernel",
    "critic/dense_2/kernel",
    variant=lambda units, actions, **_: f"{actions} actions, {units} units",
)
def ddpg(
    net: Net,
    units: Size = size(),
    seen: Size = size(),
    actions: Size = size(),
    normed: bool = has("actor/LayerNorm/gamma"),
    target: bool = has("target_actor/dense/kernel"),
    normalised: bool = has("obs_rms/count"),
) -> None:
    """An action for a state, and what an action is worth in it; the targets are the same nets a little behind."""
    net.need(
        normed or normalised, "neither norms nor obs_rms: others name theirs so too"
    )
    chosen = net.stored_size("actor/dense_2/kernel", -1)
    if isinstance(actions, Width) and chosen:
        actions.meets(chosen)
    state, action = net.input(seen, rank=2), net.input(chosen, rank=2)
    _actor_and_critic(net, "", state, action, units, normed)
    if target:
        _actor_and_critic(net, "target_", state, action, units, normed)
    if normalised:
        for role in ("runningsum", "runningsumsq", "count"):
            shape = () if role == "count" else (state.channels,)
            net.beside(f"obs_rms/{role}", shape, "observations are normalised by it")
