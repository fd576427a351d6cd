"""Query jobs: a text of one or more statements, run and told as BigQuery tells it."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from tarn_bigquery.catalog.catalog import dataset_key
from tarn_bigquery.catalog.names import DatasetRef, TableRef
from tarn_bigquery.catalog.partitions import undecorated
from tarn_bigquery.catalog.resources import require
from tarn_bigquery.engine import ddl, definitions
from tarn_bigquery.engine.ddl_call import Call as DdlCall
from tarn_bigquery.engine.expirations import reckon_expirations
from tarn_bigquery.engine.exports import Exports
from tarn_bigquery.engine.jobs import Job, JobRegistry
from tarn_bigquery.engine.loads import Loads
from tarn_bigquery.engine.queries import Outcome, Queries
from tarn_bigquery.engine.runner import JobRunner
from tarn_bigquery.engine.script import Interpreter
from tarn_bigquery.engine.session import LiveSession, Session, Sessions
from tarn_bigquery.engine.stats import billed_bytes
from tarn_bigquery.engine.writes import Destination, destination
from tarn_bigquery.errors import ApiError, invalid, invalid_query
from tarn_bigquery.sql import parameters
from tarn_bigquery.sql.context import Externals, Introspection, QueryContext
from tarn_bigquery.sql.parse import Statement, parse_fragment, statement_type
from tarn_bigquery.sql.script import Block, Plain, parse_script

# BigQuery keeps anonymous tables for a day.
_ANONYMOUS_LIFE_MS = "86400000"
_DML = exp.Insert | exp.Update | exp.Delete | exp.Merge | exp.TruncateTable


@dataclass
class QueryJobs:
    queries: Queries
    registry: JobRegistry
    externals: Externals
    introspection: Introspection
    sessions: Sessions
    exports: Exports
    loads: Loads
    runner: JobRunner | None = None

    def run(self, job: Job) -> None:
        """Do what a query job asks. Raises ApiError with what is wrong."""
        config = job.configuration["query"]
        context = self._context(job.project, config)
        text = _text(config)
        block = parse_script(text)
        if not block.statements:
            raise invalid_query("Syntax error: Unexpected end of script")
        alone = block.statements[0] if len(block.statements) == 1 else None
        if job.configuration.get("dryRun"):
            self._dry_run(job, alone, context)
        elif _names_session(config):
            self._in_session(job, block, context, config)
        elif isinstance(alone, Plain) and not _needs_session(text):
            fragment = alone.fragment
            statement = parse_fragment(text, fragment.start, fragment.end)
            self._finish(job, self._statement(job, statement, context, config))
        else:
            self._script(job, block, context, config)

    def _dry_run(self, job: Job, alone: object, context: QueryContext) -> None:
        """Say what a query would give and read, and run nothing. A script is only read."""
        outcome = Outcome("SCRIPT")
        if isinstance(alone, Plain):
            fragment = alone.fragment
            statement = parse_fragment(fragment.script, fragment.start, fragment.end)
            outcome = Outcome(statement_type(statement.tree))
            if isinstance(statement.tree, exp.Query | _DML):
                outcome = self.queries.describe(statement, context)
                outcome.statement_type = statement_type(statement.tree)
        self._finish(job, outcome)
        job.statistics["query"] |= {
            "schema": {"fields": outcome.result.schema},
            "totalBytesProcessedAccuracy": "PRECISE",
        }

    def _script(self, job: Job, block: Block, context: QueryContext, config: dict[str, Any]) -> None:
        """Run a script with temporary tables and variables of its own."""
        live = LiveSession(Session(self.queries.database, self.queries.locks, job.project, job.job_id))
        try:
            self._interpret(job, block, context, config, live)
        finally:
            live.session.close()

    def _in_session(self, job: Job, block: Block, context: QueryContext, config: dict[str, Any]) -> None:
        """Run a query in a session that a client has made, or makes with it."""
        given = {item.get("key"): item.get("value") for item in config.get("connectionProperties") or []}
        name = given.get("session_id")
        if name is None:
            name, live = self.sessions.create(job.project)
        else:
            live = self.sessions.get(name)
        with live.turn:
            self._interpret(job, block, context, config, live)
        job.statistics["sessionInfo"] = {"sessionId": name}

    def _interpret(
        self, job: Job, block: Block, context: QueryContext, config: dict[str, Any], live: LiveSession
    ) -> None:
        """Run statements, each as a child job; the last statement's result is the whole's."""

        def run_statement(statement: Statement, scope: QueryContext) -> Outcome:
            return self._run_child(job, live.session, statement, scope, config)

        interpreter = Interpreter(
            self.queries,
            live.session,
            context,
            run_statement,
            job.check_cancelled,
            lambda: self.sessions.abort(live),
            job,
            variables=live.variables,
        )
        interpreter.run(block)
        last = interpreter.outcome
        outcome = Outcome("SCRIPT", last.result, interpreter.bytes_processed, last.references, last.destination)
        if job.child_jobs == 1 and len(block.statements) == 1:
            outcome.statement_type = last.statement_type
            outcome.statistics = last.statistics
        self._finish(job, outcome)

    def _run_child(
        self, job: Job, session: Session, statement: Statement, context: QueryContext, config: dict[str, Any]
    ) -> Outcome:
        configuration = {"query": {**config, "query": statement.text}}
        child = Job(job.project, f"script_job_{job.job_id}_{job.child_jobs}", configuration, parent=job.job_id)
        child.session = session
        self.registry.add(child)
        job.adopt(child)
        outcomes = []

        def work(own: Job) -> None:
            outcome = self._statement(own, statement, context, config)
            outcomes.append(outcome)
            self._finish(own, outcome)

        if self.runner is None:
            raise RuntimeError("QueryJobs was not given its runner.")
        self.runner.run(child, work)
        if child.error is not None:
            raise child.error
        return outcomes[0]

    def _statement(self, job: Job, statement: Statement, context: QueryContext, config: dict[str, Any]) -> Outcome:
        tree = statement.tree
        if isinstance(tree, exp.Query):
            target = _destination(config, context)
            if target is None:
                return self.queries.cached(job) or self.queries.select(statement, context, job)
            return self.queries.select_into(statement, context, job, target)
        if isinstance(tree, _DML):
            outcome = self.queries.modify(statement, context, job)
            outcome.statement_type = statement_type(tree)
            return outcome
        if isinstance(tree, exp.Export):
            return self.exports.export_query(statement, context, job)
        if statement_type(tree) == "LOAD_DATA":
            return self.loads.load_data(statement, context, job)
        call = DdlCall(statement, context, job, self.queries)
        reckon_expirations(call)
        return ddl.run(call)

    def _context(self, project: str, config: dict[str, Any]) -> QueryContext:
        if config.get("useLegacySql", False):
            raise invalid("The emulator does not support legacy SQL. Set useLegacySql to false.")
        given = config.get("defaultDataset")
        default = DatasetRef(given.get("projectId") or project, require(given, "datasetId")) if given else None
        return QueryContext(
            self.queries.database.catalog,
            self.externals,
            self.introspection,
            project,
            default,
            config.get("queryParameters") or [],
            config.get("tableDefinitions") or {},
        )

    def _need_dataset(self, ref: DatasetRef) -> None:
        """Have the dataset of anonymous tables: clients put temporary tables of their own into it."""
        if self.queries.database.catalog.find(dataset_key(ref)) is not None:
            return
        try:
            definitions.create_dataset(self.queries.database, ref, {"defaultTableExpirationMs": _ANONYMOUS_LIFE_MS})
        except ApiError as error:
            # Another job has made it in the meantime.
            if error.reason != "duplicate":
                raise

    def _finish(self, job: Job, outcome: Outcome) -> None:
        job.result = outcome.result
        job.destination = outcome.destination
        if outcome.destination is not None:
            job.configuration["query"]["destinationTable"] = outcome.destination.rest()
        elif isinstance(outcome.statement_type, str) and outcome.statement_type in {"SELECT", "SCRIPT"}:
            table = anonymous_table(job)
            self._need_dataset(table.parent)
            job.configuration["query"]["destinationTable"] = table.rest()
        size = str(outcome.bytes_processed)
        job.statistics = {
            "totalBytesProcessed": size,
            "query": {
                "statementType": outcome.statement_type,
                "totalBytesProcessed": size,
                "totalBytesBilled": str(billed_bytes(outcome.bytes_processed, len(outcome.references))),
                "cacheHit": outcome.is_cached,
                "totalSlotMs": "0",
                "referencedTables": [ref.rest() for ref in outcome.references],
                **outcome.statistics,
            },
        }


def anonymous_table(job: Job) -> TableRef:
    """The table that holds a query's result where no other was named. The job's id is in its name."""
    owner = hashlib.sha256(job.project.encode()).hexdigest()[:40]
    return TableRef(job.project, f"_{owner}", f"anon_{job.job_id}")


def anonymous_job_id(ref: TableRef) -> str | None:
    """The job whose result a table is, or None for any other table."""
    return ref.table.removeprefix("anon_") if ref.dataset.startswith("_") and ref.table.startswith("anon_") else None


def _text(config: dict[str, Any]) -> str:
    text = config.get("query")
    if not text or not text.strip():
        raise invalid_query("Query text must not be empty")
    return parameters.name_positional(text) if config.get("parameterMode", "").upper() == "POSITIONAL" else text


def _destination(config: dict[str, Any], context: QueryContext) -> Destination | None:
    given = config.get("destinationTable")
    if not given:
        return None
    ref = TableRef.from_rest(given, context.project)
    if ref.dataset.startswith("_"):
        return None
    target = undecorated(ref)
    context.catalog.dataset(target.table.parent)
    return destination(target, config, default_write="WRITE_EMPTY")


def _names_session(config: dict[str, Any]) -> bool:
    named = any(item.get("key") == "session_id" for item in config.get("connectionProperties") or [])
    return named or bool(config.get("createSession"))


def _needs_session(text: str) -> bool:
    """Whether a single statement has what only a script has: something temporary, or the system's variables."""
    return "@@" in text or re.search(r"\bTEMP(ORARY)?\b", text, re.IGNORECASE) is not None
