{#- Whether the window names any partition of the collisions: without one all of them are built. -#}
{%- macro names_collisions_partitions() -%}
    {%- do return(daily.named_edges('day') is not none or daily.named_edges('year') is not none) -%}
{%- endmacro -%}


{#- A condition that keeps the named partitions of one of the two datasets, in literals, so that no other is read. -#}
{%- macro in_named_partitions(granularity, column) -%}
    {%- set edges = daily.named_edges(granularity) -%}
    {{ column ~ " between date '" ~ edges[0] ~ "' and date '" ~ edges[1] ~ "'" if edges else 'false' }}
{%- endmacro -%}


{#- Whether a version or a crash came from a named partition; where none is named all of them are meant. -#}
{%- macro in_named_collisions_partitions() -%}
    {%- if names_collisions_partitions() -%}
        (loaded_from = 'updates' and {{ in_named_partitions('day', 'loaded_partition') }})
        or (loaded_from = 'history' and {{ in_named_partitions('year', 'loaded_partition') }})
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro -%}


{#-
    The months of crashes that the named partitions may change, as dates. A crash may be in them, or may have been when
    it was last built; all months that any of its versions dates it in count, for a correction may move it.
-#}
{%- macro touched_crash_months() -%}
    {%- if not execute -%}
        {%- do return([]) -%}
    {%- endif -%}
    {%- set query -%}
        with touched as (
            select collision_id
            from {{ ref('stg_collisions_updates') }}
            where {{ in_named_partitions('day', 'day') }}
            union distinct
            select collision_id
            from {{ ref('stg_collisions_history') }}
            where {{ in_named_partitions('year', 'year') }}
            union distinct
            select collision_id
            from {{ this }}
            where {{ in_named_collisions_partitions() }}
        )

        select crash_month
        from {{ ref('int_collisions_versions') }}
        inner join touched using (collision_id)
        union distinct
        select crash_month
        from {{ this }}
        inner join touched using (collision_id)
    {%- endset -%}
    {%- do return(run_query(query).columns[0].values() | sort) -%}
{%- endmacro -%}


{#-
    How a table that is partitioned by `crash_month` is built: the months that the named partitions touch are made
    anew from all that the lake has of them, and the others stay. Without named partitions all of it is rebuilt.
-#}
{%- macro build_by_crash_month() -%}
    {{ config(
        materialized='incremental',
        incremental_strategy='insert_overwrite',
        partition_by={'field': 'crash_month', 'data_type': 'date', 'granularity': 'month'},
        full_refresh=none if names_collisions_partitions() else true,
        on_schema_change='fail',
    ) }}
{%- endmacro -%}


{#- A text without padding and line ends; NULL where nothing is left. -#}
{%- macro tidy(column) -%}
    nullif(trim(regexp_replace({{ column }}, r'\s+', ' ')), '')
{%- endmacro -%}


{#-
    What a row of the publisher says, in types: the one place where a crash is cleaned. `key` is the partition's column.

    A position is taken from the two numbers, else from the text in either of its styles. 0,0 and places that cannot be
    in New York are none.
-#}
{%- macro clean_collisions(dataset, key) -%}
with found as (
    select
        *,
        regexp_extract(location, r'^\s*\(\s*(-?[0-9.]+)\s*,') as text_latitude,
        regexp_extract(location, r'^\s*\(\s*-?[0-9.]+\s*,\s*(-?[0-9.]+)\s*\)') as text_longitude,
        regexp_extract(location, r'^\s*POINT\s*\(\s*-?[0-9.]+\s+(-?[0-9.]+)\s*\)') as point_latitude,
        regexp_extract(location, r'^\s*POINT\s*\(\s*(-?[0-9.]+)\s') as point_longitude
    from {{ lake_table(dataset) }}
),

placed as (
    select
        * except (latitude, longitude),
        coalesce(latitude, safe_cast(coalesce(text_latitude, point_latitude) as float64)) as latitude,
        coalesce(longitude, safe_cast(coalesce(text_longitude, point_longitude) as float64)) as longitude
    from found
),

judged as (
    select
        *,
        coalesce(latitude between 40 and 42 and longitude between -75 and -73, false) as is_in_city
    from placed
)

select
    {{ key }},
    collision_id,
    row_id,
    updated_at,
    crash_date,
    safe.parse_time('%H:%M', trim(crash_time)) as crash_time,
    initcap({{ tidy('borough') }}) as borough,
    {{ tidy('zip_code') }} as zip_code,
    if(is_in_city, latitude, null) as latitude,
    if(is_in_city, longitude, null) as longitude,
    {{ tidy('street') }} as street,
    {{ tidy('crossing_street') }} as crossing_street,
    {{ tidy('address') }} as address,
    -- Where the officer left the sum blank, the groups make it up.
    coalesce(persons_injured, pedestrians_injured + cyclists_injured + motorists_injured) as persons_injured,
    coalesce(persons_killed, pedestrians_killed + cyclists_killed + motorists_killed) as persons_killed,
    pedestrians_injured,
    pedestrians_killed,
    cyclists_injured,
    cyclists_killed,
    motorists_injured,
    motorists_killed,
    {% for number in range(1, 6) %}
    {{ tidy('factor_' ~ number) }} as factor_{{ number }},
    {% endfor %}
    {% for number in range(1, 6) %}
    {{ tidy('vehicle_type_' ~ number) }} as vehicle_type_{{ number }}{{ ',' if not loop.last }}
    {% endfor %}
from judged
{%- endmacro -%}


{#- How many crashes there were, and whom they hurt: the figures of every analysis of the crashes. -#}
{%- macro harm_columns() -%}
    count(*) as crashes,
    sum(coalesce(persons_injured, 0)) as persons_injured,
    sum(coalesce(persons_killed, 0)) as persons_killed,
    sum(coalesce(pedestrians_killed, 0)) as pedestrians_killed,
    sum(coalesce(cyclists_killed, 0)) as cyclists_killed,
    sum(coalesce(motorists_killed, 0)) as motorists_killed
{%- endmacro -%}


{#-
    Whether a version is the one that counts of its crash. The export does not tell when a row changed: anything that
    does tells of a later state. What is equal in time is equal in content, and the rest of the order only makes the
    choice the same each time.
-#}
{%- macro is_latest_version() -%}
    row_number() over (
        partition by collision_id
        order by updated_at desc nulls last, loaded_from desc, loaded_partition desc, row_id
    ) = 1
{%- endmacro -%}


{#-
    Takes out of the crashes what the lake no longer dates in its month. insert_overwrite replaces only months that have
    a row in the new build, and so would keep the last crash of a month that is empty now.
-#}
{%- macro drop_crashes_of_other_months() -%}
    {%- if is_incremental() -%}
        delete from {{ this }} as built
        where not exists (
            select 1
            from (
                select
                    collision_id,
                    crash_month
                from {{ ref('int_collisions_versions') }}
                where true
                qualify {{ is_latest_version() }}
            ) as latest
            where latest.collision_id = built.collision_id and latest.crash_month = built.crash_month
        )
    {%- endif -%}
{%- endmacro -%}
