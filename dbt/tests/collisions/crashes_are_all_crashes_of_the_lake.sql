with lake as (
    select distinct collision_id
    from {{ ref('int_collisions_versions') }}
)

select
    collision_id,
    lake.collision_id is null as is_too_many
from lake
full join {{ ref('crashes') }} as crashes using (collision_id)
where lake.collision_id is null or crashes.collision_id is null
