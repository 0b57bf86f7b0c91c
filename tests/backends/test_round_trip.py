"""Model file -> Keras source -> ``model.export`` -> Keras source: the second says what the first says, but for names."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorflow")

from graphscope.analysis.results import Analysis  # noqa: E402
from graphscope.read import load  # noqa: E402
from graphscope.render.keras import KerasSource  # noqa: E402
from graphscope.render.keras.program.literals import literal  # noqa: E402
from graphscope.verify.run.keras_source import run_source  # noqa: E402

from ..architectures import architectures  # noqa: E402
from ..architectures.forms import write  # noqa: E402

NETS = ("unet.padded", "dcgan.tutorial_generator", "dqn.dueling")
MORE = (
    "autoencoder.convolutional",
    "autoencoder.denoising",
    "dcgan.tutorial_discriminator",
    "detection.facenet",
    "pointnet.classifier",
    "segmentation.fcn",
    "segmentation.deeplab",
    "siamese.contrastive",
    "style_transfer.fast",
    "transformer.keras_layers",
    "unet.pix2pix",
    "vit.example",
    "wavenet.temporal_convolutions",
    "yolo.second",
    "yolo.third_in_keras",
)

NOT_YET = {
    "autoencoder.convolutional": "rows cropped after an UpSampling2D come back as ops.take",
    "pointnet.classifier": "an inner axis is put in by expand_dims, not by Reshape",
    "segmentation.fcn": "a crop to another tensor's size comes back as a layer of its own",
    "segmentation.deeplab": "Keras resizes by other ops than TensorFlow did",
    "style_transfer.fast": "InstanceNorm comes back as GroupNormalization of as many groups",
    "yolo.second": "a trained table divided by a constant",
    "yolo.third_in_keras": "a trained table divided by a constant",
}


def said(source: KerasSource) -> Counter[Any]:
    """What each statement makes and how it calls it, whatever it is named."""
    return Counter(
        (step.constructor, literal(dict(step.arguments)), step.text)
        for step in source.program.all_steps
    )


def there_and_back(name: str, folder: Path) -> tuple[KerasSource, KerasSource]:
    net = next(each for each in architectures().values() if str(each) == name)
    path, outputs = write(net, "pb", folder)
    first = Analysis(load(path), outputs=outputs).write_keras(folder).source
    run_source(folder).export(folder / "again", verbose=False)
    again = Analysis(load(folder / "again")).write_keras(folder / "second")
    return first, again.source


def check(name: str, folder: Path) -> None:
    first, again = there_and_back(name, folder)
    assert said(again) - said(first) == Counter(), again.text
    assert said(first) - said(again) == Counter(), again.text


@pytest.mark.parametrize("name", NETS)
def test_an_export_is_recovered_as_the_same_source(name: str, tmp_path: Path) -> None:
    check(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name,
            marks=(
                pytest.mark.xfail(reason=NOT_YET[name], strict=True)
                if name in NOT_YET
                else ()
            ),
        )
        for name in MORE
    ],
)
def test_more_exports_are_recovered_as_the_same(name: str, tmp_path: Path) -> None:
    check(name, tmp_path)
