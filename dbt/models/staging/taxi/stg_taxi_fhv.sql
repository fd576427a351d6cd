select
    month,
    dispatching_base_num,
    pickup_datetime,
    dropoff_datetime,
    pickup_location_id,
    dropoff_location_id,
    shared_ride_flag,
    affiliated_base_number
from {{ lake_table('taxi_fhv') }}
