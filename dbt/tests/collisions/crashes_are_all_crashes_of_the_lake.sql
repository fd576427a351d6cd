-- Partitions that are loaded but not named belong to another run, which has not built them yet.
with lake as (
    select
        collision_id,
        logical_or({{ in_named_collisions_partitions() }}) as is_built
    from {{ ref('int_collisions_versions') }}
    group by 1
)

select
    collision_id,
    lake.collision_id is null as is_too_many
from lake
full join {{ ref('crashes') }} as crashes using (collision_id)
where lake.collision_id is null or (lake.is_built and crashes.collision_id is null)
