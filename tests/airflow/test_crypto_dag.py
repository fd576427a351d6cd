"""The DAG ``crypto`` as Airflow reads it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tarn.airflow.dbt_commands import RUN
from tarn.airflow.pools import needed_pools
from tarn.airflow.tasks import WINDOW_OF_RUN
from tarn.dbt_parse import PARSE
from tarn.marts import WINDOW
from tarn.settings import CHECKOUT, Settings

PUBLISHERS = ("blockchair", "coingecko")
STEPS = ("download", "parquetize", "upload_to_gcs", "load_external_table")
DBT = ["dbt_deps", "dbt_seed", "dbt_run", "dbt_test"]


@pytest.fixture(scope="module")
def crypto(airflow_home: Path) -> Any:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(CHECKOUT / "dags" / "crypto.py"))
    assert bag.import_errors == {}
    return bag.dags["crypto"]


def test_both_publishers_are_asked_side_by_side_between_start_and_dbt(crypto: Any) -> None:
    lanes = {f"{publisher}.lane.{step}" for publisher in PUBLISHERS for step in STEPS}
    plans = {f"{publisher}.plan_lanes" for publisher in PUBLISHERS}
    assert set(crypto.task_dict) == lanes | plans | {"start", "end", "dbt_window", *DBT}
    assert crypto.task_dict["start"].downstream_task_ids == plans
    for publisher in PUBLISHERS:
        others = {task for task in crypto.task_dict if not task.startswith(publisher)}
        upstream = crypto.task_dict[f"{publisher}.lane.load_external_table"].get_flat_relative_ids(upstream=True)
        assert upstream & others == {"start"}
        assert f"{publisher}.lane.load_external_table" in crypto.task_dict["dbt_deps"].upstream_task_ids


def test_dbt_is_four_commands_one_after_the_other(crypto: Any) -> None:
    order = [*DBT, "end"]
    for before, after in pairwise(order):
        assert crypto.task_dict[before].downstream_task_ids == {after}
    assert crypto.task_dict["end"].downstream_task_ids == set()
    for name in DBT:
        task = crypto.task_dict[name]
        assert task.task_type == "BashOperator"
        assert f" {name.removeprefix('dbt_')} " in task.bash_command
        # A backfill's runs and the schedule's are active at the same time, whatever max_active_runs says.
        for folder in ("DBT_PROJECT_DIR", "DBT_TARGET_PATH"):
            assert "/dbt/crypto/{{ run_id" in task.env[folder]
        assert task.max_active_tis_per_dag == 1


def test_whatever_reads_the_project_is_told_the_same_days(crypto: Any) -> None:
    told = {name for name in DBT if crypto.task_dict[name].env.items() >= WINDOW_OF_RUN.items()}
    assert told == {"dbt_seed", "dbt_run", "dbt_test"}
    assert not [name for name in DBT if "--vars" in crypto.task_dict[name].bash_command]
    assert crypto.task_dict["dbt_window"].downstream_task_ids == {"dbt_seed"}


def test_a_publisher_is_asked_by_one_task_at_a_time(crypto: Any) -> None:
    pools = {task.task_id: task.pool for task in crypto.tasks if task.pool != "default_pool"}
    assert pools == {f"{publisher}.lane.download": publisher for publisher in PUBLISHERS}
    assert set(PUBLISHERS) <= set(needed_pools(Settings()))


def test_each_table_of_the_lake_is_an_asset_of_the_task_that_ends_it(crypto: Any) -> None:
    outlets = {
        publisher: {asset.name for asset in crypto.task_dict[f"{publisher}.lane.load_external_table"].outlets}
        for publisher in PUBLISHERS
    }
    marts = {asset.name for asset in crypto.task_dict["dbt_test"].outlets}
    assert marts == {f"marts.{path.stem}" for path in (CHECKOUT / "dbt/models/marts/crypto").glob("*.sql")}
    assert outlets == {
        "blockchair": {"lake.crypto_blocks", "lake.crypto_transactions"},
        "coingecko": {"lake.crypto_markets", "lake.crypto_prices"},
    }


def test_no_secret_is_part_of_a_task(airflow_home: Path) -> None:
    code = (
        "from tarn.airflow.dbt_commands import dbt_commands; import airflow.sdk as sdk\n"
        "with sdk.DAG('probe') as probe: tasks = dbt_commands('crypto', ['a'])\n"
        "print([task.env | {'command': task.bash_command} for task in tasks])"
    )
    environment = {"TARN_KEY_COINGECKO": "CG-hidden", "AIRFLOW_CONN_COINGECKO": '{"password": "CG-hidden"}'}
    command = ["env", *(f"{name}={value}" for name, value in environment.items()), sys.executable, "-c", code]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "DBT_PROJECT_DIR" in shown
    assert "CG-hidden" not in shown


def test_it_runs_at_one_for_the_day_before_one_run_at_a_time(crypto: Any) -> None:
    assert repr(crypto.timetable).startswith("CronPartitionTimetable(expression='0 1 * * *', timezone='UTC'")
    assert "run_offset=-1, key_format='%Y-%m-%d'" in repr(crypto.timetable)
    assert (crypto.catchup, crypto.max_active_runs) == (False, 1)


def test_its_page_explains_every_task_and_every_param(crypto: Any) -> None:
    names = {task_id.split(".")[-1] for task_id in crypto.task_dict}
    assert all(f"`{name}`" in crypto.doc_md for name in [*names, *crypto.params])
    assert list(crypto.params) == ["start_day", "end_day", "datasets", "force"]


def own_commands(crypto: Any, home: Path, run: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The words and the environment of each of dbt's commands, in a lake whose folder of state is another one."""
    for name in DBT:
        task = crypto.task_dict[name]
        moved = {key: value.replace(str(Settings().home), str(home)) for key, value in task.env.items()}
        own = {key: value.replace(RUN, run) for key, value in moved.items() if key not in WINDOW}
        yield task.bash_command.replace(str(Settings().home), str(home)), {**os.environ, **own}


def test_a_command_on_another_worker_installs_the_packages_first(crypto: Any, tmp_path: Path) -> None:
    *_, (words, environment) = own_commands(crypto, tmp_path, "run")
    first, separator, _ = words.partition("\nfi\n")
    assert separator
    for _ in range(2):
        subprocess.run(["bash", "-c", first + separator], env=environment, check=True)
        project = tmp_path / "dbt" / "crypto" / "run" / "project"
        assert (project / "dbt_packages" / "daily" / "dbt_project.yml").is_file()
        assert (project / "models").resolve() == CHECKOUT / "dbt" / "models"


def test_what_dbt_has_read_of_the_project_goes_from_command_to_command_and_from_run_to_run(
    crypto: Any, tmp_path: Path
) -> None:
    dbt = tmp_path / "dbt.sh"
    dbt.write_text(
        'if [ "$2" = deps ]; then mkdir -p "$DBT_PROJECT_DIR/dbt_packages"; '
        f'else echo "$2" >> "$DBT_TARGET_PATH/{PARSE}"; fi'
    )
    for run in ("first", "second"):
        for words, environment in own_commands(crypto, tmp_path, run):
            told = words.replace(str(Path(sys.executable).with_name("dbt")), f"bash {dbt}")
            subprocess.run(["bash", "-c", told], env=environment, check=True)
    assert (tmp_path / "dbt" / PARSE).read_text().split() == ["seed", "run", "test"] * 2
