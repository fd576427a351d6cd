{{ config(materialized='table') }}

with bounds as (
    select
        date_trunc(min(crash_date), year) as first_day,
        date_sub(date_add(date_trunc(max(crash_date), year), interval 1 year), interval 1 day) as last_day
    from {{ ref('crashes') }}
),

days as (
    select calendar_date
    from bounds
    cross join unnest(generate_date_array(bounds.first_day, bounds.last_day)) as calendar_date
)

select
    calendar_date,
    extract(year from calendar_date) as calendar_year,
    extract(quarter from calendar_date) as calendar_quarter,
    date_trunc(calendar_date, month) as calendar_month,
    extract(isoweek from calendar_date) as iso_week,
    -- ISO's count, Monday 1: BigQuery's own begins with Sunday.
    mod(extract(dayofweek from calendar_date) + 5, 7) + 1 as iso_weekday,
    format_date('%A', calendar_date) as weekday_name,
    extract(dayofweek from calendar_date) in (1, 7) as is_weekend
from days
