"""Everything of Tarn that knows Airflow: tasks around the steps, the lanes of a DAG, and the backfill command."""
