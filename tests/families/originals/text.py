"""Models of texts, after their authors' files: google-research's albert and electra, tensorflow/models' word2vec (Apache 2.0), guillaumegenthial/sequence_tagging (Apache 2.0), MaybeShewill-CV/CRNN_Tensorflow (MIT)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tests.architectures.legacy import layers, slim
from tests.families.originals import image, original, tokens
from tests.families.originals.speech import lstm

v1 = tf.compat.v1
scope = v1.variable_scope


def _gelu(x: Any) -> Any:
    cubic = x + 0.044715 * x**3
    return x * 0.5 * (1.0 + tf.tanh((2.0 / 3.141592653589793) ** 0.5 * cubic))


def _norm(x: Any, name: str | None = None) -> Any:
    return slim.layer_norm(x, begin_norm_axis=-1, begin_params_axis=-1, scope=name)


def _embeddings(ids: Any, kinds: Any, rows: int, width: int) -> tuple[Any, Any]:
    table = v1.get_variable("word_embeddings", [rows, width])
    types = v1.get_variable("token_type_embeddings", [2, width])
    places = v1.get_variable("position_embeddings", [12, width])
    x = tf.gather(table, ids) + tf.gather(types, kinds) + places[: ids.shape[1]]
    return _norm(x, "LayerNorm"), table


def _attention(x: Any, heads: int) -> Any:
    width = x.shape[-1]

    def split(y: Any) -> Any:
        y = tf.reshape(y, [-1, x.shape[1], heads, width // heads])
        return tf.transpose(y, [0, 2, 1, 3])

    with scope("self"):
        q, k, v = (
            split(layers.dense(x, width, name=n)) for n in ("query", "key", "value")
        )
    scores = tf.matmul(q, k, transpose_b=True) / (width // heads) ** 0.5
    y = tf.transpose(tf.matmul(tf.nn.softmax(scores), v), [0, 2, 1, 3])
    with scope("output"):
        y = layers.dense(tf.reshape(y, [-1, x.shape[1], width]), width, name="dense")
    return y


@original(
    "ALBERT, 3 times one layer of 16, 4 heads", limit=2, layers=3, heads=4, slow=False
)
def albert() -> tuple[list[Any], list[Any]]:
    """modeling.AlbertModel: one group, run three times."""
    ids, kinds = tokens(7), tokens(7, "segments")
    with scope("bert"):
        with scope("embeddings"):
            x, _ = _embeddings(ids, kinds, 20, 6)
        with scope("encoder"):
            x = layers.dense(x, 16, name="embedding_hidden_mapping_in")
            for _ in range(3):
                inner = "transformer/group_0/inner_group_0"
                with scope(inner, reuse=v1.AUTO_REUSE):
                    with scope("attention_1"):
                        y = _attention(x, 4)
                    x = _norm(y + x, "LayerNorm")
                    with scope("ffn_1/intermediate"):
                        y = _gelu(layers.dense(x, 24, name="dense"))
                        with scope("output"):
                            y = layers.dense(y, 16, name="dense")
                    x = _norm(y + x, "LayerNorm_1")
        with scope("pooler"):
            pooled = layers.dense(x[:, 0], 16, activation=tf.tanh, name="dense")
    return [ids, kinds], [pooled]


def _tower(x: Any, depth: int, width: int, heads: int) -> Any:
    """modeling.BertModel from its embeddings on."""
    if x.shape[-1] != width:
        x = layers.dense(x, width, name="embeddings_project")
    for place in range(depth):
        with scope(f"encoder/layer_{place}"):
            with scope("attention"):
                y = _attention(x, heads)
                with scope("output"):
                    x = _norm(y + x, "LayerNorm")
            with scope("intermediate"):
                y = _gelu(layers.dense(x, 4 * width, name="dense"))
            with scope("output"):
                y = layers.dense(y, width, name="dense")
                x = _norm(y + x, "LayerNorm")
    return x


@original("ELECTRA, 2 layers of 16, 4 heads", limit=2, heads=4, drawing_heads=2)
def electra() -> tuple[list[Any], list[Any]]:
    """run_pretraining.PretrainingModel, both nets on the same words; embeddings are the discriminator's."""
    ids, kinds = tokens(7), tokens(7, "segments")
    with scope("electra"):
        with scope("embeddings"):
            shared, table = _embeddings(ids, kinds, 20, 8)
        judged = _tower(shared, 2, 16, 4)
    with scope("generator"):
        drawn = _tower(shared, 1, 4, 2)
    with scope("generator_predictions"):
        y = _norm(_gelu(layers.dense(drawn, 8, name="dense")), "LayerNorm")
        bias = v1.get_variable("output_bias", [20])
        words = tf.einsum("btw,vw->btv", y, table) + bias
    with scope("discriminator_predictions"):
        y = _gelu(layers.dense(judged, 16, name="dense"))
        verdict = layers.dense(y, 1, name="dense_1")
    return [ids, kinds], [verdict, words]


@original("word2vec, 15 words of 4", limit=15)
def word2vec() -> tuple[list[Any], list[Any]]:
    """word2vec.py's forward, for every word beside and not for some that are drawn."""
    ids = tokens(3)
    x = tf.gather(v1.get_variable("emb", [15, 4]), ids)
    out = v1.get_variable("sm_w_t", [15, 4])
    return [ids], [tf.einsum("btw,vw->btv", x, out) + v1.get_variable("sm_b", [15])]


@original("BiLSTM-CRF, 15 words of 4, LSTM of 5, 3 tags", limit=15)
def bilstm_crf() -> tuple[list[Any], list[Any]]:
    """ner_model.NERModel without letters."""
    ids = tokens(6)
    with scope("words"):
        x = tf.gather(v1.get_variable("_word_embeddings", [15, 4]), ids)
    halves = []
    for way in ("fw", "bw"):
        with scope(f"bi-lstm/bidirectional_rnn/{way}/lstm_cell"):
            kernel = v1.get_variable("kernel", [9, 20])
            halves.append(
                lstm(x, kernel, v1.get_variable("bias", [20]), 1.0, way == "bw")
            )
    with scope("proj"):
        w, b = v1.get_variable("W", [10, 3]), v1.get_variable("b", [3])
    scores = tf.einsum("btu,ui->bti", tf.concat(halves, 2), w) + b
    return [ids], [scores, v1.get_variable("transitions", [3, 3])]


@original("CRNN, 2 LSTM of 5 both ways, 7 characters, width 2 (published: 64)")
def crnn() -> tuple[list[Any], list[Any]]:
    """crnn_net.ShadowNet before it turns time to the front; images have 32 rows."""
    x = image(32, 40, 3)

    def conv(x: Any, name: str, filters: int, size: int, strides: Any, b: bool) -> Any:
        with scope(name):
            w = v1.get_variable("W", [size, size, x.shape[3], filters])
            y = tf.nn.conv2d(x, w, strides, "SAME")
            return y + v1.get_variable("b", [filters]) if b else y

    def finish(y: Any, name: str) -> Any:
        return tf.nn.relu(layers.batch_normalization(y, name=name, training=False))

    with scope("shadow_net"):
        with scope("feature_extraction_module"):
            y = x
            for place, width in ((1, 2), (2, 4)):
                with scope(f"conv{place}"):
                    y = finish(conv(y, "conv", width, 3, 1, True), "bn")
                    y = tf.nn.max_pool2d(y, 2, 2, "VALID")
            y = finish(conv(y, "conv3", 8, 3, 1, False), "bn3")
            y = finish(conv(y, "conv4", 8, 3, 1, False), "bn4")
            y = tf.nn.max_pool2d(y, [2, 1], [2, 1], "VALID")
            y = finish(conv(y, "conv5", 16, 3, 1, False), "bn5")
            y = finish(conv(y, "conv6", 16, 3, 1, False), "bn6")
            y = tf.nn.max_pool2d(y, [2, 1], [2, 1], "VALID")
            y = finish(conv(y, "conv7", 16, 2, [2, 1], False), "bn7")
        y = tf.squeeze(y, 1)
        with scope("sequence_rnn_module"):
            for cell in range(2):
                halves = []
                for way in ("fw", "bw"):
                    name = f"stack_bidirectional_rnn/cell_{cell}/bidirectional_rnn"
                    with scope(f"{name}/{way}/lstm_cell"):
                        kernel = v1.get_variable("kernel", [y.shape[2] + 5, 20])
                        bias = v1.get_variable("bias", [20])
                        halves.append(lstm(y, kernel, bias, 1.0, way == "bw"))
                y = tf.concat(halves, 2)
            return [x], [tf.einsum("btu,uc->btc", y, v1.get_variable("w", [10, 7]))]
