{#-
    An external table of the lake. One that was never loaded reads as empty, so that a lake with only some of its
    datasets can be built; what columns it will have is declared with the source.
-#}
{%- macro lake_table(name) -%}
    {%- set relation = source('lake', name) -%}
    {#- In a unit test the table is the test's own rows. -#}
    {%- if not execute or relation.is_cte or load_relation(relation) is not none -%}
        {{ relation }}
    {%- else -%}
        {%- do exceptions.warn(relation.schema ~ "." ~ name ~ " has not been loaded yet: read as an empty table.") -%}
        {%- set columns = (graph.sources.values() | selectattr('name', 'equalto', name) | first).columns.values() -%}
        (
            select
            {%- for column in columns %}
                cast(null as {{ column.data_type }}) as {{ column.name }}
                {%- if not loop.last %},{% endif %}
            {%- endfor %}
            limit 0
        )
    {%- endif -%}
{%- endmacro -%}
