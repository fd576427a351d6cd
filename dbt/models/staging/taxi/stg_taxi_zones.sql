select
    location_id,
    borough,
    zone,
    service_zone,
    month as snapshot_month
from {{ lake_table('taxi_zones') }}
where true
qualify month = max(month) over ()
