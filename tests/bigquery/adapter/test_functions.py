"""Functions of the user's own, made by dbt, with BigQuery's types and an expression for a body."""

import pytest
from dbt.tests.adapter.functions import files
from dbt.tests.adapter.functions.test_udafs import BasicSQLUDAF
from dbt.tests.adapter.functions.test_udfs import (
    CanFindScalarFunctionRelation,
    DeterministicUDF,
    ErrorForUnsupportedType,
    NonDeterministicUDF,
    PythonUDFEntryPointRequired,
    PythonUDFRuntimeVersionRequired,
    SqlUDFDefaultArgSupport,
    StableUDF,
    UDFsBasic,
)

from .suite import as_tests

pytestmark = [pytest.mark.slow, pytest.mark.adapter]


def in_bigquery(properties: str) -> dict[str, str]:
    """The suite's function: BigQuery has no FLOAT, and takes no query for a function's body."""
    return {
        "price_for_xlarge.sql": files.MY_UDF_SQL.removeprefix("SELECT"),
        "price_for_xlarge.yml": properties.replace("data_type: float", "data_type: FLOAT64"),
    }


class SqlFunction:
    @pytest.fixture(scope="class")
    def functions(self) -> dict[str, str]:
        return in_bigquery(files.MY_UDF_YML)

    def check_function_volatility(self, sql: str) -> None:
        """BigQuery knows no volatility: dbt warns, and leaves it out."""
        UDFsBasic.check_function_volatility(self, sql)


class TestUDFsBasic(SqlFunction, UDFsBasic):
    pass


class TestDeterministicUDF(SqlFunction, DeterministicUDF):
    pass


class TestStableUDF(SqlFunction, StableUDF):
    pass


class TestNonDeterministicUDF(SqlFunction, NonDeterministicUDF):
    pass


class TestErrorForUnsupportedType(SqlFunction, ErrorForUnsupportedType):
    pass


class TestCanFindScalarFunctionRelation(SqlFunction, CanFindScalarFunctionRelation):
    pass


class TestSqlUDFDefaultArgSupport(SqlUDFDefaultArgSupport):
    @pytest.fixture(scope="class")
    def functions(self) -> dict[str, str]:
        return in_bigquery(files.MY_UDF_WITH_DEFAULT_ARG_YML)


class TestBasicSQLUDAF(BasicSQLUDAF):
    @pytest.fixture(scope="class")
    def functions(self) -> dict[str, str]:
        properties = files.SUM_SQUARED_UDAF_SQL_YML.replace("data_type: float", "data_type: FLOAT64")
        return {"sum_squared.sql": files.SUM_SQUARED_UDAF_SQL, "sum_squared.yml": properties}


globals().update(as_tests(__name__, [PythonUDFEntryPointRequired, PythonUDFRuntimeVersionRequired]))
