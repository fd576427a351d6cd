with lake as (
    select month, 'yellow' as service, count(*) as row_count
    from {{ ref('stg_taxi_yellow') }}
    where {{ in_named_months() }}
    group by month
    union all
    select month, 'green' as service, count(*) as row_count
    from {{ ref('stg_taxi_green') }}
    where {{ in_named_months() }}
    group by month
),

mart as (
    select month, service, count(*) as row_count
    from {{ ref('trips') }}
    where {{ in_named_months() }}
    group by month, service
)

select month, service, lake.row_count as lake_rows, mart.row_count as mart_rows
from lake
full join mart using (month, service)
where lake.row_count is distinct from mart.row_count
