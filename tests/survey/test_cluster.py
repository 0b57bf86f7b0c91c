"""Many machines: four workers, one of them killed in the middle; nothing is lost and nothing is there twice."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from graphscope.errors import GraphscopeError
from graphscope.survey import Survey, Wishes, survey
from tests.survey.makers import many

pytest.importorskip("duckdb")
distributed = pytest.importorskip("distributed")


@pytest.mark.slow
def test_a_lost_worker_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    import duckdb

    many(tmp_path / "place", 600)
    killed: list[int] = []
    with distributed.LocalCluster(
        n_workers=4, threads_per_worker=1, dashboard_address="127.0.0.1:0"
    ) as cluster:

        def progress(state: Survey) -> None:
            if state.read >= 100 and not killed:
                killed.append(next(iter(cluster.workers.values())).pid)
                os.kill(killed[0], signal.SIGKILL)

        wishes = Wishes(scheduler=cluster.scheduler_address)
        state = survey(str(tmp_path / "place"), tmp_path / "c", wishes, progress)
    assert killed and state.read == 606 and state.totals.models == 600
    assert not state.totals.errors
    parts = f"{tmp_path}/c/parts/*.parquet"
    counted = duckdb.sql(f"SELECT count(*), count(DISTINCT place) FROM '{parts}'")
    assert counted.fetchall() == [(606, 606)]
    again = survey(
        str(tmp_path / "place"), tmp_path / "c", Wishes(jobs=1), lambda _: None
    )
    assert again.read == 0 and again.known == 606


def test_no_scheduler_is_one_line(tmp_path: Path) -> None:
    many(tmp_path / "place", 1)
    for address in ("local:x", "nothing://x"):
        with pytest.raises(GraphscopeError, match="--scheduler"):
            survey(
                str(tmp_path / "place"),
                tmp_path / "c",
                Wishes(scheduler=address),
                lambda _: None,
            )
