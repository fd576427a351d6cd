{{ daily.build() }}

with blocks as (
    select *
    from {{ ref('stg_crypto_blocks') }}
    {% if is_incremental() %}
    where {{ daily.in_named_days() }}
    {% endif %}
    -- Dumps and API overlap where a block is told twice: one row a height.
    qualify row_number() over (partition by day, height order by block_hash) = 1
)

select
    *,
    -- Miners' clocks differ: a block may claim an earlier time than the one before it.
    greatest(
        datetime_diff(found_at, lag(found_at) over (partition by day order by height), second), 0
    ) as seconds_since_previous
from blocks
