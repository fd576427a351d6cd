"""Alerts: what a DAG tells people when it fails, when it works again, and when it takes too long."""
