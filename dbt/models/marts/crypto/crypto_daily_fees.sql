{{ daily.build() }}

with payments as (
    select
        *,
        percentile_disc(fee_rate, 0.1) over (partition by day) as fee_rate_low,
        percentile_disc(fee_rate, 0.5) over (partition by day) as fee_rate_median,
        percentile_disc(fee_rate, 0.9) over (partition by day) as fee_rate_high
    from {{ ref('int_crypto_payments') }}
    {% if is_incremental() %}
    where {{ daily.in_named_days() }}
    {% endif %}
)

select
    day,
    count(*) as payments,
    sum(output_satoshis) as output_satoshis,
    sum(fee_satoshis) as fee_satoshis,
    sum(fee_usd) as fee_usd,
    round(avg(fee_usd), 4) as mean_fee_usd,
    any_value(fee_rate_low) as fee_rate_low,
    any_value(fee_rate_median) as fee_rate_median,
    any_value(fee_rate_high) as fee_rate_high,
    round(cast(countif(has_witness) as numeric) / count(*), 4) as witness_share
from payments
group by day
