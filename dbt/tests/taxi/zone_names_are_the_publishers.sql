{{ config(severity='warn') }}
-- 264 and 265 are no places, and each edition of the publisher's list words them anew.
select
    location_id,
    published.borough as published_borough,
    published.zone as published_zone,
    ours.borough,
    ours.zone
from {{ ref('stg_taxi_zones') }} as published
left join {{ ref('taxi_zone_names') }} as ours using (location_id)
where
    location_id not in (264, 265)
    and (published.borough is distinct from ours.borough or published.zone is distinct from ours.zone)
