"""Models of two texts, after their authors' files: tensorflow/tensor2tensor, tensorflow/mesh and tensorflow/nmt (Apache 2.0)."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
import tensorflow as tf

from tests.architectures.legacy import layers
from tests.families.originals import original, tokens

v1 = tf.compat.v1
scope = v1.variable_scope


def _variable(name: str, *shape: int) -> Any:
    return v1.get_variable(name, list(shape))


def _split(x: Any, heads: int) -> Any:
    x = tf.reshape(x, [-1, x.shape[1], heads, x.shape[2] // heads])
    return tf.transpose(x, [0, 2, 1, 3])


def _joined(x: Any) -> Any:
    x = tf.transpose(x, [0, 2, 1, 3])
    return tf.reshape(x, [-1, x.shape[1], x.shape[2] * x.shape[3]])


def _norm(x: Any) -> Any:
    """layer_preprocess, the sequence of which is "n"."""
    with scope("layer_prepostprocess/layer_norm"):
        scale = _variable("layer_norm_scale", x.shape[-1])
        bias = _variable("layer_norm_bias", x.shape[-1])
    mean, variance = tf.nn.moments(x, [-1], keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + 1e-6) * scale + bias


def _timed(x: Any) -> Any:
    """get_timing_signal_1d, in numbers of numpy."""
    _, length, width = x.shape
    rates = np.exp(np.arange(width // 2) * -log(1e4) / (width // 2 - 1))
    angles = np.arange(length)[:, None] * rates
    return x + np.concatenate([np.sin(angles), np.cos(angles)], 1).astype("float32")


def _attention(x: Any, name: str, memory: Any, bias: Any, heads: int) -> Any:
    width = x.shape[-1]
    with scope(name):
        query = _norm(x)
        memory = query if memory is None else memory
        with scope("multihead_attention"):
            q, k, v = (
                _split(layers.dense(y, width, use_bias=False, name=n), heads)
                for y, n in ((query, "q"), (memory, "k"), (memory, "v"))
            )
            scored = tf.matmul(q * (width // heads) ** -0.5, k, transpose_b=True)
            y = _joined(tf.matmul(tf.nn.softmax(scored + bias), v))
            y = layers.dense(y, width, use_bias=False, name="output_transform")
    return x + y


def _fed_forward(x: Any, nonpadding: Any) -> Any:
    """dense_relu_dense; what PadRemover took away comes back as zeros."""
    with scope("ffn"):
        y = layers.dense(_norm(x), 24, activation=tf.nn.relu, name="conv1")
        return x + layers.dense(y, x.shape[-1], name="conv2") * nonpadding


def _clear(ids: Any) -> Any:
    return tf.cast(tf.not_equal(ids, 0), tf.float32)[:, :, None]


@original(
    "Transformer (tensor2tensor), 2 and 1 layers of 16, 4 heads", limit=11, heads=4
)
def transformer() -> tuple[list[Any], list[Any]]:
    """Transformer.body with shared embeddings in four shards, n before and da after each layer."""
    ids, space, target = tokens(6), tokens(1, "space"), tokens(5, "target")
    with scope("transformer"):
        with scope("symbol_modality_11_16/shared"):
            shards = [
                _variable(f"weights_{n}", 3 if n < 3 else 2, 16) for n in range(4)
            ]
            table = tf.concat(shards, 0)
        embedded, answer = (
            tf.gather(table, t) * 16**0.5 * _clear(t) for t in (ids, target)
        )
        with scope("body"):
            spaces = _variable("target_space_embedding/kernel", 32, 16)
            x = _timed(embedded + tf.gather(spaces, space))
            bias = (1.0 - _clear(ids))[:, None, None, :, 0] * -1e9
            for place in range(2):
                with scope(f"encoder/layer_{place}"):
                    x = _attention(x, "self_attention", None, bias, 4)
                    x = _fed_forward(x, _clear(ids))
            with scope("encoder"):
                x = _norm(x)
            y = _timed(tf.pad(answer, [[0, 0], [1, 0], [0, 0]])[:, :-1])
            past = np.triu(np.full((5, 5), -1e9, "float32"), 1)
            with scope("decoder/layer_0"):
                y = _attention(y, "self_attention", None, past, 4)
                y = _attention(y, "encdec_attention", x, bias, 4)
                y = _fed_forward(y, 1.0)
            with scope("decoder"):
                y = _norm(y)
        return [ids, space, target], [tf.einsum("btw,vw->btv", y, table)]


def _rms(x: Any, name: str = "layer_norm") -> Any:
    """LayerStack._layer_norm."""
    with scope(name):
        scale = _variable("scale", x.shape[-1])
    return x * tf.math.rsqrt(tf.reduce_mean(x**2, -1, keepdims=True) + 1e-6) * scale


def _bucket(ahead: np.ndarray, both_ways: bool, buckets: int) -> np.ndarray:
    """_relative_position_bucket, place by place."""
    result = np.zeros_like(ahead)
    count = buckets // 2 if both_ways else buckets
    exact = count // 2
    for place, step in np.ndenumerate(ahead):
        far = abs(step) if both_ways else max(-step, 0)
        first = count if both_ways and step > 0 else 0
        if far >= exact:
            wide = log(far / exact) / log(128 / exact) * (count - exact)
            far = min(exact + int(wide), count - 1)
        result[place] = first + far
    return result


def _t5_attention(x: Any, name: str, memory: Any, bias: Any, late: bool = False) -> Any:
    """SelfAttention and EncDecAttention of 4 heads of 3; ``bias`` None: the layer has its own."""
    query = _rms(x)
    memory = query if memory is None else memory
    with scope(name):
        if not isinstance(bias, list):
            shared: list[Any] = [bias]
        else:
            shared = bias
            if len(shared) == 1:
                steps = np.arange(x.shape[1])
                ahead = steps[None] - steps[:, None]
                table = _variable("relative_attention_bias", 4, 8)
                relative = tf.gather(table, _bucket(ahead, not late, 8), axis=1)
                shared.append(relative[None])
        q, k, v = (
            tf.einsum("btw,wu->btu", y, _variable(n, 16, 12))
            for y, n in ((query, "q"), (memory, "k"), (memory, "v"))
        )
        scored = tf.matmul(_split(q, 4), _split(k, 4), transpose_b=True)
        y = _joined(tf.matmul(tf.nn.softmax(scored + sum(shared)), _split(v, 4)))
        return x + tf.einsum("btu,uw->btw", y, _variable("o", 12, 16))


def _t5_feed(x: Any, gated: bool) -> Any:
    y = _rms(x)
    with scope("DenseReluDense"):
        if gated:
            first = layers.dense(y, 24, use_bias=False, name="wi_0")
            second = layers.dense(y, 24, use_bias=False, name="wi_1")
            y = tf.nn.gelu(first, approximate=True) * second
        else:
            y = tf.nn.relu(layers.dense(y, 24, use_bias=False, name="wi"))
        return x + layers.dense(y, 16, use_bias=False, name="wo")


def _t5(gated: bool) -> tuple[list[Any], list[Any]]:
    """Bitransformer without packing, as it decodes: the target attends to all of what came before."""
    ids, target = tokens(14), tokens(9, "target")
    padding = (1.0 - _clear(ids))[:, None, None, :, 0] * -1e9
    past = np.triu(np.full((9, 9), -1e9, "float32"), 1)
    table = _variable("shared/embedding", 11, 16)
    x, y = tf.gather(table, ids), tf.gather(table, target)
    bias: list[Any] = [padding]
    for place in range(2):
        with scope(f"encoder/block_{place:03}/layer_000"):
            x = _t5_attention(x * _clear(ids), "SelfAttention", None, bias)
        with scope(f"encoder/block_{place:03}/layer_001"):
            x = _t5_feed(x, gated)
    with scope("encoder"):
        x = _rms(x, "final_layer_norm") * _clear(ids)
    bias = [past]
    for place in range(2):
        with scope(f"decoder/block_{place:03}/layer_000"):
            y = _t5_attention(y, "SelfAttention", None, bias, True)
        with scope(f"decoder/block_{place:03}/layer_001"):
            y = _t5_attention(y, "EncDecAttention", x, padding)
        with scope(f"decoder/block_{place:03}/layer_002"):
            y = _t5_feed(y, gated)
    with scope("decoder"):
        y = _rms(y, "final_layer_norm")
        if gated:
            return [ids, target], [layers.dense(y, 11, use_bias=False, name="logits")]
    return [ids, target], [tf.einsum("btw,vw->btv", y * 16**-0.5, table)]


@original("T5, 2 and 2 blocks of 16", limit=11)
def t5() -> tuple[list[Any], list[Any]]:
    """The table of words scores them too."""
    return _t5(False)


@original("T5, v1.1, 2 and 2 blocks of 16", limit=11)
def t5_gated() -> tuple[list[Any], list[Any]]:
    """DenseReluDense of ("gelu", "linear"), logits of their own."""
    return _t5(True)


def _cell(x: Any, states: Any, name: str) -> tuple[Any, Any]:
    """One step of BasicLSTMCell, forget_bias 1."""
    with scope(name, reuse=v1.AUTO_REUSE):
        kernel = _variable("basic_lstm_cell/kernel", x.shape[1] + 5, 20)
        bias = _variable("basic_lstm_cell/bias", 20)
    h, c = states
    i, j, f, o = tf.split(tf.matmul(tf.concat([x, h], 1), kernel) + bias, 4, 1)
    c = c * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
    return tf.tanh(c) * tf.sigmoid(o), c


def _cells(x: Any, states: list[Any], name: str) -> tuple[Any, list[Any]]:
    """One step of a cell or a MultiRNNCell of units 5."""
    ends = []
    for place, state in enumerate(states):
        many = f"{name}/multi_rnn_cell/cell_{place}"
        ends.append(_cell(x, state, many if len(states) > 1 else name))
        x = ends[-1][0]
    return x, ends


def _encoded(x: Any, cells: int, name: str, back: bool = False) -> tuple[Any, Any]:
    """dynamic_rnn over six steps: what it gives, and the states of its cells at the end."""
    zero = tf.zeros([3, 5])
    states, outputs = [(zero, zero)] * cells, {}
    for step in reversed(range(6)) if back else range(6):
        outputs[step], states = _cells(x[:, step], states, name)
    return tf.stack([outputs[step] for step in range(6)], 1), states


def _two_ways(x: Any, cells: int) -> tuple[Any, Any]:
    """bidirectional_dynamic_rnn, whose states are taken in turn."""
    name = "encoder/bidirectional_rnn"
    ahead, first = _encoded(x, cells, f"{name}/fw")
    back, second = _encoded(x, cells, f"{name}/bw", True)
    states = [state for pair in zip(first, second, strict=True) for state in pair]
    return tf.concat([ahead, back], 2), states


def _tables(shared: bool) -> tuple[Any, Any]:
    with scope("embeddings"):
        if shared:
            table = _variable("embedding_share", 11, 5)
            return table, table
        read = _variable("encoder/embedding_encoder", 11, 5)
        return read, _variable("decoder/embedding_decoder", 13, 5)


def _seq2seq(
    cells: int, scaled: bool, shared: bool, both_ways: bool = False
) -> tuple[list[Any], list[Any]]:
    """AttentionModel: AttentionWrapper over the cells, output_attention, pass_hidden_state."""
    ids, target = tokens(6), tokens(4, "target")
    read, written = _tables(shared)
    x, y = tf.gather(read, ids), tf.gather(written, target)
    attention, attended = tf.zeros([3, 5]), []
    with scope("dynamic_seq2seq"):
        if both_ways:
            values, states = _two_ways(x, cells // 2)
        else:
            values, states = _encoded(x, cells, "encoder/rnn")
        width, name = values.shape[2], "decoder/attention"
        projection = _variable("decoder/memory_layer/kernel", width, 5)
        keys = tf.einsum("btm,mu->btu", values, projection)
        kernel = _variable(f"{name}/attention_layer/kernel", 5 + width, 5)
        factor: Any = 1.0
        if scaled:
            factor = _variable(f"{name}/luong_attention/attention_g")
        for step in range(4):
            joint = tf.concat([y[:, step], attention], 1)
            output, states = _cells(joint, states, name)
            scored = tf.einsum("bu,btu->bt", output, keys) * factor
            context = tf.einsum("bt,btm->bm", tf.nn.softmax(scored), values)
            attention = tf.matmul(tf.concat([output, context], 1), kernel)
            attended.append(attention)
        words = _variable("decoder/output_projection/kernel", 5, written.shape[0])
    return [ids, target], [tf.einsum("btu,uv->btv", tf.stack(attended, 1), words)]


@original("Sequence to sequence with attention (nmt), LSTM of 5", limit=11)
def nmt() -> tuple[list[Any], list[Any]]:
    """tensorflow/nmt (Apache 2.0): "luong" on "uni"."""
    return _seq2seq(2, False, False)


@original("Sequence to sequence with attention (nmt), LSTM of 5, scaled", limit=11)
def nmt_scaled() -> tuple[list[Any], list[Any]]:
    """ "scaled_luong" with shared words, one layer."""
    return _seq2seq(1, True, True)


@original(
    "Sequence to sequence with attention (nmt), LSTM of 5, an encoder of both ways, scaled",
    limit=11,
)
def nmt_both_ways() -> tuple[list[Any], list[Any]]:
    """ "bi" of two layers, one each way."""
    return _seq2seq(2, True, False, True)


@original(
    "Sequence to sequence with attention (nmt), LSTM of 5, an encoder of both ways",
    limit=11,
)
def nmt_deep() -> tuple[list[Any], list[Any]]:
    """Two layers each way, whose states the decoder's four begin with in turn."""
    return _seq2seq(4, False, False, True)
