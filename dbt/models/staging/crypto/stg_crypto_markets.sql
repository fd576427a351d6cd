select
    day,
    coin_id,
    symbol,
    name,
    market_cap_rank,
    current_price as price_usd,
    market_cap as market_cap_usd,
    fully_diluted_valuation as fully_diluted_valuation_usd,
    total_volume as volume_usd,
    circulating_supply,
    total_supply,
    max_supply,
    ath as highest_price_usd,
    ath_date as highest_at,
    atl as lowest_price_usd,
    atl_date as lowest_at,
    last_updated as updated_at
from {{ lake_table('crypto_markets') }}
