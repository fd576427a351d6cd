{#- The months that the window of the build names, as DATE literals; an empty list where it names none. -#}
{%- macro named_months() -%}
    {%- set edges = daily.named_edges('month') -%}
    {%- set months = [] -%}
    {%- if edges -%}
        {%- for month in range(_month_number('start_month', edges[0]), _month_number('end_month', edges[1]) + 1) -%}
            {%- do months.append("date '%04d-%02d-01'" % (month // 12, month % 12 + 1)) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do return(months) -%}
{%- endmacro -%}


{#- A month as the count of months since the year 0. -#}
{%- macro _month_number(name, text) -%}
    {%- if not text.endswith('-01') -%}
        {%- do daily.refuse_edge(name, text, "give the first day of a month, such as 2020-04-01.") -%}
    {%- endif -%}
    {%- do return(text[:4] | int * 12 + text[5:7] | int - 1) -%}
{%- endmacro -%}


{#- A condition that keeps the named months, in literals so that BigQuery reads no other partition. -#}
{%- macro in_named_months(column='month') -%}
    {%- set months = named_months() -%}
    {{ column ~ " in (" ~ months | join(', ') ~ ")" if months else "true" }}
{%- endmacro -%}


{#-
    How a mart that is partitioned by `month` is built: the named months are replaced and the others stay. Without
    months all of it is rebuilt, because an external table does not tell which of its partitions have changed.
-#}
{%- macro build_by_month() -%}
    {%- set months = named_months() -%}
    {{ config(
        materialized='incremental',
        incremental_strategy='insert_overwrite',
        partition_by={'field': 'month', 'data_type': 'date', 'granularity': 'month'},
        partitions=months,
        full_refresh=none if months else true,
        on_schema_change='fail',
    ) }}
{%- endmacro -%}
