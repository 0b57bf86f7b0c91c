"""Names from a model file -> layer names that Keras takes, and Python identifiers."""

from __future__ import annotations

import builtins
import keyword
import re

from ....wire import op_registry

_TAKEN = frozenset(dir(builtins)) | {"keras", "layers", "ops", "tf", "np", "numpy"}

_CALL = re.compile(r"(Stateful)?PartitionedCall(_\d+)?")


def layer_name(text: str) -> str:
    """The text as a layer name: letters, digits, ``_`` and ``-`` only; never empty.

    PyTorch takes no dot in the name of what holds a parameter.

    >>> layer_name("block/conv:0"), layer_name('x"); import os #'), layer_name("layer_._0")
    ('block_conv_0', 'x_import_os', 'layer_0')
    """
    return re.sub(r"(?<!_)_*[^A-Za-z0-9_\-]+_*", "_", text).strip("_-") or "layer"


def step_name(node: str) -> str:
    """The end of a node's path as a layer name, without the calls of functions on the way.

    >>> step_name("StatefulPartitionedCall_1/PartitionedCall/vae/sampling/normal/RandomStandardNormal")
    'sampling_normal_RandomStandardNormal'
    """
    parts = [part for part in node.split("/") if not _CALL.fullmatch(part)]
    return layer_name("/".join(parts[-3:] or [node]))


def identifier(text: str) -> str:
    """The text as a lower-case Python identifier that shadows nothing.

    >>> identifier("block/Conv 1"), identifier("2d"), identifier("class"), identifier("é")
    ('block_conv_1', 'x_2d', 'class_', 'x')
    """
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_").lower()
    if not name or name[0].isdigit():
        name = f"x_{name}" if name else "x"
    if keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in _TAKEN:
        name += "_"
    return name


_CALLED = re.compile(r"(Stateful)?PartitionedCall(_\d+)?|model(_\d+)?|_*")
_LONGEST = 24  # characters of a variable's name, where a shorter one says enough
_LONGEST_OP = 40  # of the name of a layer that is one op


def variable_name(node: str) -> str:
    """What a variable is called that holds what a node yields: its last scopes, as far as they are short.

    >>> variable_name("StatefulPartitionedCall/model_1/encoder/attention_2/stack_8")
    'attention_2_stack_8'
    """
    name = _last_scopes(node, _LONGEST)
    words = name.split("_")
    while len(words) > 1 and len("_".join(words)) > _LONGEST:
        words = words[1:]
    return identifier("_".join(words))


def op_name(node: str) -> str:
    """What a layer is called that is one op: its last scopes, not those of all the model.

    >>> op_name("StatefulPartitionedCall/model/nms/non_max_suppression/NonMaxSuppressionV3")
    'non_max_suppression_NonMaxSuppressionV3'
    """
    return layer_name(_last_scopes(node, _LONGEST_OP))


def _last_scopes(node: str, longest: int) -> str:
    """The last scopes of a node that are no calls, the first of them whatever its length."""
    *scopes, name = [p for p in node.split("/") if not _CALLED.fullmatch(p)] or [""]
    for scope in reversed(scopes):
        if len(scope) + len(name) + 1 > longest:
            break
        name = f"{scope}_{name}"
    return name or "x"


def class_identifier(text: str) -> str:
    """The text as the name of a class.

    >>> class_identifier("NonMaxSuppressionV3"), class_identifier("my op"), class_identifier("3d")
    ('NonMaxSuppressionV3', 'MyOp', 'Op3d')
    """
    words = re.split(r"\W+|_+", text, flags=re.ASCII)
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return name if name and not name[0].isdigit() else f"Op{name}"


def without_numbers(text: str) -> str:
    """The text less the numbers that it ends with: scanned from its end, for a name may be 32,000 characters long.

    >>> without_numbers("MatMul_1_2"), without_numbers("a_b1"), without_numbers("_1_1z")
    ('MatMul', 'a_b1', '_1_1z')
    """
    end = len(text)
    while True:
        place = end
        while place and text[place - 1].isdigit():
            place -= 1
        if place == end or not place or text[place - 1] != "_":
            return text[:end]
        end = place - 1


_OPERATORS = frozenset(
    """add sub mul truediv div floordiv mod pow neg transpose concat stack unstack split strided_slice range
    ones zeros ones_like zeros_like Mean Max MatMul embedding_lookup""".split()
)
_OP_LAYER = re.compile(r"tf(\.\w+)+|tf_op_layer_\w+")


def is_default_name(name: str, node: str) -> bool:
    """Whether nobody chose the name: it ends with what TensorFlow calls a node of this op by itself.

    >>> is_default_name("block_add_1", "net/block/add_1"), is_default_name("scores", "net/scores")
    (True, False)
    >>> is_default_name("block1_add", "net/block1_add/add")  # the scope of a layer of that name
    False
    >>> is_default_name("tf_reshape_3", "net/tf.reshape_3/Reshape")  # Keras 2's of a call of TensorFlow's
    True
    """
    *scopes, last = node.split("/")
    if any(_OP_LAYER.fullmatch(s) and name.endswith(layer_name(s)) for s in scopes):
        return True
    base = without_numbers(last)
    if base not in _OPERATORS and op_registry.find(base) is None:
        return False
    known = layer_name(last)
    if name != known and not name.endswith(f"_{known}"):
        return False
    chosen = [layer_name(scope) for scope in scopes if scope.endswith(last)]
    return not any(name == each or name.endswith(f"_{each}") for each in chosen)
