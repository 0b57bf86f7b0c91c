"""The table of messages in read/schema.py against TensorFlow's own descriptors, field for field."""

from __future__ import annotations

import pytest

from graphscope.wire import messages as proto

# of TensorFlow Serving's session_bundle/manifest.proto: TensorFlow 2 no longer carries it
ELSEWHERE = {
    "Signatures",
    "Signature",
    "RegressionSignature",
    "ClassificationSignature",
    "TensorBinding",
    "AssetFile",
    "GenericSignature",
    "Any",
    "BoolValue",
}


def tensorflow_messages() -> dict:
    """TensorFlow's message descriptors by the flat name that schema.py uses."""
    from tensorflow.core.framework import (
        function_pb2,
        graph_debug_info_pb2,
        graph_pb2,
        op_def_pb2,
        variable_pb2,
    )
    from tensorflow.core.protobuf import (
        control_flow_pb2,
        meta_graph_pb2,
        queue_runner_pb2,
        saved_model_pb2,
        saved_object_graph_pb2,
        tensor_bundle_pb2,
        trackable_object_graph_pb2,
    )
    from tensorflow.core.util import saved_tensor_slice_pb2
    from tensorflow.python.checkpoint import checkpoint_management

    modules = [
        function_pb2, graph_debug_info_pb2, graph_pb2, op_def_pb2, control_flow_pb2,
        meta_graph_pb2, queue_runner_pb2, saved_model_pb2, saved_object_graph_pb2,
        tensor_bundle_pb2, trackable_object_graph_pb2, variable_pb2, saved_tensor_slice_pb2,
    ]  # fmt: skip
    waiting = [
        d
        for module in modules
        for d in module.DESCRIPTOR.message_types_by_name.values()
    ]
    waiting.append(checkpoint_management.CheckpointState.DESCRIPTOR)
    found: dict = {}
    while waiting:
        message = waiting.pop()
        flat = message.full_name.removeprefix("tensorflow.").replace(".", "_")
        if flat in found:
            continue
        found[flat] = message
        waiting += message.nested_types
        waiting += [f.message_type for f in message.fields if f.message_type]
    return found


def described(message) -> dict:
    """Field -> what makes up its wire format."""
    return {
        field.name: (field.number, field.type, field.is_repeated)
        for field in message.fields
    }


@pytest.fixture(scope="module")
def theirs() -> dict:
    return tensorflow_messages()


def test_every_message_is_tensorflows(theirs: dict) -> None:
    missing = proto.names() - set(theirs) - ELSEWHERE
    assert not missing


def test_every_field_is_tensorflows(theirs: dict) -> None:
    for name in sorted(proto.names() - ELSEWHERE):
        own = described(getattr(proto, name).DESCRIPTOR)
        for field, told in described(theirs[name]).items():
            assert field in own, f"{name}.{field}"
            assert own[field] == told, f"{name}.{field}"
        assert set(own) == set(described(theirs[name])), name


def test_data_types_are_tensorflows() -> None:
    import tensorflow as tf

    for number, name in proto.DATA_TYPES.items():
        if number and number not in (31, 32, 33) and number < 100:
            assert tf.as_dtype(number).name == name
    assert proto.DATA_TYPES[101] == "float32_ref"
