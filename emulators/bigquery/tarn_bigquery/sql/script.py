"""Procedural language: a script's text into blocks of statements.

https://cloud.google.com/bigquery/docs/reference/standard-sql/procedural-language
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

from sqlglot.dialects.bigquery import BigQuery
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from tarn_bigquery.errors import ApiError, invalid_query
from tarn_bigquery.sql.syntax import place, token_error, unexpected


class Words(BigQuery):
    """BigQuery's tokens, without the words behind which sqlglot takes the rest of a statement as one text."""

    class Tokenizer(BigQuery.Tokenizer):
        KEYWORDS: ClassVar[dict[str, Any]] = {
            word: kind for word, kind in BigQuery.Tokenizer.KEYWORDS.items() if kind != TokenType.COMMAND
        }
        COMMANDS: ClassVar[set[TokenType]] = set()


@dataclass(frozen=True)
class Fragment:
    """A piece of a script: an expression, a query or a statement, by its place."""

    script: str
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.script[self.start : self.end]


@dataclass(frozen=True)
class Plain:
    """A statement of SQL proper."""

    fragment: Fragment


@dataclass(frozen=True)
class Declare:
    names: list[str]
    kind: str | None
    default: Fragment | None


@dataclass(frozen=True)
class Assign:
    """SET. Targets in parentheses take the fields of one struct."""

    targets: list[str]
    value: Fragment
    unpacked: bool


@dataclass(frozen=True)
class If:
    """The first branch whose condition holds; `otherwise` where none does. CASE with conditions is one too."""

    branches: list[tuple[Fragment, "Block"]]
    otherwise: "Block"


@dataclass(frozen=True)
class CaseOf:
    """CASE with a value: the first branch that it equals."""

    value: Fragment
    branches: list[tuple[Fragment, "Block"]]
    otherwise: "Block"


@dataclass(frozen=True)
class Loop:
    """LOOP, WHILE and REPEAT: `before` is tested before each turn, `until` after it."""

    body: "Block"
    label: str | None
    before: Fragment | None = None
    until: Fragment | None = None


@dataclass(frozen=True)
class ForEach:
    variable: str
    query: Fragment
    body: "Block"
    label: str | None


@dataclass(frozen=True)
class Jump:
    """LEAVE or CONTINUE, by any of their names."""

    leaves: bool
    label: str | None


@dataclass(frozen=True)
class Return:
    pass


@dataclass(frozen=True)
class Raise:
    message: Fragment | None


@dataclass(frozen=True)
class Assert:
    """ASSERT: a condition, and what to say where it does not hold."""

    condition: Fragment
    message: Fragment | None


@dataclass(frozen=True)
class Execute:
    """EXECUTE IMMEDIATE. `using` has the parameters' names, empty for a positional one."""

    sql: Fragment
    into: list[str]
    using: list[tuple[str, Fragment]]


@dataclass(frozen=True)
class CallProcedure:
    path: list[str]
    arguments: list[Fragment]


@dataclass(frozen=True)
class TransactionControl:
    """BEGIN, COMMIT or ROLLBACK of a transaction."""

    verb: str


@dataclass(frozen=True)
class CreateProcedure:
    path: list[str]
    replace: bool
    exists: bool
    parameters: list[tuple[str, str, str]]
    options: Fragment | None
    body: Fragment


@dataclass(frozen=True)
class Block:
    """Statements in order, each with its text, and what to do where one of them fails."""

    statements: list[Any] = field(default_factory=list)
    texts: list[Fragment] = field(default_factory=list)
    handler: "Block | None" = None
    label: str | None = None

    @property
    def is_script(self) -> bool:
        """Whether BigQuery runs it as a script: one statement is none, nor are temporary functions before a query."""
        if any(not isinstance(statement, Plain | Assert) for statement in self.statements):
            return True
        return any(_TEMPORARY_FUNCTION.match(text.text) is None for text in self.texts[:-1])


@lru_cache(maxsize=64)
def parse_script(script: str) -> Block:
    """The script as a block. Raises ApiError `invalidQuery` with the place of what cannot be read."""
    try:
        tokens = Words().tokenize(script)
    except TokenError as error:
        raise token_error(error) from error
    parser = _Parser(script, tokens)
    block = parser.block(())
    if parser.token is not None:
        raise parser.unexpected()
    return block


_NO_NAMES = frozenset(";,()=:")
_TEMPORARY_FUNCTION = re.compile(r"CREATE\s+(OR\s+REPLACE\s+)?TEMP(ORARY)?\s+(AGGREGATE\s+)?FUNCTION\b", re.IGNORECASE)


class _Parser:
    def __init__(self, script: str, tokens: Sequence[Token]) -> None:
        self._script = script
        self._tokens = tokens
        self._at = 0

    @property
    def token(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def word(self, ahead: int = 0) -> str:
        """The token as a word in capitals; nothing for strings, quoted names and the end."""
        place = self._at + ahead
        if place >= len(self._tokens):
            return ""
        token = self._tokens[place]
        quoted = token.token_type in {TokenType.STRING, TokenType.IDENTIFIER, TokenType.RAW_STRING}
        return "" if quoted else token.text.upper()

    def unexpected(self) -> ApiError:
        return unexpected(self._script, self.token)

    def accept(self, *words: str) -> bool:
        """Go past the words if they are next."""
        if all(self.word(i) == word for i, word in enumerate(words)):
            self._at += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        if not self.accept(*words):
            raise self.unexpected()

    def block(self, ends: tuple[str, ...]) -> Block:
        """Statements up to one of the words, which is not taken."""
        statements: list[Any] = []
        texts: list[Fragment] = []
        while self.token is not None and self.word() not in ends:
            if self.accept(";"):
                continue
            first = self._at
            if self.word() == "DECLARE" and statements and not isinstance(statements[-1], Declare):
                at = place(self._script, self._tokens[first].start)
                raise invalid_query(f"Variable declarations are allowed only at the start of a block or script{at}")
            statements.append(self.statement())
            texts.append(self._since(first))
            if self.token is not None and self.word() not in ends:
                self.expect(";")
        return Block(statements, texts)

    def statement(self) -> Any:
        label = None
        if self.word(1) == ":" and self.word(2) in {"BEGIN", "LOOP", "WHILE", "REPEAT", "FOR"}:
            label = self._name()
            self._at += 1
        if self.word() in {"BEGIN", "BEGIN TRANSACTION"} and self._begins_transaction():
            return self._transaction()
        read = _STATEMENTS.get(self.word())
        if read is not None:
            return read(self, label)
        if self.word() == "CREATE" and "PROCEDURE" in {self.word(1), self.word(3)}:
            return self._procedure()
        return Plain(self.fragment(";"))

    def fragment(self, *ends: str) -> Fragment:
        """Everything up to one of the words, outside of parentheses and of CASE ... END."""
        first = self._at
        depth = cases = 0
        while self.token is not None:
            word = self.word()
            if depth == 0 and cases == 0 and word in (*ends, ";"):
                break
            if word == "CASE":
                cases += 1
            elif word == "END" and cases:
                cases -= 1
            elif word in {"(", "[", "{"}:
                depth += 1
            elif word in {")", "]", "}"}:
                if depth == 0:
                    break
                depth -= 1
            self._at += 1
        if first == self._at:
            raise self.unexpected()
        return self._since(first)

    def _since(self, first: int) -> Fragment:
        """What has been read from a token on."""
        return Fragment(self._script, self._tokens[first].start, self._tokens[self._at - 1].end + 1)

    def _type(self) -> str:
        """A type in a list of parameters, up to the comma or the parenthesis behind it."""
        first, depth = self._at, 0
        while self.token is not None and (depth > 0 or self.word() not in {",", ")"}):
            word = self.word()
            depth += word.count("<") + word.count("(") - word.count(">") - word.count(")")
            self._at += 1
        return self._script[self._tokens[first].start : self._tokens[self._at - 1].end + 1]

    def _name(self) -> str:
        name = self.token
        is_string = name is not None and name.token_type == TokenType.STRING
        if name is None or is_string or (name.text in _NO_NAMES and not self._is_quoted()):
            raise self.unexpected()
        self._at += 1
        return name.text

    def _names(self) -> list[str]:
        names = [self._name()]
        while self.accept(","):
            names.append(self._name())
        return names

    def _label(self) -> str | None:
        return None if self.word() in {"", ";"} and not self._is_quoted() else self._name()

    def _is_quoted(self) -> bool:
        return self.token is not None and self.token.token_type == TokenType.IDENTIFIER

    def _end(self, *words: str) -> None:
        """END and its words, and the label again if it is written."""
        self.expect("END", *words)
        if self.word() not in {"", ";"} or self._is_quoted():
            self._name()

    def _begins_transaction(self) -> bool:
        return self.word() == "BEGIN TRANSACTION" or self.word(1) in {"TRANSACTION", ";"}

    def _transaction(self) -> TransactionControl:
        verb = self._name().upper().split()[0]
        self.accept("TRANSACTION")
        return TransactionControl(verb)

    def _control(self, label: str | None) -> TransactionControl:
        return self._transaction()

    def _begin(self, label: str | None) -> Block:
        self.expect("BEGIN")
        body = self.block(("END", "EXCEPTION"))
        handler = None
        if self.accept("EXCEPTION"):
            self.expect("WHEN", "ERROR", "THEN")
            handler = self.block(("END",))
        self._end()
        return Block(body.statements, body.texts, handler, label)

    def _declare(self, label: str | None) -> Declare:
        self.expect("DECLARE")
        names = self._names()
        kind = None if self.word() == "DEFAULT" else self.fragment("DEFAULT").text
        return Declare(names, kind, self.fragment() if self.accept("DEFAULT") else None)

    def _set(self, label: str | None) -> Assign:
        self.expect("SET")
        unpacked = self.accept("(")
        if unpacked:
            targets = self._names()
            self.expect(")")
        else:
            targets = [self._variable()]
        self.expect("=")
        return Assign(targets, self.fragment(), unpacked)

    def _variable(self) -> str:
        """A variable's name; a system variable's with its signs, `@@query_label`."""
        name = ""
        while self.word() not in {"=", ""} or self._is_quoted():
            name += self._name()
        return name

    def _if(self, label: str | None) -> Any:
        self.expect("IF")
        branches = [self._branch("THEN", ("ELSEIF", "ELSE", "END"))]
        while self.accept("ELSEIF"):
            branches.append(self._branch("THEN", ("ELSEIF", "ELSE", "END")))
        otherwise = self.block(("END",)) if self.accept("ELSE") else Block()
        self._end("IF")
        return If(branches, otherwise)

    def _branch(self, then: str, ends: tuple[str, ...]) -> tuple[Fragment, Block]:
        condition = self.fragment(then)
        self.expect(then)
        return condition, self.block(ends)

    def _case(self, label: str | None) -> Any:
        self.expect("CASE")
        value = None if self.word() == "WHEN" else self.fragment("WHEN")
        branches = []
        while self.accept("WHEN"):
            branches.append(self._branch("THEN", ("WHEN", "ELSE", "END")))
        otherwise = self.block(("END",)) if self.accept("ELSE") else Block()
        self._end("CASE")
        return If(branches, otherwise) if value is None else CaseOf(value, branches, otherwise)

    def _loop(self, label: str | None) -> Loop:
        self.expect("LOOP")
        body = self.block(("END",))
        self._end("LOOP")
        return Loop(body, label)

    def _while(self, label: str | None) -> Loop:
        self.expect("WHILE")
        condition = self.fragment("DO")
        self.expect("DO")
        body = self.block(("END",))
        self._end("WHILE")
        return Loop(body, label, before=condition)

    def _repeat(self, label: str | None) -> Loop:
        self.expect("REPEAT")
        body = self.block(("UNTIL",))
        self.expect("UNTIL")
        until = self.fragment("END")
        self._end("REPEAT")
        return Loop(body, label, until=until)

    def _for(self, label: str | None) -> ForEach:
        self.expect("FOR")
        variable = self._name()
        self.expect("IN", "(")
        query = self.fragment()
        self.expect(")", "DO")
        body = self.block(("END",))
        self._end("FOR")
        return ForEach(variable, query, body, label)

    def _leave(self, label: str | None) -> Jump:
        self._name()
        return Jump(True, self._label())

    def _continue(self, label: str | None) -> Jump:
        self._name()
        return Jump(False, self._label())

    def _return(self, label: str | None) -> Return:
        self.expect("RETURN")
        return Return()

    def _raise(self, label: str | None) -> Raise:
        self.expect("RAISE")
        if not self.accept("USING"):
            return Raise(None)
        self.expect("MESSAGE", "=")
        return Raise(self.fragment())

    def _assert(self, label: str | None) -> Assert:
        self.expect("ASSERT")
        condition = self.fragment("AS")
        return Assert(condition, self.fragment() if self.accept("AS") else None)

    def _execute(self, label: str | None) -> Execute:
        self.expect("EXECUTE", "IMMEDIATE")
        sql = self.fragment("INTO", "USING")
        into = self._names() if self.accept("INTO") else []
        using = []
        if self.accept("USING"):
            using.append(self._argument())
            while self.accept(","):
                using.append(self._argument())
        return Execute(sql, into, using)

    def _argument(self) -> tuple[str, Fragment]:
        value = self.fragment(",", "AS")
        return (self._name() if self.accept("AS") else "", value)

    def _call(self, label: str | None) -> CallProcedure:
        self.expect("CALL")
        path = self._path()
        self.expect("(")
        arguments = []
        while self.word() != ")" and self.token is not None:
            arguments.append(self.fragment(","))
            if not self.accept(","):
                break
        self.expect(")")
        return CallProcedure(path, arguments)

    def _path(self) -> list[str]:
        """The parts of a name. Quotes around the whole of it are allowed, and dashes in the project."""
        text = self._name()
        while self.word() in {".", "-"}:
            text += self._name() + self._name()
        return text.split(".")

    def _procedure(self) -> CreateProcedure:
        self.expect("CREATE")
        replaces = self.accept("OR", "REPLACE")
        self.expect("PROCEDURE")
        exists = self.accept("IF", "NOT", "EXISTS")
        path = self._path()
        self.expect("(")
        parameters = []
        while self.word() != ")":
            mode = self._name().upper() if self.word() in {"IN", "OUT", "INOUT"} else "IN"
            parameters.append((mode, self._name(), self._type()))
            if not self.accept(","):
                break
        self.expect(")")
        options = None
        if self.accept("OPTIONS", "("):
            options = None if self.word() == ")" else self.fragment()
            self.expect(")")
        first = self._at
        self._begin(None)
        return CreateProcedure(path, replaces, exists, parameters, options, self._since(first))


_STATEMENTS: dict[str, Callable[[_Parser, str | None], Any]] = {
    "BEGIN": _Parser._begin,
    "COMMIT": _Parser._control,
    "ROLLBACK": _Parser._control,
    "DECLARE": _Parser._declare,
    "SET": _Parser._set,
    "IF": _Parser._if,
    "CASE": _Parser._case,
    "LOOP": _Parser._loop,
    "WHILE": _Parser._while,
    "REPEAT": _Parser._repeat,
    "FOR": _Parser._for,
    "BREAK": _Parser._leave,
    "LEAVE": _Parser._leave,
    "CONTINUE": _Parser._continue,
    "ITERATE": _Parser._continue,
    "RETURN": _Parser._return,
    "RAISE": _Parser._raise,
    "ASSERT": _Parser._assert,
    "EXECUTE": _Parser._execute,
    "CALL": _Parser._call,
}
