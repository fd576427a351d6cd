"""The local cloud: the programs that stand in for Google Cloud, the publishers and Airflow, and their supervisor."""
