{#- A day's change is told against the day before, which may be loaded later: all of it is built anew, a row a day. -#}
{{ config(materialized='table', partition_by={'field': 'day', 'data_type': 'date', 'granularity': 'month'}) }}

with bitcoin as (
    select
        *,
        lag(day) over (order by day) as previous_day,
        lag(close_usd) over (order by day) as previous_close_usd
    from {{ ref('crypto_daily_prices') }}
    where coin_id = 'bitcoin'
)

select
    day,
    bitcoin.close_usd,
    -- After a gap in the lake there is no day before.
    if(
        date_diff(day, bitcoin.previous_day, day) = 1,
        round((bitcoin.close_usd / bitcoin.previous_close_usd - 1) * 100, 4),
        null
    ) as change_percent,
    bitcoin.volume_usd,
    bitcoin.market_cap_usd,
    blocks.blocks,
    blocks.transactions,
    blocks.fee_satoshis,
    blocks.fee_usd,
    fees.mean_fee_usd,
    fees.fee_rate_median,
    blocks.reward_usd,
    round(cast(blocks.fee_usd as float64) / nullif(cast(blocks.reward_usd as float64), 0), 6) as fee_share_of_reward
from bitcoin
full join {{ ref('crypto_daily_blocks') }} as blocks using (day)
full join {{ ref('crypto_daily_fees') }} as fees using (day)
