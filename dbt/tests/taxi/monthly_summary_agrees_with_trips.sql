with expected as (
    select month, service, count(*) as trips, sum(total_amount) as total_amount
    from {{ ref('trips') }}
    where {{ in_named_months() }}
    group by month, service
),

found as (
    select month, service, trips, total_amount
    from {{ ref('monthly_summary') }}
    where {{ in_named_months() }}
)

select month, service, expected.trips, found.trips as found_trips, found.total_amount as found_total_amount
from expected
full join found using (month, service)
where
    expected.trips is distinct from found.trips
    or expected.total_amount is distinct from found.total_amount
