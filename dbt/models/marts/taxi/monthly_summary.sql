{{ build_by_month() }}

select
    month,
    service,
    count(*) as trips,
    countif(not is_in_month) as trips_outside_month,
    countif(payment_type is null) as trips_without_payment,
    countif(payment_type = 1) as card_trips,
    countif(payment_type = 2) as cash_trips,
    countif(total_amount < 0) as refunds,
    sum(coalesce(passenger_count, 0)) as passengers,
    sum(trip_distance) as distance_miles,
    sum(fare_amount) as fare_amount,
    sum(tip_amount) as tip_amount,
    sum(tolls_amount) as tolls_amount,
    sum(total_amount) as total_amount,
    round(avg(total_amount), 2) as mean_total_amount,
    round(avg(cast(duration_seconds as numeric)) / 60, 2) as mean_duration_minutes
from {{ ref('trips') }}
{% if is_incremental() %}
where {{ in_named_months() }}
{% endif %}
group by 1, 2
