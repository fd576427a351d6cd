"""Publishers' keys as Airflow keeps them: the password of the connection that has the publisher's id."""

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from tarn.downloads.secrets import key_from_environment


def key_from_connection(publisher: str) -> str | None:
    """The connection's password, which Airflow masks in every log; where there is none, the environment's key."""
    try:
        return Connection.get(publisher).password or key_from_environment(publisher)
    except AirflowNotFoundException:
        return key_from_environment(publisher)
