{{ config(cluster_by=['pickup_location_id', 'service']) }}
{{ build_by_month() }}

select
    trips.month,
    trips.service,
    trips.vendor_id,
    trips.pickup_datetime,
    trips.dropoff_datetime,
    trips.is_in_month,
    trips.duration_seconds,
    trips.pickup_location_id,
    trips.dropoff_location_id,
    trips.passenger_count,
    trips.trip_distance,
    trips.trip_type,
    trips.rate_code_id,
    trips.store_and_fwd_flag,
    trips.payment_type,
    coalesce(payment_types.name, 'Not recorded') as payment_type_name,
    trips.fare_amount,
    trips.extra,
    trips.mta_tax,
    trips.tip_amount,
    trips.tolls_amount,
    trips.improvement_surcharge,
    trips.congestion_surcharge,
    trips.airport_fee,
    trips.cbd_congestion_fee,
    trips.total_amount
from {{ ref('int_taxi_trips') }} as trips
left join {{ ref('taxi_payment_types') }} as payment_types
    on trips.payment_type = payment_types.payment_type
{% if is_incremental() %}
where {{ in_named_months('trips.month') }}
{% endif %}
