"""Scripts carried out: the blocks that `sql.script` reads, statement by statement, with variables between them."""

from collections import ChainMap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlglot import exp

from tarn_bigquery.catalog.catalog import Key, create
from tarn_bigquery.catalog.catalog import replace as replace_resource
from tarn_bigquery.catalog.names import DatasetRef
from tarn_bigquery.engine import system_variables
from tarn_bigquery.engine.failures import Activation, Failure, failure
from tarn_bigquery.engine.jobs import Job
from tarn_bigquery.engine.procedures import ProcedureArgument, no_signature, procedure_body
from tarn_bigquery.engine.queries import Outcome, Queries
from tarn_bigquery.engine.session import Session
from tarn_bigquery.errors import ApiError, already_exists, invalid_query, not_found
from tarn_bigquery.sql import parameters, script
from tarn_bigquery.sql.compiler.environment import Environment
from tarn_bigquery.sql.compiler.kinds import Type, of_field
from tarn_bigquery.sql.compiler.operators import compare
from tarn_bigquery.sql.compiler.values import NotCoercible, Value, coerce
from tarn_bigquery.sql.context import QueryContext, Variable
from tarn_bigquery.sql.parse import Statement, parse_fragment, parse_type
from tarn_bigquery.sql.script import Block, Fragment, parse_script
from tarn_bigquery.sql.translate import assigned
from tarn_bigquery.sql.types import Field, field_of_googlesql

_MOST_NESTED_CALLS = 50

RunStatement = Callable[[Statement, QueryContext], Outcome]
Frame = ChainMap[str, Variable]


class _Jumped(Exception):
    def __init__(self, jump: script.Jump) -> None:
        super().__init__()
        self.jump = jump


class _Returned(Exception):
    pass


@dataclass
class Interpreter:
    """One script. `run_statement` does a statement of SQL proper as a child job."""

    queries: Queries
    session: Session
    base: QueryContext
    run_statement: RunStatement
    check: Callable[[], None]
    abort: Callable[[], None]
    job: Job
    outcome: Outcome = field(default_factory=lambda: Outcome("SCRIPT"))
    bytes_processed: int = 0
    variables: Frame = field(default_factory=ChainMap)
    activations: list[Activation] = field(default_factory=list)
    failure: Failure | None = None
    is_script: bool = False

    def run(self, block: Block) -> None:
        """Carry out a script. Raises ApiError as the first statement that fails and is not caught does."""
        self.is_script = block.is_script
        with self._activated(Activation()):
            self._whole(block)

    @contextmanager
    def _activated(self, activation: Activation) -> Iterator[None]:
        """While a text is carried out for which an activation stands."""
        self.activations.append(activation)
        try:
            yield
        finally:
            self.activations.pop()

    def _whole(self, block: Block) -> None:
        """Carry out a script, or the body of a procedure."""
        try:
            self._statements(block)
        except _Returned:
            return
        except _Reraised:
            raise invalid_query("Cannot re-raise an existing exception outside of an exception handler.") from None
        except _Jumped as jumped:
            verb = "LEAVE" if jumped.jump.leaves else "CONTINUE"
            raise invalid_query(f"{verb} statement is not allowed outside of a loop") from None

    def context(self) -> QueryContext:
        """What a statement sees now: the variables, the system's among them, and the dataset that a script has set."""
        system = system_variables.values(self.base, self.bytes_processed, self.outcome, self.job)
        variables = {**system, **self.variables}
        default = system_variables.default_dataset(self.base, variables)
        return replace(self.base, variables=variables, temporary=self.session.temporary, default_dataset=default)

    def _block(self, block: Block) -> None:
        outer, self.variables = self.variables, self.variables.new_child()
        try:
            self._statements(block)
        except ApiError as error:
            if block.handler is None or error.reason == "stopped":
                raise
            failed = self._failure(error)
            self.variables = outer.new_child(failed.variables())
            self._handle(block.handler, failed)
        except _Jumped as jumped:
            if block.label is None or jumped.jump.label != block.label:
                raise
        finally:
            self.variables = outer

    def _statements(self, block: Block) -> None:
        for statement, text in zip(block.statements, block.texts, strict=True):
            self.check()
            with self._doing(text, as_said=isinstance(statement, script.Raise)):
                _HANDLERS[type(statement)](self, statement)

    @contextmanager
    def _doing(self, text: Fragment, *, as_said: bool = False) -> Iterator[None]:
        """While a statement is carried out: an error that comes up in it is told as its own, or `as_said`."""
        self.activations[-1].statement = text
        try:
            yield
        except ApiError as error:
            if error.reason == "stopped":
                raise
            told = self._failure(error, as_said=as_said or not self.is_script).error
            if told is error:
                raise
            raise told from error

    def _failure(self, error: ApiError, *, as_said: bool = False) -> Failure:
        """What is known of an error. It is noted where it comes up first, in the innermost of the statements."""
        if self.failure is None or self.failure.error is not error:
            self.failure = failure(error, self.activations, as_said=as_said)
        return self.failure

    def _handle(self, handler: Block, failed: Failure) -> None:
        try:
            self._block(handler)
        except _Reraised:
            self.failure = failed
            raise failed.error from None

    def _plain(self, plain: script.Plain) -> None:
        fragment = plain.fragment
        statement = parse_fragment(fragment.script, fragment.start, fragment.end)
        if isinstance(statement.tree, exp.Create | exp.Drop) and _is_temporary(statement.tree):
            _into_temporary(statement.tree, self.session.need_temporary())
        self._run(statement, self.context())

    def _run(self, statement: Statement, context: QueryContext) -> None:
        self.outcome = self.run_statement(statement, context)
        self.bytes_processed += self.outcome.bytes_processed

    def _declare(self, declare: script.Declare) -> None:
        kind = field_of_googlesql("", parse_type(declare.kind)) if declare.kind is not None else None
        if declare.default is not None:
            value = self._value(declare.default, kind)
        elif kind is not None:
            value = Variable(kind, None)
        else:
            raise invalid_query(f"Variable '{declare.names[0]}' needs a type or a default value")
        for name in declare.names:
            if name.lower() in self.variables:
                raise invalid_query(f"Variable '{name}' redeclaration; previously declared")
            self.variables[name.lower()] = value

    def _coerced(self, value: Variable, kind: Field) -> Variable:
        """A value as one of another type. Raises ApiError `invalidQuery` where it does not coerce to that."""
        found = coerce(_typed(value), of_field(kind))
        if found is None:
            raise invalid_query(f"Cannot coerce a value of type {of_field(value.field)} to type {of_field(kind)}")
        return self._evaluate(found.sql, kind)

    def _evaluate(self, sql: str, kind: Field) -> Variable:
        with self.queries.connection(self.session) as cursor:
            value = cursor.sql(f"SELECT {sql} AS value").to_arrow_table().column(0)[0].as_py()
        return Variable(kind, value)

    def _assign(self, assign: script.Assign) -> None:
        if not assign.unpacked:
            name = assign.targets[0]
            self._set(name, self._value(assign.value, None if name.startswith("@@") else self._variable(name).field))
            return
        value = self._value(assign.value)
        fields = value.field.get("fields", [])
        if value.field["type"] != "RECORD" or len(fields) != len(assign.targets):
            raise invalid_query(f"SET needs a STRUCT of {len(assign.targets)} fields")
        for name, member in zip(assign.targets, fields, strict=True):
            self._set(name, Variable(member, (value.value or {}).get(member["name"])))

    def _set(self, name: str, value: Variable) -> None:
        if name.startswith("@@"):
            system_variables.check(name, value)
            self.variables.maps[-1][name.lower()] = value
            return
        kind = self._variable(name).field
        for frame in self.variables.maps:
            if name.lower() in frame:
                frame[name.lower()] = value if value.field is kind else self._coerced(value, kind)
                return

    def _variable(self, name: str) -> Variable:
        """The variable of that name. Raises ApiError `invalidQuery` where none is declared."""
        variable = self.variables.get(name.lower())
        if variable is None:
            raise invalid_query(f"Undeclared variable: {name}")
        return variable

    def _value(self, expression: Fragment, kind: Field | None = None) -> Variable:
        """An expression's value, now: of its own type, or of the one that it is assigned to.

        Raises NotCoercible where it cannot be.
        """
        statement = parse_fragment(expression.script, expression.start, expression.end, before="SELECT ")
        if kind is None:
            return self._rows(statement)[0][0]
        return Variable(kind, self._rows(assigned(statement, kind))[0][0].value)

    def _rows(self, statement: Statement) -> list[list[Variable]]:
        table, schema, size = self.queries.fetch(statement, self.context(), self.session)
        self.bytes_processed += size
        columns = [column.to_pylist() for column in table.columns]
        return [[Variable(f, v) for f, v in zip(schema, row, strict=True)] for row in zip(*columns, strict=True)]

    def _holds(self, condition: Fragment) -> bool:
        return self._value(condition).value is True

    def _if(self, node: script.If) -> None:
        for condition, block in node.branches:
            if self._holds(condition):
                self._block(block)
                return
        self._block(node.otherwise)

    def _case(self, node: script.CaseOf) -> None:
        value = self._value(node.value)
        for candidate, block in node.branches:
            equal = compare(Environment(), exp.Null(), "=", _typed(value), _typed(self._value(candidate)))
            if self._evaluate(equal.sql, {"type": "BOOLEAN"}).value is True:
                self._block(block)
                return
        self._block(node.otherwise)

    def _loop(self, loop: script.Loop) -> None:
        while loop.before is None or self._holds(loop.before):
            self.check()
            if not self._turn(loop.body, loop.label):
                return
            if loop.until is not None and self._holds(loop.until):
                return

    def _for(self, loop: script.ForEach) -> None:
        query = loop.query
        statement = parse_fragment(query.script, query.start, query.end)
        for row in self._rows(statement):
            kind = {"name": loop.variable, "type": "RECORD", "fields": [variable.field for variable in row]}
            record = Variable(kind, {variable.field["name"]: variable.value for variable in row})
            outer, self.variables = self.variables, self.variables.new_child({loop.variable.lower(): record})
            try:
                if not self._turn(loop.body, loop.label):
                    return
            finally:
                self.variables = outer

    def _turn(self, body: Block, label: str | None) -> bool:
        """One turn of a loop. Returns whether there may be another."""
        try:
            self._block(body)
        except _Jumped as jumped:
            if jumped.jump.label is not None and jumped.jump.label != label:
                raise
            return not jumped.jump.leaves
        return True

    def _jump(self, jump: script.Jump) -> None:
        raise _Jumped(jump)

    def _return(self, node: script.Return) -> None:
        raise _Returned

    def _raise(self, node: script.Raise) -> None:
        if node.message is None:
            raise _Reraised
        text = _plain_text(self._value(node.message))
        raise invalid_query(text)

    def _assert(self, node: script.Assert) -> None:
        if not self._holds(node.condition):
            said = _plain_text(self._value(node.message)) if node.message is not None else None
            raise invalid_query(said or "Assertion failed")

    def _execute(self, node: script.Execute) -> None:
        text = _plain_text(self._value(node.sql))
        values = [(name, self._value(value)) for name, value in node.using]
        context = self.context()
        if values and not values[0][0]:
            text = parameters.name_positional(text)
        bound = {f"@{name.lower() or parameters.positional_name(i)}": v for i, (name, v) in enumerate(values)}
        context = replace(context, variables={**context.variables, **bound})
        block = parse_script(text)
        if len(block.statements) != 1:
            raise invalid_query("EXECUTE IMMEDIATE takes exactly one statement")
        with self._activated(Activation()), self._doing(block.texts[0]):
            self._execute_one(block.statements[0], context, node.into)

    def _execute_one(self, plain: Any, context: QueryContext, into: list[str]) -> None:
        """Carry out a dynamic statement, which sees the parameters in the context that were given to it."""
        if not isinstance(plain, script.Plain):
            _HANDLERS[type(plain)](self, plain)
            return
        fragment = plain.fragment
        statement = parse_fragment(fragment.script, fragment.start, fragment.end)
        if into:
            self._into(statement, context, into)
        else:
            if isinstance(statement.tree, exp.Create | exp.Drop) and _is_temporary(statement.tree):
                _into_temporary(statement.tree, self.session.need_temporary())
            self._run(statement, context)

    def _into(self, statement: Statement, context: QueryContext, names: list[str]) -> None:
        table, schema, size = self.queries.fetch(statement, context, self.session)
        self.bytes_processed += size
        if table.num_rows > 1 or len(schema) != len(names):
            raise invalid_query(f"EXECUTE IMMEDIATE INTO needs at most one row of {len(names)} columns")
        for name, column, kind in zip(names, table.columns, schema, strict=True):
            self._set(name, Variable(kind, column[0].as_py() if table.num_rows else None))

    def _transaction(self, node: script.TransactionControl) -> None:
        {"BEGIN": self.session.begin, "COMMIT": self.session.commit, "ROLLBACK": self.session.rollback}[node.verb]()

    def _create_procedure(self, node: script.CreateProcedure) -> None:
        key = self._procedure_key(node.path)
        catalog = self.base.catalog
        catalog.dataset(key.dataset)
        if catalog.find(key) is not None and not node.replace:
            if node.exists:
                return
            raise already_exists("Routine", key)
        body = procedure_body(key, node)
        with self.queries.database.transaction() as transaction:
            transaction.change(replace_resource(key, body) if node.replace else create(key, body))
        self.outcome = Outcome("CREATE_PROCEDURE")

    def _call(self, call: script.CallProcedure) -> None:
        name = [part.upper() for part in call.path]
        if name == ["BQ", "ABORT_SESSION"]:
            self.abort()
            return
        if name == ["BQ", "REFRESH_MATERIALIZED_VIEW"]:
            self._refresh(call)
            return
        key = self._procedure_key(call.path)
        body = self.base.catalog.find(key)
        if body is None or body.get("routineType") != "PROCEDURE":
            raise not_found("Routine", key)
        if len(self.activations) > _MOST_NESTED_CALLS:
            raise invalid_query("Procedure calls are nested too deeply")
        arguments = [ProcedureArgument.of(argument) for argument in body.get("arguments", [])]
        try:
            frame = self._arguments(arguments, call)
        except NotCoercible as error:
            types = [self._value(given).field for given in call.arguments]
            raise no_signature(key.name, arguments, types) from error
        outer, self.variables = self.variables, ChainMap(frame)
        try:
            with self._activated(Activation(f"{key.dataset.project}.{key.dataset.dataset}.{key.name}")):
                self._whole(parse_script(body["definitionBody"]))
        finally:
            self.variables = outer
        for argument, given in zip(arguments, call.arguments, strict=True):
            if argument.gives:
                self._set(given.text, frame[argument.name])

    def _refresh(self, call: script.CallProcedure) -> None:
        """A materialized view is reckoned anew whenever it is read: all that is left is whether there is one."""
        if len(call.arguments) != 1:
            raise invalid_query("BQ.REFRESH_MATERIALIZED_VIEW takes the name of a view")
        node = exp.to_table(_plain_text(self._value(call.arguments[0])), dialect="bigquery")
        ref = self.context().table_ref(node)
        if self.base.catalog.table(ref)["type"] != "MATERIALIZED_VIEW":
            raise invalid_query(f"{ref} is not a materialized view.")

    def _arguments(self, arguments: list[ProcedureArgument], call: script.CallProcedure) -> dict[str, Variable]:
        """The variables that a procedure begins with. Raises NotCoercible for arguments that it does not take."""
        if len(arguments) != len(call.arguments):
            raise NotCoercible("invalidQuery", "Another number of arguments", location="query")
        frame = {}
        for argument, given in zip(arguments, call.arguments, strict=True):
            if argument.gives and coerce(Value("x", of_field(argument.field)), self._type_of(given)) is None:
                raise NotCoercible("invalidQuery", f"{given.text} cannot take {argument}", location="query")
            taken = self._value(given, argument.field) if argument.takes else Variable(argument.field, None)
            frame[argument.name] = taken
        return frame

    def _type_of(self, given: Fragment) -> Type:
        """The type of the variable that an argument is which a procedure writes to."""
        return of_field(self._variable(given.text).field)

    def _procedure_key(self, path: list[str]) -> Key:
        default = self.base.default_dataset
        if len(path) == 1:
            if default is None:
                raise invalid_query(f"Procedure {path[0]} must be qualified with a dataset.")
            return Key("Routine", default, path[0])
        project = path[0] if len(path) == 3 else self.base.project
        return Key("Routine", DatasetRef(project, path[-2]), path[-1])


class _Reraised(Exception):
    pass


def _typed(variable: Variable) -> Value:
    return Value(variable.sql, of_field(variable.field))


def _plain_text(value: Variable) -> str:
    if not isinstance(value.value, str):
        raise invalid_query("A STRING that is not NULL is needed here")
    return value.value


def _is_temporary(tree: exp.Expr) -> bool:
    if isinstance(tree, exp.Create):
        return tree.find(exp.TemporaryProperty) is not None
    return bool(tree.args.get("temporary"))


def _into_temporary(tree: exp.Expr, dataset: DatasetRef) -> None:
    """Give the name of the created table or function the dataset of what is temporary in the script."""
    named = tree.this.this if isinstance(tree.this, exp.Schema | exp.UserDefinedFunction) else tree.this
    if isinstance(named, exp.Table):
        named.set("db", exp.to_identifier(dataset.dataset, quoted=True))
        named.set("catalog", exp.to_identifier(dataset.project, quoted=True))


_HANDLERS: dict[type, Callable[[Interpreter, Any], None]] = {
    script.Plain: Interpreter._plain,
    script.Declare: Interpreter._declare,
    script.Assign: Interpreter._assign,
    script.If: Interpreter._if,
    script.CaseOf: Interpreter._case,
    script.Loop: Interpreter._loop,
    script.ForEach: Interpreter._for,
    script.Jump: Interpreter._jump,
    script.Return: Interpreter._return,
    script.Raise: Interpreter._raise,
    script.Assert: Interpreter._assert,
    script.Execute: Interpreter._execute,
    script.CallProcedure: Interpreter._call,
    script.CreateProcedure: Interpreter._create_procedure,
    script.TransactionControl: Interpreter._transaction,
    script.Block: Interpreter._block,
}
