select
    day,
    coin_id,
    timestamp_millis(timestamp_ms) as moment,
    price_usd,
    -- A coin that is hardly traded is told with a cap of zero, which is not known rather than none.
    nullif(market_cap_usd, 0) as market_cap_usd,
    total_volume_usd as volume_usd
from {{ lake_table('crypto_prices') }}
