{{ config(materialized='table') }}

with latest as (
    select *
    from {{ ref('stg_crypto_markets') }}
    qualify row_number() over (partition by coin_id order by day desc, updated_at desc, market_cap_usd desc) = 1
)

select
    coins.coin_id,
    latest.symbol,
    latest.name,
    coins.kind,
    coins.consensus,
    coins.launched_on,
    latest.max_supply,
    latest.day as seen_on,
    latest.market_cap_rank,
    latest.price_usd,
    latest.market_cap_usd,
    latest.circulating_supply,
    latest.highest_price_usd,
    date(latest.highest_at) as highest_on
from {{ ref('crypto_coin_list') }} as coins
left join latest on coins.coin_id = latest.coin_id
