{{ daily.build() }}

select
    points.day,
    points.coin_id,
    count(*) as points,
    array_agg(points.price_usd order by points.moment limit 1)[offset(0)] as open_usd,
    max(points.price_usd) as high_usd,
    min(points.price_usd) as low_usd,
    array_agg(points.price_usd order by points.moment desc limit 1)[offset(0)] as close_usd,
    array_agg(points.market_cap_usd ignore nulls order by points.moment desc limit 1)[safe_offset(0)] as market_cap_usd,
    array_agg(points.volume_usd ignore nulls order by points.moment desc limit 1)[safe_offset(0)] as volume_usd
from {{ ref('int_crypto_points') }} as points
inner join {{ ref('crypto_coin_list') }} as coins on points.coin_id = coins.coin_id
{% if is_incremental() %}
where {{ daily.in_named_days('points.day') }}
{% endif %}
group by points.day, points.coin_id
