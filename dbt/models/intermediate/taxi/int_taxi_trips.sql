{%- set shared = [
    'month', 'vendor_id', 'pickup_datetime', 'dropoff_datetime', 'pickup_location_id', 'dropoff_location_id',
    'passenger_count', 'trip_distance', 'rate_code_id', 'store_and_fwd_flag', 'payment_type', 'fare_amount', 'extra',
    'mta_tax', 'tip_amount', 'tolls_amount', 'improvement_surcharge', 'congestion_surcharge', 'cbd_congestion_fee',
    'total_amount',
] -%}

with trips as (
    select
        'yellow' as service,
        {{ shared | join(',\n        ') }},
        cast(null as int64) as trip_type,
        airport_fee
    from {{ ref('stg_taxi_yellow') }}
    union all
    select
        'green' as service,
        {{ shared | join(',\n        ') }},
        trip_type,
        cast(null as numeric) as airport_fee
    from {{ ref('stg_taxi_green') }}
)

select
    *,
    -- Meters with a wrong clock report pick-ups years away, and the last trips of a month slip into the next file.
    coalesce(date_trunc(date(pickup_datetime), month) = month, false) as is_in_month,
    if(
        dropoff_datetime >= pickup_datetime, datetime_diff(dropoff_datetime, pickup_datetime, second), null
    ) as duration_seconds
from trips
