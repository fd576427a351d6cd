{{ config(cluster_by=['borough', 'crash_date'], post_hook="{{ drop_crashes_of_other_months() }}") }}
{{ build_by_crash_month() }}

-- depends_on: {{ ref('stg_collisions_updates') }}, {{ ref('stg_collisions_history') }}

{% if is_incremental() -%}
{%- set touched = touched_crash_months() -%}
{%- set in_touched_months = "crash_month in (date '" ~ touched | join("', date '") ~ "')" if touched else "false" -%}
{%- else -%}
{%- set in_touched_months = "true" -%}
{%- endif %}

with versions as (
    select *
    from {{ ref('int_collisions_versions') }}
    {% if is_incremental() %}
    -- All versions of a crash, for the latest may be dated in another month than the ones before it.
    where collision_id in (select collision_id from {{ ref('int_collisions_versions') }} where {{ in_touched_months }})
    {% endif %}
),

latest as (
    select *
    from versions
    where true
    qualify {{ is_latest_version() }}
)

select
    crash_month,
    collision_id,
    updated_at,
    crash_date,
    crash_time,
    extract(hour from crash_time) as crash_hour,
    borough,
    zip_code,
    latitude,
    longitude,
    street,
    crossing_street,
    address,
    persons_injured,
    persons_killed,
    pedestrians_injured,
    pedestrians_killed,
    cyclists_injured,
    cyclists_killed,
    motorists_injured,
    motorists_killed,
    case
        when persons_killed > 0 then 'fatal'
        when persons_injured > 0 then 'injury'
        when persons_killed = 0 and persons_injured = 0 then 'damage only'
        else 'not recorded'
    end as severity,
    factor_1,
    factor_2,
    factor_3,
    factor_4,
    factor_5,
    vehicle_type_1,
    vehicle_type_2,
    vehicle_type_3,
    vehicle_type_4,
    vehicle_type_5,
    loaded_from,
    loaded_partition
from latest
where {{ in_touched_months }}
