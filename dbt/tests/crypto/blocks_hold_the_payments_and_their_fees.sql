-- The blocks' own totals are those of the transactions in them, for days that have both.
with blocks as (
    select day, transactions - blocks as payments, fee_satoshis
    from {{ ref('crypto_daily_blocks') }}
    where {{ daily.in_named_days() }}
)

select day, blocks.payments, fees.payments as payments_found, blocks.fee_satoshis, fees.fee_satoshis as fees_found
from blocks
inner join {{ ref('crypto_daily_fees') }} as fees using (day)
where blocks.payments != fees.payments or blocks.fee_satoshis != fees.fee_satoshis
