{#-
    The window of a build: the first days of the first and of the last partition to build, as texts; none where nothing
    names them. They are what the environment's TARN_START_<GRANULARITY> and TARN_END_<GRANULARITY> say, else the vars
    start_<granularity> and end_<granularity>.

    The environment comes first because it is the way that costs nothing: where it changes, dbt reads those files again
    that have asked for it, and where --vars change, the whole project.
-#}
{%- macro named_edges(granularity) -%}
    {%- set names = ('start_' ~ granularity, 'end_' ~ granularity) -%}
    {%- set first, last = env_var('TARN_' ~ names[0] | upper, ''), env_var('TARN_' ~ names[1] | upper, '') -%}
    {%- if not first and not last -%}
        {%- set first, last = var(names[0], none), var(names[1], none) -%}
    {%- endif -%}
    {%- if not first and not last -%}
        {%- do return(none) -%}
    {%- endif -%}
    {%- set edges = ((first or '') | string, (last or '') | string) -%}
    {%- for name, edge in zip(names, edges) -%}
        {%- if not modules.re.fullmatch('[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])', edge) -%}
            {%- do daily.refuse_edge(name, edge, "give both edges, each as a day such as 2024-04-14, or neither.") -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if edges[0] > edges[1] -%}
        {%- do daily.refuse_edge(names[1], edges[1], "it lies before " ~ names[0] ~ ", which is " ~ edges[0] ~ ".") -%}
    {%- endif -%}
    {%- do return(edges) -%}
{%- endmacro -%}


{#- Ends the build because of an edge of its window; `why` begins in small letters. -#}
{%- macro refuse_edge(name, edge, why) -%}
    {%- set told = "TARN_" ~ name | upper ~ ", or var " ~ name ~ ", is " ~ (edge or "empty") ~ ": " ~ why -%}
    {%- do exceptions.raise_compiler_error(told) -%}
{%- endmacro -%}
