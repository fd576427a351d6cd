"""The errors that Tarn shows to people: what was wrong, where, and what to do next, without a traceback."""


class TarnError(Exception):
    """A user's mistake or a fact of the world; its message is complete and is shown as it is."""


class InvalidDataset(TarnError):
    """A dataset's YAML file is missing, malformed or fails validation."""


class InvalidPartition(TarnError):
    """A partition or a range of partitions is not a date of the dataset's granularity."""


class NotPublished(TarnError):
    """The publisher holds no file for this partition: nothing to load, and no failure of ours."""


class InputMissing(TarnError):
    """A step is asked for before the step that makes what it reads, or that has changed since."""


class DownloadRefused(TarnError):
    """What the publisher sent is not the file it should be (an error page, a pointer, nothing, a cut body)."""


class FileRefused(TarnError):
    """A downloaded file cannot be read as the dataset declares it: damaged, another encoding, or other columns."""


class PublisherUnavailable(TarnError):
    """The publisher could not be reached, or kept failing, until the retries were used up."""


class TooManyBadRows(TarnError):
    """The share of quarantined rows is above the dataset's limit."""


class UploadFailed(TarnError):
    """The bucket refused a file, or holds an object that is not, byte for byte, the file that was sent."""


class LoadFailed(TarnError):
    """BigQuery refused the table, its definition or the proof."""


class LoadMismatch(TarnError):
    """BigQuery counts other rows in the partition than the receipt promised."""


class CheckFailed(TarnError):
    """More of a partition's rows break one of the dataset's checks than its limit allows."""


class CredentialsMissing(TarnError):
    """There are no credentials for Google Cloud, or they cannot be used."""


class StagingFailed(TarnError):
    """The staging area's bucket does not answer, refused a file, or holds another than was sent."""


class ServiceFailed(TarnError):
    """A service of the local cloud could not be started, reached or stopped."""


class BuildFailed(TarnError):
    """dbt could not build a model, or one of its tests failed."""


class InvalidChart(TarnError):
    """A chart's declaration is wrong."""


class DemoFailed(TarnError):
    """The demo's run through Airflow did not succeed."""
