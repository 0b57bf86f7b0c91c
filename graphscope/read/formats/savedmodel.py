"""SavedModel, binary or text: meta graphs by tags, the variables folder, assets, the object graph of TF2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...errors import FormatError
from ...graph import Model
from ...graph.named_values import Message
from ...wire import messages as proto
from ...wire.protobuf import parse_graph
from ...wire.source import Source, beside, check_inside, exists, open_source, siblings
from ..detect.sniff import begins_like, reads_like
from ..options import Options

if TYPE_CHECKING:
    from ..checkpoint.saved_objects import SavedObjects

NAME = "SavedModel"
_VARIABLES = "variables/variables.index"


def recognises(source: Source) -> bool:
    return begins_like("SavedModel", source) or reads_like("SavedModel", source)


def read(source: Source, options: Options) -> Model:
    from ..checkpoint.bundle import read_bundle
    from ..checkpoint.saved_objects import SavedObjects
    from ..graphdef.model import model_of_metagraph

    if reads_like("SavedModel", source):
        message = proto.parse_text("SavedModel", source.text(), source.name)
    else:
        message = parse_graph("SavedModel", source)
    chosen = _chosen(message.meta_graphs, options.tags, source.name)
    model = model_of_metagraph(chosen, source, _name(chosen, source))
    remarks = [*model.remarks, *_remarks(message, chosen)]
    model = replace(
        model,
        assets=_assets(chosen),
        collections={**model.collections, **_keras(source)},
        remarks=tuple(remarks),
    )
    index = beside(source.name, _VARIABLES)
    if not exists(index):
        return _without_values(model, SavedObjects(chosen))
    folder = source.name.rpartition("/")[0]
    for path in siblings(index):
        check_inside(path, folder, source.name)
    return _joined(
        model,
        SavedObjects(chosen),
        read_bundle(open_source(index), options.check),
    )


def _chosen(metas: Sequence[Message], tags: tuple[str, ...], name: str) -> Message:
    if not len(metas):
        raise FormatError(f"{name}: a SavedModel without a meta graph")
    sets = [set(meta.meta_info_def.tags) for meta in metas]
    if tags:
        for meta, own in zip(metas, sets):
            if own == set(tags):
                return meta
        choices = "; ".join(",".join(sorted(own)) or "(none)" for own in sets)
        raise FormatError(
            f"{name}: no meta graph has the tags {','.join(tags)}; there are {choices}"
        )
    for meta, own in zip(metas, sets):
        if own == {"serve"}:
            return meta
    ranked = sorted(
        range(len(metas)), key=lambda n: ("serve" not in sets[n], len(sets[n]))
    )
    return metas[ranked[0]]


def _name(meta: Message, source: Source) -> str:
    if exists(beside(source.name, "tfhub_module.pb")):
        return "TF1 hub module"
    return f"{NAME} v{2 if meta.HasField('object_graph_def') else 1}"


def _remarks(message: Message, chosen: Message) -> list[str]:
    if len(message.meta_graphs) < 2:
        return []
    sets = [
        ",".join(meta.meta_info_def.tags) or "(none)" for meta in message.meta_graphs
    ]
    own = ",".join(chosen.meta_info_def.tags) or "(none)"
    return [f"{len(sets)} meta graphs (tags {'; '.join(sets)}); this is {own}"]


def _assets(meta: Message) -> dict[str, str]:
    """The tensor that each asset is fed to -> its file name below ``assets/``."""
    return {asset.tensor_info.name: asset.filename for asset in meta.asset_file_def}


def _keras(source: Source) -> dict[str, tuple[object, ...]]:
    """What Keras wrote beside the model, as text: it is shown, never deserialised."""
    path = beside(source.name, "keras_metadata.pb")
    if not exists(path):
        return {}
    check_inside(path, source.name.rpartition("/")[0], source.name)
    data = open_source(path)
    return {"keras_metadata": (data.read(0, data.size),)}


def _without_values(model: Model, saved: SavedObjects) -> Model:
    if not model.variables:
        return model  # frozen, or nothing to learn
    from ..checkpoint.saved_objects import without_values

    model = without_values(model, saved)
    count = len(model.variables)
    remark = f"no {_VARIABLES} beside it: its {count} variables have no values"
    return replace(model, remarks=(*model.remarks, remark))


def _joined(model: Model, saved: SavedObjects, weights: Any) -> Model:
    from ..checkpoint.model import model_of_weights
    from ..variables.restore_ops import keys_of, keys_of_copied
    from ..variables.roles import joined_variables

    weighted = model_of_weights(weights, model.source, "", saved.trackables())
    keys = keys_of(model.graph, model.functions, weights)
    keys |= saved.keys_of_nodes(model, keys, weights)
    keys |= keys_of_copied(model.graph, keys, weights)
    joined = joined_variables(weighted.variables, model.graph, keys, model.collections)
    trained = saved.trained()
    remark = (
        replace(v, trainable=trained[v.path]) if v.path in trained else v
        for v in joined
    )
    return replace(
        model,
        weights=weights,
        keys=keys,
        variables=tuple(remark),
        remarks=(*model.remarks, *weighted.remarks),
    )
