"""dbt's cross-database macros: each gives on the emulator what it gives everywhere."""

import pytest
from dbt.tests.adapter.utils.data_types.test_type_bigint import BaseTypeBigInt
from dbt.tests.adapter.utils.data_types.test_type_boolean import BaseTypeBoolean
from dbt.tests.adapter.utils.data_types.test_type_float import BaseTypeFloat
from dbt.tests.adapter.utils.data_types.test_type_int import BaseTypeInt
from dbt.tests.adapter.utils.data_types.test_type_numeric import BaseTypeNumeric
from dbt.tests.adapter.utils.data_types.test_type_string import BaseTypeString
from dbt.tests.adapter.utils.data_types.test_type_timestamp import BaseTypeTimestamp
from dbt.tests.adapter.utils.fixture_get_intervals_between import models__test_get_intervals_between_yml
from dbt.tests.adapter.utils.test_any_value import BaseAnyValue
from dbt.tests.adapter.utils.test_array_append import BaseArrayAppend
from dbt.tests.adapter.utils.test_array_concat import BaseArrayConcat
from dbt.tests.adapter.utils.test_array_construct import BaseArrayConstruct
from dbt.tests.adapter.utils.test_bool_or import BaseBoolOr
from dbt.tests.adapter.utils.test_cast import BaseCast
from dbt.tests.adapter.utils.test_cast_bool_to_text import BaseCastBoolToText
from dbt.tests.adapter.utils.test_concat import BaseConcat
from dbt.tests.adapter.utils.test_current_timestamp import BaseCurrentTimestampAware
from dbt.tests.adapter.utils.test_date import BaseDate
from dbt.tests.adapter.utils.test_date_spine import BaseDateSpine
from dbt.tests.adapter.utils.test_date_trunc import BaseDateTrunc
from dbt.tests.adapter.utils.test_dateadd import BaseDateAdd
from dbt.tests.adapter.utils.test_datediff import BaseDateDiff
from dbt.tests.adapter.utils.test_equals import BaseEquals
from dbt.tests.adapter.utils.test_escape_single_quotes import BaseEscapeSingleQuotesBackslash
from dbt.tests.adapter.utils.test_except import BaseExcept
from dbt.tests.adapter.utils.test_generate_series import BaseGenerateSeries
from dbt.tests.adapter.utils.test_get_intervals_between import BaseGetIntervalsBetween
from dbt.tests.adapter.utils.test_get_powers_of_two import BaseGetPowersOfTwo
from dbt.tests.adapter.utils.test_hash import BaseHash
from dbt.tests.adapter.utils.test_intersect import BaseIntersect
from dbt.tests.adapter.utils.test_last_day import BaseLastDay
from dbt.tests.adapter.utils.test_length import BaseLength
from dbt.tests.adapter.utils.test_listagg import BaseListagg
from dbt.tests.adapter.utils.test_null_compare import BaseMixedNullCompare, BaseNullCompare
from dbt.tests.adapter.utils.test_position import BasePosition
from dbt.tests.adapter.utils.test_replace import BaseReplace
from dbt.tests.adapter.utils.test_right import BaseRight
from dbt.tests.adapter.utils.test_safe_cast import BaseSafeCast
from dbt.tests.adapter.utils.test_source_freshness_custom_info import BaseCalculateFreshnessMethod
from dbt.tests.adapter.utils.test_split_part import BaseSplitPart
from dbt.tests.adapter.utils.test_string_literal import BaseStringLiteral
from dbt.tests.adapter.utils.test_timestamps import BaseCurrentTimestamps
from dbt.tests.adapter.utils.test_validate_sql import BaseValidateSqlMethod

from .suite import as_tests

pytestmark = pytest.mark.slow


@pytest.mark.adapter
class TestGetIntervalsBetween(BaseGetIntervalsBetween):
    """Its dates are written as in America, which BigQuery does not read."""

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        dates = "\"'2023-09-01'\", \"'2023-09-12'\""
        model = f"select {{{{ get_intervals_between({dates}, 'day') }}}} as intervals, 11 as expected"
        return {
            "test_get_intervals_between.yml": models__test_get_intervals_between_yml,
            "test_get_intervals_between.sql": self.interpolate_macro_namespace(model, "get_intervals_between"),
        }


@pytest.mark.adapter
class TestTypeNumeric(BaseTypeNumeric):
    """The schema of a load takes no `numeric(28,6)`: precision and scale are members of their own there."""

    def numeric_fixture_type(self) -> str:
        return "numeric"


@pytest.mark.adapter
class TestCurrentTimestamps(BaseCurrentTimestamps):
    @pytest.fixture(scope="class")
    def expected_schema(self) -> dict[str, str]:
        names = ("current_timestamp", "current_timestamp_in_utc_backcompat", "current_timestamp_backcompat")
        return dict.fromkeys(names, "TIMESTAMP")

    @pytest.fixture(scope="class")
    def expected_sql(self) -> None:
        """PostgreSQL's words: BigQuery's are the adapter's own matter."""


@pytest.mark.adapter
class TestCalculateFreshnessMethod(BaseCalculateFreshnessMethod):
    """BigQuery has no NOW()."""

    @pytest.fixture(scope="class")
    def valid_sql(self) -> str:
        return "select current_timestamp()"


IN_CI = [BaseDateTrunc, BaseHash]
"""What every run of the tests has time for."""

AS_THEY_ARE = [
    BaseAnyValue,
    BaseArrayAppend,
    BaseArrayConcat,
    BaseArrayConstruct,
    BaseBoolOr,
    BaseCast,
    BaseCastBoolToText,
    BaseConcat,
    BaseCurrentTimestampAware,
    BaseDate,
    BaseDateAdd,
    BaseDateDiff,
    BaseDateSpine,
    BaseEquals,
    BaseEscapeSingleQuotesBackslash,
    BaseExcept,
    BaseGenerateSeries,
    BaseGetPowersOfTwo,
    BaseIntersect,
    BaseLastDay,
    BaseLength,
    BaseListagg,
    BaseMixedNullCompare,
    BaseNullCompare,
    BasePosition,
    BaseReplace,
    BaseRight,
    BaseSafeCast,
    BaseSplitPart,
    BaseStringLiteral,
    BaseTypeBigInt,
    BaseTypeBoolean,
    BaseTypeFloat,
    BaseTypeInt,
    BaseTypeString,
    BaseTypeTimestamp,
    BaseValidateSqlMethod,
]

globals().update(as_tests(__name__, IN_CI))
globals().update(as_tests(__name__, AS_THEY_ARE, mark=pytest.mark.adapter))
