-- A day that was loaded has all the coins that existed by then.
{{ config(severity='warn') }}

select days.day, coins.coin_id
from (
    select distinct day from {{ ref('crypto_daily_prices') }}
    where {{ daily.in_named_days() }}
) as days
inner join {{ ref('crypto_coin_list') }} as coins on coins.launched_on < days.day
left join {{ ref('crypto_daily_prices') }} as prices
    on prices.day = days.day and prices.coin_id = coins.coin_id
where prices.coin_id is null
