with days as (
    select month, sum(trips) as trips
    from {{ ref('daily_revenue_by_zone') }}
    where {{ in_named_months() }}
    group by month
),

months as (
    select month, sum(trips) as trips, sum(trips_outside_month) as left_out
    from {{ ref('monthly_summary') }}
    where {{ in_named_months() }}
    group by month
)

select month, months.trips, months.left_out, days.trips as trips_by_day
from months
full join days using (month)
where coalesce(months.trips, 0) != coalesce(days.trips, 0) + coalesce(months.left_out, 0)
