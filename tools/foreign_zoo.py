"""Frozen graphs of other people's models, randomly initialised, for benchmarks/sweep.py: what nobody here tuned for.

``python tools/foreign_zoo.py PACKAGE FOLDER [NAME ...]`` with PACKAGE one of transformers, keras_hub, deepctr,
keras_cv_attention_models, segmentation_models, keras_unet_collection; each is to be installed by you, in an environment of its
own if you like (transformers below 5, with tf_keras). A model that its package cannot build is said and left out.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("SM_FRAMEWORK", "tf.keras")

Builder = Callable[[], Any]
TEXT = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4}
TEXT |= {"intermediate_size": 64, "vocab_size": 100, "max_position_embeddings": 64}
HUB = {"vocabulary_size": 100, "num_layers": 2, "hidden_dim": 32}
HUB |= {"intermediate_dim": 64}


def transformers() -> Iterator[tuple[str, Builder]]:
    """Encoders and decoders of text, called on ids and a mask."""
    made = importlib.import_module("transformers")
    for name in "Bert Roberta Electra MPNet Deberta".split():
        config = getattr(made, f"{name}Config")
        build = getattr(made, f"TF{name}Model")
        yield name, lambda build=build, config=config: build(config(**TEXT))
    gpt = {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 64}
    for name, cls in (("GPT2", "TFGPT2LMHeadModel"), ("OpenAIGPT", "TFOpenAIGPTModel")):
        config = getattr(made, f"{name}Config")
        build = getattr(made, cls)
        yield name, lambda b=build, c=config: b(c(vocab_size=100, **gpt))


def keras_hub() -> Iterator[tuple[str, Builder]]:
    """Backbones, functional Keras models already."""
    made = importlib.import_module("keras_hub").models
    for name in "Bert Roberta DistilBert GPT2 OPT Bart T5 FNet DebertaV3".split():
        heads = {} if name == "FNet" else {"num_heads": 4}
        longest = {} if name == "T5" else {"max_sequence_length": 16}
        build = getattr(made, f"{name}Backbone")
        yield name, lambda b=build, o=(HUB | heads | longest): b(**o)
    for name in "Llama Mistral".split():
        build = getattr(made, f"{name}Backbone")
        heads = {"num_query_heads": 4, "num_key_value_heads": 2}
        yield name, lambda b=build, o=(HUB | heads): b(**o)


def deepctr() -> Iterator[tuple[str, Builder]]:
    """Recommenders over four categories and three numbers."""
    made = importlib.import_module("deepctr.models")
    columns = importlib.import_module("deepctr.feature_column")
    features = [columns.SparseFeat(f"c{n}", 50, 4) for n in range(4)]
    features += [columns.DenseFeat(f"d{n}", 1) for n in range(3)]
    for (
        name
    ) in "WDL DeepFM DCN DCNMix xDeepFM AutoInt NFM FNN FiBiNET FwFM ONN MLR".split():
        build = getattr(made, name)
        yield name, lambda build=build: build(features, features)


def keras_cv_attention_models() -> Iterator[tuple[str, Builder]]:
    """Image classifiers of 64 x 64."""
    made = importlib.import_module("keras_cv_attention_models")
    of = {"resmlp": "ResMLP12", "convnext": "ConvNeXtTiny", "ghostnet": "GhostNet_100"}
    of |= {"coatnet": "CoAtNet0", "gcvit": "GCViT_XXTiny", "levit": "LeViT128S"}
    of |= {"hornet": "HorNetTiny", "moganet": "MogaNetXtiny"}
    of["swin_transformer_v2"] = "SwinTransformerV2Tiny_window8"
    for module, name in of.items():
        build = getattr(getattr(made, module, None), name, None)
        if build is not None:
            options = {"pretrained": None, "input_shape": (64, 64, 3)}
            yield name, lambda b=build, o=options: b(num_classes=10, **o)


def segmentation_models() -> Iterator[tuple[str, Builder]]:
    """Encoder-decoders on several backbones."""
    made = importlib.import_module("segmentation_models")
    for name in "Unet FPN Linknet".split():
        for backbone in "resnet18 mobilenetv2 efficientnetb0 densenet121".split():
            options = {"encoder_weights": None, "input_shape": (64, 64, 3)}
            build = getattr(made, name)
            yield f"{name}_{backbone}", lambda b=build, k=backbone, o=options: b(k, **o)


def keras_unet_collection() -> Iterator[tuple[str, Builder]]:
    """U-Nets and their kin."""
    made = importlib.import_module("keras_unet_collection.models")
    for name in "unet_2d att_unet_2d r2_unet_2d unet_plus_2d".split():
        build = getattr(made, name)
        yield name, lambda build=build: build((32, 32, 3), [8, 16, 32], n_labels=2)
    yield "unet_3plus_2d", lambda: made.unet_3plus_2d((32, 32, 3), 2, [8, 16, 32])


PACKAGES = (transformers, keras_hub, deepctr, keras_cv_attention_models)
PACKAGES += (segmentation_models, keras_unet_collection)


def freeze(model: Any, path: Path) -> int:
    """The inference graph with its weights as constants; gives the number of its nodes."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2 as constants,
    )

    if hasattr(model, "config") and hasattr(model.config, "vocab_size"):
        spec = [tf.TensorSpec([None, None], tf.int32, name=n) for n in ("ids", "mask")]
        call = tf.function(lambda i, m: model(input_ids=i, attention_mask=m)[0], spec)
    else:
        given = model.input
        spec = tf.nest.map_structure(lambda t: tf.TensorSpec(t.shape, t.dtype), given)
        call = tf.function(lambda x: model(x, training=False), [spec])
    graph = constants(call.get_concrete_function()).graph.as_graph_def()
    path.write_bytes(graph.SerializeToString())
    return len(graph.node)


def main() -> None:
    """Build what the package offers."""
    package, folder, *wanted = sys.argv[1:]
    if package not in ("keras_hub",):
        os.environ["TF_USE_LEGACY_KERAS"] = "1"
    models = next(each for each in PACKAGES if each.__name__ == package)
    for name, build in models():
        if wanted and name not in wanted:
            continue
        path = Path(folder) / f"{package}_{name}.pb"
        try:
            print(f"{path}: {freeze(build(), path):,} nodes", flush=True)
        except (ValueError, TypeError, AttributeError, ImportError) as error:
            print(f"{name}: not built ({' '.join(str(error).split())[:120]})")


if __name__ == "__main__":
    main()
