"""The registry: what is known of each op, and what a rule is told."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

import tests.ops
from graphscope import ops
from graphscope.graph import TensorSpec
from graphscope.ops import spellings
from graphscope.ops.registry import TABLE, define
from graphscope.wire import op_registry
from tests.ops import oracle


def test_a_second_definition_is_an_error() -> None:
    ops.table()
    with pytest.raises(ValueError, match="two definitions of op 'Relu'"):
        define("Relu")


def test_every_definition_names_an_op_of_tensorflow() -> None:
    unknown = [op for op in ops.table() if op_registry.find(op) is None]
    assert not unknown


# what TensorFlow has no function for, or runs no more: held against something else where the comment says
WITHOUT_ROW = {
    *(spellings.OF_VALUES.keys() - {"RefMerge"}),  # state/test_control.py
    *("DebugGradientRefIdentity", "_EagerConst", "_Retval"),  # one block with Identity
    *("_ArrayToList", "_ListToArray"),  # one block with IdentityN
    "BatchNormWithGlobalNormalization",  # nn/test_normalization.py: as Keras computes it
    "ReadVariableOp",  # state/test_variables.py
    "TopK",  # array/test_gathering.py: as TopKV2
    "XlaDynamicUpdateSlice",  # array/test_slicing.py
}


def test_every_op_with_a_text_or_a_fold_is_held_against_tensorflow() -> None:
    for module in pkgutil.walk_packages(tests.ops.__path__, "tests.ops."):
        importlib.import_module(module.name)
    meanings = ops.table().items()
    told = {op for op, m in meanings if m.keras is not None or m.fold is not None}
    assert told - oracle.OPS == WITHOUT_ROW


def test_an_unknown_op_has_no_meaning_and_a_registered_one_always_has() -> None:
    assert ops.meaning("MyCustomOp") is None
    assert ops.traits("MyCustomOp") == frozenset()
    assert all(ops.meaning(op) is not None for op in op_registry.registry())


def test_a_template_has_a_place_for_each_input_that_it_needs() -> None:
    for name, meaning in TABLE.items():
        if not isinstance(meaning.keras, str):
            continue
        definition = op_registry.find(name)
        assert definition is not None
        texts = [f"x{i}" for i in range(len(definition.input_arg))]
        attrs = {"alpha": 0.5, "tolerance": 0.5}
        assert ops.keras_text(ops.Call(name, attrs), texts), name


@pytest.mark.parametrize("op", sorted(ops.table()))
def test_no_rule_raises_whatever_the_file_says(op: str) -> None:
    """No inputs, too many, the wrong rank, impossible values, attributes of the wrong type or none."""
    scalar, big = TensorSpec("float32", ()), TensorSpec("float32", (2,) * 9)
    odd = np.array([-7, 10**12, 0])
    attr_names = [a.name for a in op_registry.registry()[op].attr]
    for attrs in (
        {},
        dict.fromkeys(attr_names, "x"),
        dict.fromkeys(attr_names, -1),
        dict.fromkeys(attr_names, (0, -2)),
    ):
        for specs in ((), (scalar,) * 2, (big,) * 7, (TensorSpec(),) * 3):
            for value in (None, odd, odd.astype(object), np.zeros(())):
                call = ops.Call(op, attrs, specs, [value] * len(specs))
                assert len(ops.shapes(call, 3)) == 3
                assert len(ops.values(call, 3, 64)) == 3
                texts = [f"x{i}" for i in range(len(specs))]
                ops.keras_text(call, texts)
                ops.tensorflow_text(op, attrs, texts)


def test_loading_costs_no_more_than_numpy_and_the_folder() -> None:
    """The registry is filled without the OpDefs being read, and without any library but numpy and protobuf; networkx is one no more."""
    code = (
        "import sys; from graphscope import ops; from graphscope.wire import op_registry; ops.table();"
        "print(op_registry.registry.cache_info().currsize,"
        " *sorted({'pandas', 'h5py', 'tensorflow', 'keras', 'networkx'} & set(sys.modules)))"
    )
    said = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert said.split() == ["0"]
