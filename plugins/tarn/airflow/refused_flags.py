"""Flags of Airflow 2.11's ``dags backfill`` that Airflow 3 cannot honour."""

REFUSED = {
    "task_regex": "a backfill is of whole runs: run it, or rerun single tasks by `airflow tasks clear DAG_ID -t REGEX`",
    "ignore_dependencies": "it only went with --task-regex: rerun single tasks by `airflow tasks clear`",
    "mark_success": "a run cannot be made already done: mark it in the UI",
    "local": "the scheduler's executor runs the tasks: set AIRFLOW__CORE__EXECUTOR",
    "subdir": "the DAG that the scheduler knows is run: its folder is AIRFLOW__CORE__DAGS_FOLDER",
    "pool": "tasks keep the pool that the DAG gives them",
    "delay_on_limit": "the scheduler starts the next run as soon as one has ended: see --max-active-runs",
    "disable_retry": "tasks keep the retries that the DAG gives them",
    "treat_dag_id_as_regex": "name one DAG at a time",
}
"""By the name that argparse gives them: what to do instead."""
