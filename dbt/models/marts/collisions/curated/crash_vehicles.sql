{{ config(
    materialized='table',
    partition_by={'field': 'crash_month', 'data_type': 'date', 'granularity': 'month'},
) }}

with vehicles as (
    {% for number in range(1, 6) %}
    select
        crash_month,
        collision_id,
        {{ number }} as vehicle_number,
        vehicle_type_{{ number }} as written_type,
        factor_{{ number }} as written_factor
    from {{ ref('crashes') }}
    where vehicle_type_{{ number }} is not null or factor_{{ number }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    vehicles.crash_month,
    vehicles.collision_id,
    vehicles.vehicle_number,
    coalesce(types.meant, initcap(vehicles.written_type)) as vehicle_type,
    -- A number is a code that was never put into words.
    case
        when lower(vehicles.written_factor) = 'unspecified' then null
        when regexp_contains(vehicles.written_factor, r'^[0-9]+$') then null
        else coalesce(factors.meant, initcap(vehicles.written_factor))
    end as factor
from vehicles
left join {{ ref('collisions_synonyms') }} as types
    on types.kind = 'vehicle' and types.written = lower(vehicles.written_type)
left join {{ ref('collisions_synonyms') }} as factors
    on factors.kind = 'factor' and factors.written = lower(vehicles.written_factor)
