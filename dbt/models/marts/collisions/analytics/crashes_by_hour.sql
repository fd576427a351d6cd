{{ config(materialized='table') }}

select
    crashes.crash_month,
    crashes.crash_hour,
    dates.is_weekend,
    {{ harm_columns() }}
from {{ ref('crashes') }} as crashes
inner join {{ ref('dim_dates') }} as dates
    on crashes.crash_date = dates.calendar_date
group by 1, 2, 3
