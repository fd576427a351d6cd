{#- The days that the window of the build names, as DATE literals; an empty list where it names none. -#}
{%- macro named_days() -%}
    {%- set edges = daily.named_edges('day') -%}
    {%- set days = [] -%}
    {%- if edges -%}
        {%- set first, last = daily._day(edges[0]), daily._day(edges[1]) -%}
        {%- for number in range((last - first).days + 1) -%}
            {%- do days.append("date '" ~ (first + modules.datetime.timedelta(days=number)) ~ "'") -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do return(days) -%}
{%- endmacro -%}


{%- macro _day(text) -%}
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
