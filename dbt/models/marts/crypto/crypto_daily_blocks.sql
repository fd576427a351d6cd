{{ daily.build() }}

with blocks as (
    select
        *,
        count(*) over (partition by day, miner) as blocks_of_miner
    from {{ ref('int_crypto_blocks') }}
    {% if is_incremental() %}
    where {{ daily.in_named_days() }}
    {% endif %}
)

select
    day,
    count(*) as blocks,
    min(height) as first_height,
    max(height) as last_height,
    sum(transaction_count) as transactions,
    sum(bytes) as bytes,
    sum(fee_satoshis) as fee_satoshis,
    sum(fee_usd) as fee_usd,
    sum(created_satoshis) as created_satoshis,
    sum(reward_usd) as reward_usd,
    round(avg(cast(seconds_since_previous as numeric)), 1) as mean_seconds_between,
    max(difficulty) as difficulty,
    count(distinct miner) as miners,
    array_agg(miner order by blocks_of_miner desc, miner limit 1)[offset(0)] as largest_miner,
    round(cast(max(blocks_of_miner) as numeric) / count(*), 4) as largest_miners_share
from blocks
group by day
