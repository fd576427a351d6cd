"""jobs.query calls that a client may send again: the same requestId is the same job for fifteen minutes.

The latest thousand are remembered, as many as there are jobs to ask about.
"""

import threading
import time

from tarn_bigquery.engine.jobs import KEPT_JOBS, Job, JobKey, JobRegistry
from tarn_bigquery.errors import ApiError

_REMEMBERED_SECONDS = 15 * 60


class Requests:
    def __init__(self, registry: JobRegistry) -> None:
        self._registry = registry
        self._jobs: dict[tuple[str, str], tuple[float, JobKey]] = {}
        self._guard = threading.Lock()

    def job(self, project: str, request_id: str | None) -> Job | None:
        """The job that came of an earlier call with the id, if there is one to ask about."""
        if not request_id:
            return None
        with self._guard:
            _, key = self._jobs.get((project, request_id), (0.0, None))
        try:
            return None if key is None else self._registry.get(*key)
        except ApiError:
            return None

    def remember(self, job: Job, request_id: str | None) -> None:
        if not request_id:
            return
        now = time.monotonic()
        with self._guard:
            # The dictionary is in the order of time, so the ones to forget stand in front.
            while self._jobs and next(iter(self._jobs.values()))[0] < now - _REMEMBERED_SECONDS:
                del self._jobs[next(iter(self._jobs))]
            self._jobs[job.project, request_id] = (now, job.key)
            if len(self._jobs) > KEPT_JOBS:
                del self._jobs[next(iter(self._jobs))]
