{{ config(materialized='table') }}

with counted as (
    select
        crash_month,
        severity,
        {{ harm_columns() }}
    from {{ ref('crashes') }}
    group by 1, 2
)

select
    crash_month,
    severity,
    crashes,
    round(cast(crashes as numeric) / sum(crashes) over (partition by crash_month), 4) as share_of_month,
    persons_injured,
    persons_killed,
    pedestrians_killed,
    cyclists_killed,
    motorists_killed
from counted
