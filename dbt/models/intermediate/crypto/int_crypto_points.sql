{{ daily.build() }}

select
    day,
    coin_id,
    moment,
    price_usd,
    market_cap_usd,
    volume_usd
from {{ ref('stg_crypto_prices') }}
where price_usd is not null
{% if is_incremental() %}
    and {{ daily.in_named_days() }}
{% endif %}
-- A moment that is told twice carries two values; which was first is not known, so the one that knows more, and of
-- equals the larger, is taken: the same one in every build.
qualify row_number() over (
    partition by day, coin_id, moment
    order by market_cap_usd desc nulls last, volume_usd desc nulls last, price_usd desc
) = 1
