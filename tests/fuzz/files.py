"""Hostile files by the thousand, each a folder with one file to open: mutations of real ones, a grammar of graphs, damage."""

from __future__ import annotations

import io
import json
import os
import random
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from graphscope.errors import GraphscopeError
from graphscope.wire import messages as proto
from graphscope.wire import op_registry
from tests.read.tables import block, table

WEAPONS = (
    "__import__('os').system('id')",
    '"); import os; os.system("id"); ("',
    "<script>alert(1)</script>",
    "</td><img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "\x1b[2J\x1b]0;pwned\x07",
    "../../../../etc/passwd",
    "a\nb\r\nc\0d",
    '"]; evil [label="',
    "{{7*7}}${7*7}%s%n",
    "\u202e\ud7ff\uffff",
    "x:²",
    "x:" + "1" * 5000,
    "_1" * 3000 + "z",
    "_" * 3000 + "/",
    "a/" * 2000,
    "^",
    "",
    ":",
    "con.",
)
NUMBERS = (0, 1, -1, 2, 7, 255, 1 << 16, 1 << 31, (1 << 31) - 1, 1 << 40, (1 << 63) - 1)
NUMBERS += (-(1 << 63), -2, -(1 << 31))
SUFFIXES = ".pb .meta .pbtxt .h5 .keras .tflite .index .json .bytes .ckpt".split()
LARGEST_SEED = 300_000  # bytes
MAGIC_MESSAGES = ("GraphDef", "MetaGraphDef", "SavedModel")


def seeds(corpus: Path) -> list[Path]:
    """The small model files of the corpus; none where it is absent."""
    return sorted(
        path
        for path in corpus.rglob("*")
        if path.is_file()
        and (path.suffix in SUFFIXES or path.name == "checkpoint")
        and path.stat().st_size < LARGEST_SEED
    )


def write_case(draw: random.Random, folder: Path, found: list[Path]) -> Path:
    """One case in a folder; returns what is to be opened."""
    makers: list[Callable[..., Path]] = [grammar, grammar, keras_archive, hdf5, bundle]
    makers += [tfjs, saved_model, text]
    if found:
        makers += [mutated_message, mutated_message, damaged, damaged, crossed]
    return draw.choice(makers)(draw, folder, found)


# --- real files, changed


def damaged(draw: random.Random, folder: Path, found: list[Path]) -> Path:
    """Bytes changed, cut out, doubled or cut off, beside the untouched files of the same checkpoint."""
    seed = draw.choice(found)
    for sibling in seed.parent.glob(f"{seed.stem}*"):
        if sibling.is_file() and sibling.stat().st_size < LARGEST_SEED:
            (folder / sibling.name).write_bytes(sibling.read_bytes())
    path = folder / seed.name
    path.write_bytes(noisy(draw, seed.read_bytes()))
    return path


def noisy(draw: random.Random, data: bytes) -> bytes:
    broken = bytearray(data)
    for _ in range(draw.choice([1, 1, 2, 5, 20])):
        place = draw.randrange(max(1, len(broken)))
        kind = draw.randrange(6)
        if kind == 0:
            broken[place : place + 1] = draw.randbytes(1)
        elif kind == 1:
            broken[place : place + 8] = draw.choice(NUMBERS).to_bytes(
                8, "little", signed=True
            )
        elif kind == 2:
            del broken[place : place + draw.randrange(1, 40)]
        elif kind == 3:
            broken[place:place] = broken[place : place + draw.randrange(1, 200)]
        elif kind == 4:
            broken[place : place + 1] = b"\xff"
        elif draw.random() < 0.3:
            del broken[place:]
    return bytes(broken)


def crossed(draw: random.Random, folder: Path, found: list[Path]) -> Path:
    """The beginning of one file and the end of another."""
    one, other = draw.choice(found).read_bytes(), draw.choice(found).read_bytes()
    path = folder / f"m{draw.choice(SUFFIXES)}"
    path.write_bytes(
        one[: draw.randrange(len(one) + 1)] + other[draw.randrange(len(other) + 1) :]
    )
    return path


def mutated_message(draw: random.Random, folder: Path, found: list[Path]) -> Path:
    """A GraphDef, MetaGraphDef or SavedModel whose fields were changed one by one: still a message."""
    for _ in range(20):
        seed = draw.choice(found)
        data = seed.read_bytes()
        for kind in (MAGIC_MESSAGES if seed.suffix in (".pb", ".meta") else ())[
            :: draw.choice([1, -1])
        ]:
            try:
                message = proto.parse(kind, data, seed.name)
            except GraphscopeError:
                continue
            graphs = list(graphs_in(message))
            if not any(graph.node for graph in graphs):
                continue
            for _ in range(draw.choice([1, 1, 2, 4, 12])):
                mutate(draw, draw.choice(graphs))
            path = folder / seed.name
            path.write_bytes(message.SerializeToString())
            return path
    return grammar(draw, folder, found)


def graphs_in(message: Any) -> Iterator[Any]:
    if hasattr(message, "meta_graphs"):
        for meta in message.meta_graphs:
            yield meta.graph_def
    elif hasattr(message, "graph_def"):
        yield message.graph_def
    else:
        yield message


def mutate(draw: random.Random, graph: Any) -> None:
    bodies = [graph.node, *(function.node_def for function in graph.library.function)]
    nodes = draw.choice([body for body in bodies if len(body)] or [graph.node])
    if not len(nodes):
        return
    node, other = draw.choice(nodes), draw.choice(nodes)
    kind = draw.randrange(10)
    if kind == 0:
        node.op = draw.choice([*OPS, other.op, *WEAPONS])
    elif kind == 1:
        node.name = draw.choice([other.name, *WEAPONS])
    elif kind == 2 and len(node.input):
        node.input[draw.randrange(len(node.input))] = draw.choice(
            [other.name, node.name, f"{other.name}:{draw.randrange(70000)}", *WEAPONS]
        )
    elif kind == 3 and len(node.input):
        del node.input[draw.randrange(len(node.input))]
    elif kind == 4:
        node.input.extend([other.name] * draw.choice([1, 2, 300]))
    elif kind == 5 and len(node.attr):
        del node.attr[draw.choice(sorted(node.attr))]
    elif kind in (6, 7, 8) and len(node.attr):
        change_value(draw, node.attr[draw.choice(sorted(node.attr))])
    elif len(other.attr):
        key = draw.choice(sorted(other.attr))
        node.attr[key].CopyFrom(other.attr[key])


def change_value(draw: random.Random, value: Any) -> None:
    kind = value.WhichOneof("value")
    if kind == "i":
        value.i = draw.choice(NUMBERS)
    elif kind == "s":
        value.s = draw.choice(WEAPONS).encode("utf-8", "surrogatepass")
    elif kind == "type":
        value.type = draw.choice([0, 1, 3, 7, 9, 20, 21, 101, 999, (1 << 31) - 1])
    elif kind == "f":
        value.f = draw.choice([float("nan"), float("inf"), -0.0, 1e38])
    elif kind == "shape":
        change_shape(draw, value.shape)
    elif kind == "tensor":
        tensor = value.tensor
        turn = draw.randrange(4)
        if turn == 0:
            tensor.dtype = draw.choice([0, 1, 3, 7, 9, 19, 20, 999])
        elif turn == 1:
            tensor.tensor_content = noisy(draw, tensor.tensor_content or b"\0" * 8)
        else:
            change_shape(draw, tensor.tensor_shape)
    elif kind == "list":
        value.list.i.extend([draw.choice(NUMBERS)])
    else:
        value.i = draw.choice(NUMBERS)


def change_shape(draw: random.Random, shape: Any) -> None:
    if len(shape.dim) and draw.random() < 0.6:
        draw.choice(shape.dim).size = draw.choice(NUMBERS)
    elif draw.random() < 0.5:
        shape.dim.add(size=draw.choice(NUMBERS))
    else:
        shape.unknown_rank = True


# --- graphs from a grammar

OPS = sorted(op_registry.registry())
COMMON = """Add AddV2 Sub Mul RealDiv MatMul Conv2D BiasAdd Relu Softmax Reshape Transpose Concat ConcatV2 Split Pack Unpack
Shape StridedSlice Slice Gather GatherV2 Tile Fill Range Sum Mean Max Prod Squeeze ExpandDims Identity IdentityN Cast
Placeholder Const VariableV2 VarHandleOp ReadVariableOp AssignVariableOp Switch Merge Enter Exit NextIteration LoopCond
FusedBatchNormV3 MaxPool AvgPool Pad OneHot Einsum While StatelessWhile If PartitionedCall TensorArrayV3 TensorListReserve
Select Where Pow Rsqrt Square SquaredDifference Sqrt LeakyRelu Elu Sigmoid Tanh DepthwiseConv2dNative LookupTableFindV2
HashTableV2 QueueDequeueV2 SaveV2 RestoreV2 BatchToSpaceND SpaceToBatchND ResizeBilinear Cumsum TopKV2 ZerosLike Neg""".split()


def grammar(draw: random.Random, folder: Path, found: list[Path]) -> Path:
    """A graph of any ops, mostly with the attributes and inputs that they want; deep, wide, cyclic or doubled in places."""
    graph = proto.GraphDef()
    random_nodes(draw, graph, draw.choice([3, 10, 40, 120]))
    for shape in draw.sample(SHAPES, draw.choice([0, 1, 1, 2])):
        shape(draw, graph)
    for _ in range(draw.choice([0, 0, 1, 3])):
        mutate(draw, graph)
    path = folder / "m.pb"
    path.write_bytes(graph.SerializeToString())
    return path


def random_nodes(draw: random.Random, graph: Any, count: int) -> None:
    names: list[str] = []
    for number in range(count):
        op = draw.choice(COMMON if draw.random() < 0.9 else OPS)
        node = graph.node.add(name=f"n{number}", op=op)
        if draw.random() < 0.03:
            node.name = draw.choice(WEAPONS) + str(number)
        definition = op_registry.find(op)
        dtype = draw.choice([1, 1, 1, 3, 9, 10, 7])
        for attr in definition.attr if definition is not None else ():
            fill_attr(draw, node, attr, dtype)
        for arg in definition.input_arg if definition is not None else ():
            times = node.attr[arg.number_attr].i if arg.number_attr else 1
            if arg.type_list_attr:
                times = len(node.attr[arg.type_list_attr].list.type)
            for _ in range(min(max(times, 0), 40) if names else 0):
                port = f":{draw.randrange(3)}" if draw.random() < 0.05 else ""
                node.input.append(
                    draw.choice(names[-12:] if draw.random() < 0.8 else names) + port
                )
        names.append(node.name)


def fill_attr(draw: random.Random, node: Any, attr: Any, dtype: int) -> None:
    value = node.attr[attr.name]
    if attr.HasField("default_value") and draw.random() < 0.8:
        value.CopyFrom(attr.default_value)
    elif attr.type == "type":
        value.type = dtype
    elif attr.type == "int":
        value.i = draw.choice(
            [1, 2, 3, 2, 1, 4, draw.choice(NUMBERS) if draw.random() < 0.1 else 2]
        )
    elif attr.type == "shape":
        for _ in range(draw.randrange(4)):
            value.shape.dim.add(size=draw.choice([-1, 1, 2, 3, 8, 16]))
    elif attr.type == "tensor":
        fill_tensor(draw, value.tensor, dtype)
    elif attr.type == "string":
        value.s = draw.choice([b"SAME", b"VALID", b"NHWC", b"w", b"x"])
    elif attr.type == "list(type)":
        value.list.type.extend([dtype] * draw.randrange(1, 4))
    elif attr.type == "list(int)":
        value.list.i.extend(draw.choice([[1, 1, 1, 1], [1, 2, 2, 1], [0], [1]]))
    elif attr.type == "func":
        value.func.name = draw.choice(["f0", "f1", "gone"])
    elif attr.type == "bool":
        value.b = draw.random() < 0.5
    elif attr.type == "float":
        value.f = draw.random()


def fill_tensor(draw: random.Random, tensor: Any, dtype: int) -> None:
    tensor.dtype = dtype
    shape = [draw.choice([1, 2, 3, 4]) for _ in range(draw.randrange(4))]
    for size in shape:
        tensor.tensor_shape.dim.add(size=size)
    kinds = {1: "f4", 3: "i4", 9: "i8", 10: "?"}
    if dtype in kinds:
        array = np.array(draw.choices(range(-1, 4), k=int(np.prod(shape)) or 1))
        tensor.tensor_content = array.astype(kinds[dtype])[
            : int(np.prod(shape))
        ].tobytes()
    else:
        tensor.string_val.append(draw.choice(WEAPONS).encode("utf-8", "surrogatepass"))


def doubled(draw: random.Random, graph: Any) -> None:
    """A value that is joined, added or multiplied with itself again and again."""
    op = draw.choice(["ConcatV2", "AddV2", "Mul", "Pack", "AddN"])
    of_shape = draw.random() < 0.5
    start = graph.node.add(name="d", op="Shape" if of_shape else "Const")
    if of_shape:
        graph.node.add(name="dx", op="Placeholder").attr["dtype"].type = 1
        start.input.append("dx")
        start.attr["T"].type, start.attr["out_type"].type = 1, 3
    else:
        start.attr["dtype"].type = 3
        fill_tensor(draw, start.attr["value"].tensor, 3)
    axis = graph.node.add(name="daxis", op="Const")
    axis.attr["dtype"].type = axis.attr["value"].tensor.dtype = 3
    axis.attr["value"].tensor.int_val.append(0)
    last = "d"
    for number in range(draw.choice([8, 20, 40])):
        node = graph.node.add(name=f"d{number}", op=op, input=[last, last])
        node.attr["T"].type = node.attr["Tidx"].type = 3
        node.attr["N"].i = 2
        if op == "ConcatV2":
            node.input.append("daxis")
        last = node.name
    end = graph.node.add(name="dend", op=draw.choice(["Reshape", "Fill", "Tile"]))
    end.input.extend(["n0", last] if end.op != "Fill" else [last, "n0"])


def deep(draw: random.Random, graph: Any) -> None:
    last = graph.node[0].name
    op = draw.choice(["Relu", "Identity", "Neg", "Enter", "Exit", "Reshape"])
    for number in range(draw.choice([300, 3000])):
        node = graph.node.add(name=f"e{number}", op=op, input=[last])
        if op == "Reshape":
            node.input.append(last)
        node.attr["T"].type = 1
        last = node.name


def wide(draw: random.Random, graph: Any) -> None:
    node = graph.node.add(
        name="wide", op=draw.choice(["AddN", "ConcatV2", "Pack", "IdentityN"])
    )
    count = draw.choice([100, 3000])
    node.input.extend([graph.node[0].name] * count)
    node.attr["N"].i, node.attr["T"].type = count, 1
    split = graph.node.add(name="split", op="Unpack", input=["wide"])
    split.attr["num"].i = draw.choice([count, *NUMBERS])
    split.attr["T"].type = 1


def calls(draw: random.Random, graph: Any) -> None:
    """Functions that call the next one twice, or themselves."""
    depth = draw.choice([2, 10, 30])
    for number in range(depth):
        function = graph.library.function.add()
        function.signature.name = f"f{number}"
        function.signature.input_arg.add(name="a", type=1)
        function.signature.output_arg.add(name="o", type=1)
        target = (
            f"f{number + 1}"
            if number + 1 < depth
            else draw.choice(["f0", "gone", "f1"])
        )
        before = "a"
        for turn in range(2):
            node = function.node_def.add(
                name=f"c{turn}", op="PartitionedCall", input=[before]
            )
            node.attr["f"].func.name = target
            node.attr["Tin"].list.type.append(1)
            node.attr["Tout"].list.type.append(1)
            before = f"c{turn}:output:0"
        function.ret["o"] = before
    call = graph.node.add(
        name="call", op="StatefulPartitionedCall", input=[graph.node[0].name]
    )
    call.attr["f"].func.name = "f0"
    call.attr["Tin"].list.type.append(1)
    call.attr["Tout"].list.type.append(1)


def cycle(draw: random.Random, graph: Any) -> None:
    node = draw.choice(graph.node)
    other = draw.choice(graph.node)
    node.input.append(draw.choice([f"^{other.name}", other.name]))


def twice(draw: random.Random, graph: Any) -> None:
    graph.node.add().CopyFrom(draw.choice(graph.node))


SHAPES = [doubled, deep, wide, calls, cycle, twice]


# --- other containers


def keras_config(draw: random.Random) -> Any:
    """A model of layers, some of whose fields are of another kind than Keras writes."""
    classes = "Dense Conv2D LSTM Flatten Add Lambda InputLayer BatchNormalization Model Functional Sequential Embedding".split()
    layers = []
    for number in range(draw.choice([1, 3, 12])):
        name = draw.choice([f"l{number}", f"l{number}", draw.choice(WEAPONS)])
        inbound: Any = [[[f"l{max(0, number - 1)}", 0, 0, {}]]] if number else []
        layers.append(
            {
                "class_name": draw.choice([*classes, draw.choice(WEAPONS)]),
                "name": name,
                "config": {
                    "name": name,
                    "units": draw.choice([3, *NUMBERS]),
                    "batch_shape": [None, 4],
                },
                "inbound_nodes": inbound,
            }
        )
    config: Any = {
        "class_name": draw.choice(["Functional", "Sequential", draw.choice(WEAPONS)]),
        "config": {
            "name": "m",
            "layers": layers,
            "input_layers": [["l0", 0, 0]],
            "output_layers": [[f"l{len(layers) - 1}", 0, 0]],
        },
    }
    for _ in range(draw.choice([0, 1, 2])):
        spoil(draw, config)
    return config


def spoil(draw: random.Random, value: Any) -> None:
    """Put something else at one place of a JSON document."""
    while isinstance(value, dict | list) and value:
        key = (
            draw.choice(sorted(value))
            if isinstance(value, dict)
            else draw.randrange(len(value))
        )
        if not isinstance(value[key], dict | list) or draw.random() < 0.25:
            value[key] = draw.choice(
                [None, [], {}, 3, -1, 1e400, "x", True, [[[]]], *WEAPONS]
            )
            return
        value = value[key]


def hdf5_bytes(draw: random.Random, config: Any) -> bytes:
    import h5py

    held = io.BytesIO()
    with h5py.File(held, "w", track_order=draw.random() < 0.3) as file:
        file.attrs["layer_names"] = [f"l{n}" for n in range(4)]
        file.attrs["keras_version"] = "2.4.0"
        if config is not None:
            file.attrs["model_config"] = json.dumps(config).encode(
                "utf-8", "surrogatepass"
            )[:60000]
        for number in range(4):
            group = file.create_group(f"l{number}")
            group.attrs["weight_names"] = [f"l{number}/kernel:0", f"l{number}/bias:0"]
            inner = group.create_group(f"l{number}")
            inner["kernel:0"] = np.ones((4, 3), "f4")
            options = (
                {"compression": "gzip", "chunks": (3,)} if draw.random() < 0.3 else {}
            )
            inner.create_dataset("bias:0", data=np.zeros(3, "f4"), **options)
    return held.getvalue()


def hdf5(draw: random.Random, folder: Path, found: list[Path]) -> Path:
    data = hdf5_bytes(draw, draw.choice([None, keras_config(draw)]))
    path = folder / "m.h5"
    path.write_bytes(noisy(draw, data) if draw.random() < 0.8 else data)
    return path


def keras_archive(draw: random.Random, folder: Path, found: list[Path]) -> Path:
    config = keras_config(draw)
    path = folder / "m.keras"
    packed = draw.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    with zipfile.ZipFile(path, "w", packed) as archive:
        archive.writestr("config.json", json.dumps(config, ensure_ascii=True))
        archive.writestr(
            "metadata.json", draw.choice(['{"keras_version": "3.1"}', "[]", "3", ""])
        )
        archive.writestr("model.weights.h5", hdf5_bytes(draw, None))
        if draw.random() < 0.2:
            archive.writestr("../../evil", "x")
    if draw.random() < 0.5:
        path.write_bytes(noisy(draw, path.read_bytes()))
    return path


def bundle(draw: random.Random, folder: Path, found: list[Path]) -> Path:
    """A checkpoint of version 2 whose entries say what they like of themselves."""
    header = proto.BundleHeaderProto(
        num_shards=draw.choice([1, 1, 2, *NUMBERS[:8]]) & 0x7FFFFFFF
    )
    rows = {b"": header.SerializeToString()}
    for number in range(draw.choice([1, 5, 60])):
        entry = proto.BundleEntryProto(dtype=draw.choice([1, 3, 7, 9, 20, 999]))
        for _ in range(draw.randrange(3)):
            entry.shape.dim.add(size=draw.choice([1, 2, 4, *NUMBERS]))
        entry.offset = draw.choice([0, 4, 8, *NUMBERS])
        entry.size = draw.choice([4, 8, 16, *NUMBERS])
        name = draw.choice([f"v{number}/kernel", draw.choice(WEAPONS)])
        rows[name.encode("utf-8", "surrogatepass")] = entry.SerializeToString()
    data = table([block(sorted(rows.items()))])
    (folder / "m.data-00000-of-00001").write_bytes(draw.randbytes(64))
    path = folder / "m.index"
    path.write_bytes(noisy(draw, data) if draw.random() < 0.4 else data)
    return path


def tfjs(draw: random.Random, folder: Path, found: list[Path]) -> Path:
    entries = [
        {
            "name": draw.choice([f"l{n}/kernel", *WEAPONS]),
            "shape": [draw.choice([2, *NUMBERS])],
            "dtype": "float32",
        }
        for n in range(3)
    ]
    paths = draw.choice(
        [["a.bin"], ["../a.bin"], ["/etc/passwd"], ["gone.bin"], [3], "a.bin"]
    )
    document: Any = {
        "format": draw.choice(["graph-model", "layers-model"]),
        "weightsManifest": [{"paths": paths, "weights": entries}],
    }
    if document["format"] == "graph-model":
        document["modelTopology"] = {
            "node": [
                {
                    "name": "x",
                    "op": "Placeholder",
                    "attr": {"dtype": {"type": "DT_FLOAT"}},
                },
                {
                    "name": draw.choice(["y", *WEAPONS]),
                    "op": "Relu",
                    "input": ["x"],
                    "attr": {"T": {"type": "DT_FLOAT"}},
                },
            ]
        }
    else:
        document["modelTopology"] = {"model_config": keras_config(draw)}
    for _ in range(draw.choice([0, 1, 3])):
        spoil(draw, document)
    (folder / "a.bin").write_bytes(draw.randbytes(64))
    path = folder / "model.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def saved_model(draw: random.Random, folder: Path, found: list[Path]) -> Path:
    grammar(draw, folder, found)
    message = proto.SavedModel(saved_model_schema_version=1)
    meta = message.meta_graphs.add()
    meta.meta_info_def.tags.append("serve")
    meta.graph_def.ParseFromString((folder / "m.pb").read_bytes())
    signature = meta.signature_def["serving_default"]
    signature.inputs["x"].name = draw.choice(["n0:0", "gone:0", *WEAPONS])
    signature.outputs["y"].name = draw.choice(["n1:0", "n2:5", *WEAPONS])
    os.remove(folder / "m.pb")
    (folder / "saved_model.pb").write_bytes(message.SerializeToString())
    return folder


def text(draw: random.Random, folder: Path, found: list[Path]) -> Path:
    lines = [
        "node {",
        'name: "a"',
        'op: "Relu"',
        "input: 'a:1'",
        "}",
        "attr { key: 'T' value { type: DT_FLOAT } }",
    ]
    lines += [
        "versions { producer: 27 }",
        "library {",
        "}",
        "{" * 300,
        "node <",
        ">",
        "# comment",
        '"',
        "9" * 5000,
    ]
    path = folder / "m.pbtxt"
    path.write_text(
        "\n".join(draw.choices(lines, k=draw.choice([3, 12, 60]))), encoding="utf-8"
    )
    return path
