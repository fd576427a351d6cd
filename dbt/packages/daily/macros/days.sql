{#- The days that the vars start_day and end_day name, as DATE literals; an empty list where they name none. -#}
{%- macro named_days() -%}
    {%- set first, last = var('start_day', none), var('end_day', none) -%}
    {%- set days = [] -%}
    {%- if first or last -%}
        {%- set first, last = daily._day('start_day', first), daily._day('end_day', last) -%}
        {%- if first > last -%}
            {%- do exceptions.raise_compiler_error("var end_day lies before var start_day.") -%}
        {%- endif -%}
        {%- for number in range((last - first).days + 1) -%}
            {%- do days.append("date '" ~ (first + modules.datetime.timedelta(days=number)) ~ "'") -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do return(days) -%}
{%- endmacro -%}


{%- macro _day(name, value) -%}
    {%- set text = value | string -%}
    {%- if not modules.re.fullmatch('[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])', text) -%}
        {%- do exceptions.raise_compiler_error(
            "var " ~ name ~ " is " ~ text ~ ": give both start_day and end_day, each as a day such as 2024-04-14, "
            ~ "or neither."
        ) -%}
    {%- endif -%}
    {%- do return(modules.datetime.date(text[:4] | int, text[5:7] | int, text[8:] | int)) -%}
{%- endmacro -%}


{#- A condition that keeps the named days, in literals so that BigQuery reads no other partition. -#}
{%- macro in_named_days(column='day') -%}
    {%- set days = daily.named_days() -%}
    {{ column ~ " between " ~ days[0] ~ " and " ~ days[-1] if days else "true" }}
{%- endmacro -%}


{#-
    How a mart that is partitioned by `day` is built: the named days are replaced and the others stay. Without days
    all of it is rebuilt, because an external table does not tell which of its partitions have changed.
-#}
{%- macro build() -%}
    {%- set days = daily.named_days() -%}
    {{ config(
        materialized='incremental',
        incremental_strategy='insert_overwrite',
        partition_by={'field': 'day', 'data_type': 'date', 'granularity': 'day'},
        partitions=days,
        full_refresh=none if days else true,
        on_schema_change='fail',
    ) }}
{%- endmacro -%}
