"""A file that is nearly one of a known family: never called it; what does not fit is said by doctor and explain."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from click.testing import CliRunner

from graphscope.cli import cli
from graphscope.families import families
from graphscope.families.notation.sequences import SequenceNet

v1 = tf.compat.v1
TITLE = "MobileNet v1 (slim)"


def shapes() -> dict[str, tuple[int, ...]]:
    (family,) = (each for each in families() if each.title == TITLE)
    net = SequenceNet(None, "", family.roles)
    family.build(net, blocks=13, width=8, classes=4)
    return {f"MobilenetV1/{name}": shape for name, shape in net.bound.items()}


def saved(folder: Path, listed: dict[str, tuple[int, ...]]) -> str:
    with tf.Graph().as_default(), v1.Session() as session:
        for name, shape in listed.items():
            v1.get_variable(name, shape)
        session.run(v1.global_variables_initializer())
        saver = v1.train.Saver()
        return saver.save(session, str(folder / "m"), write_meta_graph=False)


def run(*words: str) -> Any:
    return CliRunner().invoke(cli, list(words))


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> str:
    listed = shapes()
    name = "MobilenetV1/Conv2d_5_pointwise/weights"
    *sizes, filters = listed[name]
    return saved(
        tmp_path_factory.mktemp("near"), listed | {name: (*sizes, filters + 1)}
    )


def test_doctor_says_what_does_not_fit_and_its_command_runs(near: str) -> None:
    findings = json.loads(run("doctor", near, "--json").stdout)["findings"]
    (finding,) = [each for each in findings if each["id"] == "near-family"]
    assert finding["message"].startswith(f"not {TITLE}: 1 of 137 do not fit")
    assert "Conv2d_5_pointwise/weights is [1, 1, 64, 65]" in finding["message"]
    program, *words = shlex.split(finding["remedy"])
    assert program == "graphscope"
    result = run(*words)
    assert result.exit_code == 0
    assert (
        "1 of 137 do not fit" in result.stdout
        and "below 'MobilenetV1'" in result.stdout
    )
    assert json.loads(run("inspect", near, "--json").stdout)["family"] is None


def test_a_family_that_is_there_is_explained(tmp_path: Path) -> None:
    path = saved(tmp_path, shapes())
    text = run("explain", path, TITLE.lower()).stdout
    assert text.startswith(
        f"{TITLE}, alpha 0.25, 4 classes (names and shapes, 137 of 137)"
    )
    assert "by the family's convention" in text
    other = run("explain", path, "GPT-2").stdout
    assert other.startswith("not GPT-2: of the weights that begin it")


def test_a_family_that_nobody_knows_is_refused_with_the_list(near: str) -> None:
    result = run("explain", near, "MobilNet")
    assert result.exit_code and "MobileNet v2" in str(result.exception)
