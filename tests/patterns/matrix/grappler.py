"""Grappler: frozen graphs as TensorFlow's own optimiser leaves them, fused, folded and rearranged.

Each graph of the columns before is optimised with the optimisers that people ask for: constant folding folds batch norms
into kernels, the remapper writes ``_FusedConv2D`` and its kin, arithmetic optimisation reorders.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from . import keras_2, raw_tf1, slim
from .cell import Cell, Column, frozen_graph, v1

COLUMN = Column("Grappler")
PASSES = ("constfold", "remap", "arithmetic", "dependency", "function", "pruning")


def optimised(definition: Any, output: str, passes: Any = PASSES) -> Any:
    """The GraphDef after TensorFlow's meta optimiser, run for these passes alone."""
    from tensorflow.core.protobuf import config_pb2
    from tensorflow.python.grappler import tf_optimizer

    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition, name="")
        fetched = graph.get_tensor_by_name(f"{output}:0")
        graph.get_collection_ref("train_op").append(fetched)
        meta = v1.train.export_meta_graph(graph=graph)
    config = config_pb2.ConfigProto()
    rewrite = config.graph_options.rewrite_options
    rewrite.optimizers.extend(passes)
    rewrite.min_graph_nodes = -1
    rewrite.meta_optimizer_iterations = 2
    return tf_optimizer.OptimizeGraph(config, meta)


def of(cell: Cell) -> Callable[[], Any]:
    """A build that gives another cell's frozen graph, optimised; TensorFlow itself refuses to import some of them."""

    def build() -> Any:
        definition, output = frozen_graph(cell)
        return optimised(definition, output, passes(cell)), output

    return build


def folded(cell: Cell) -> tuple[Any, ...]:
    """The layers that constant folding leaves: a batch norm goes into the convolution before it, or has other arguments.

    One that a ReLU follows is fused with that instead (``_FusedBatchNormEx``) where it is a single op.
    """
    left: list[Any] = []
    alone = cell.layers[-1][0] == "Activation" and "not fused" not in cell.row
    for name, config in cell.layers:
        after = left and left[-1][0] == "Conv2D" and not alone
        if after and name == "BatchNormalization":
            left[-1] = ("Conv2D", {"use_bias": True})
        else:
            left.append((name, {} if name == "BatchNormalization" else config))
    return tuple(left)


def passes(cell: Cell) -> tuple[str, ...]:
    """All; without the remapper where oneDNN's fusions lose an epsilon (TensorFlow 2.21, ``_MklLayerNorm``)."""
    lost = "Layer" in cell.row or "Instance" in cell.row
    return tuple(each for each in PASSES if not (lost and each == "remap"))


TAKEN = [(raw_tf1, ""), (slim, "slim, "), (keras_2, "Keras 2, ")]
for module, prefix in TAKEN:
    for each in module.COLUMN.cells:
        COLUMN.cells.append(
            Cell(prefix + each.row, COLUMN.name, of(each), folded(each), frozen=True)
        )
