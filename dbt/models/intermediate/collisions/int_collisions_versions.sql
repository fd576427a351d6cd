{%- set columns = [
    'collision_id', 'row_id', 'updated_at', 'crash_date', 'crash_time', 'borough', 'zip_code', 'latitude', 'longitude',
    'street', 'crossing_street', 'address', 'persons_injured', 'persons_killed', 'pedestrians_injured',
    'pedestrians_killed', 'cyclists_injured', 'cyclists_killed', 'motorists_injured', 'motorists_killed',
    'factor_1', 'factor_2', 'factor_3', 'factor_4', 'factor_5',
    'vehicle_type_1', 'vehicle_type_2', 'vehicle_type_3', 'vehicle_type_4', 'vehicle_type_5',
] -%}

select
    'updates' as loaded_from,
    day as loaded_partition,
    date_trunc(crash_date, month) as crash_month,
    {{ columns | join(',\n    ') }}
from {{ ref('stg_collisions_updates') }}
union all
select
    'history' as loaded_from,
    year as loaded_partition,
    date_trunc(crash_date, month) as crash_month,
    {{ columns | join(',\n    ') }}
from {{ ref('stg_collisions_history') }}
