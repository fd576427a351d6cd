{{ config(materialized='table') }}

-- A crash counts once for each factor, however many of its vehicles share it.
with factors as (
    select distinct
        collision_id,
        coalesce(factor, 'Not recorded') as factor
    from {{ ref('crash_vehicles') }}
)

select
    crashes.crash_month,
    factors.factor,
    {{ harm_columns() }}
from {{ ref('crashes') }} as crashes
inner join factors
    on crashes.collision_id = factors.collision_id
group by 1, 2
