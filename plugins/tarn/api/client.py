"""Ask an API, again while there is hope, and tell its answers from its refusals."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

import requests

from tarn.api.answers import Answer, NotJson, one_line, parse
from tarn.api.pace import Pace
from tarn.api.refusals import complaint_in, is_limit, is_markup, may_pass
from tarn.downloads.job import Manner
from tarn.errors import DownloadRefused, PublisherUnavailable
from tarn.fetch import Unchanged
from tarn.retry import parse_retry_after

log = logging.getLogger(__name__)

_BROKEN_TRANSFER = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)


class _Passing(Exception):
    """A failure that may be gone at the next try; ``wait`` is what the publisher asked for, in seconds."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class _Doubtful(_Passing):
    """A failure that few tries are given: most often the next answer is the same."""


class ApiClient:
    """Asks one publisher within one session, at its pace."""

    def __init__(self, session: requests.Session, pace: Pace, manner: Manner) -> None:
        self._session = session
        self._pace = pace
        self._policy = manner.policy
        self._clock = manner.clock

    def url(self, address: str, params: Mapping[str, str]) -> str:
        """A request's whole URL, as receipts and messages tell it: a secret travels in a header, never here."""
        return str(requests.Request("GET", address, params=params).prepare().url)

    def get(self, url: str, etag: str | None = None) -> Answer:
        """The answer to a request; ``etag`` is of one that need not be sent again.

        Raises Unchanged; DownloadRefused where the publisher refuses, or goes on sending what is no answer;
        PublisherUnavailable where the tries or the time are used up.
        """
        tries, waited = 0, 0.0
        while True:
            self._pace.wait()
            try:
                return self._try(url, etag)
            except _Passing as failure:
                tries += 1
                waited += self._wait_or_give_up(url, failure, tries, waited)

    def _wait_or_give_up(self, url: str, failure: _Passing, tries: int, waited: float) -> float:
        wait = self._policy.wait(tries, failure.wait)
        if isinstance(failure, _Doubtful) and tries >= self._policy.few_tries:
            raise DownloadRefused(f"{url}: {failure}, {tries} times in a row. Tell the publisher, or try again later.")
        if tries >= self._policy.tries:
            raise PublisherUnavailable(f"{url}: gave up after {tries} tries: {failure}. Try again later.")
        if waited + wait > self._policy.total_wait:
            raise PublisherUnavailable(
                f"{url}: gave up: {failure}; the next try would be in {wait:.0f} s, and {waited:.0f} s of"
                f" {self._policy.total_wait:.0f} s for waiting are used. Try again later."
            )
        log.warning("%s: try %d failed: %s; next in %.1f s", url, tries, failure, wait)
        self._clock.sleep(wait)
        return wait

    def _try(self, url: str, etag: str | None) -> Answer:
        headers = {"Accept": "application/json"} | ({"If-None-Match": etag} if etag else {})
        timeout = (self._policy.connect_timeout, self._policy.read_timeout)
        try:
            # A redirection might carry the key to another's server.
            response = self._session.get(url, headers=headers, timeout=timeout, allow_redirects=False)
        except _BROKEN_TRANSFER as error:
            raise _Passing(f"{type(error).__name__}: {error}") from error
        except requests.RequestException as error:
            raise DownloadRefused(f"{url}: cannot be asked: {error}.") from error
        if response.status_code == HTTPStatus.NOT_MODIFIED:
            raise Unchanged("the publisher has no other answer")
        return self._read(url, response)

    def _read(self, url: str, response: requests.Response) -> Answer:
        wait = parse_retry_after(response.headers.get("Retry-After"), self._clock.now())
        line = one_line(response.content)
        try:
            data = parse(line)
        except NotJson as error:
            self._refuse_status(response, "", wait)
            what = "a web page" if is_markup(response.content) else f"no JSON ({error})" if line else "nothing"
            raise _Doubtful(f"the publisher sends {what} instead of an answer", wait) from None
        complaint = complaint_in(data)
        self._refuse_status(response, f": {complaint.message}" if complaint else "", wait)
        if complaint:
            code = f" {complaint.code}" if complaint.code else ""
            kind = _Passing if may_pass(complaint.code) else _Doubtful
            raise kind(f"the publisher answers HTTP 200 with the error{code}: {complaint.message}", wait)
        return Answer(url, line, data, response.headers.get("ETag"), response.headers.get("Last-Modified"))

    def _refuse_status(self, response: requests.Response, words: str, wait: float | None) -> None:
        status = response.status_code
        if status == HTTPStatus.OK:
            return
        reason = f"HTTP {status} {response.reason}{words}"
        if is_limit(status):
            raise _Passing(f"the publisher limits how often it is asked: {reason}", wait)
        if may_pass(status):
            raise _Passing(reason, wait)
        if status == HTTPStatus.FORBIDDEN:
            raise _Doubtful(f"the publisher answers {reason}", wait)
        if status == HTTPStatus.UNAUTHORIZED:
            raise DownloadRefused(
                f"{response.url}: the publisher refuses the key, or lacks one: {reason}. Give it as an Airflow"
                " connection of the publisher's name, or in TARN_KEY_<PUBLISHER>."
            )
        raise DownloadRefused(f"{response.url}: the publisher answers {reason}. Are the dataset's params still right?")
