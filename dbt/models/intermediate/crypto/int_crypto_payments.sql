{{ daily.build() }}

select
    day,
    height,
    transaction_hash,
    found_at,
    has_witness,
    input_count,
    output_count,
    input_satoshis,
    output_satoshis,
    fee_satoshis,
    fee_usd,
    -- What a fee is compared by: satoshis for each unit of room in the block, of which four are a virtual byte.
    round(cast(fee_satoshis as numeric) * 4 / nullif(weight, 0), 3) as fee_rate
from {{ ref('stg_crypto_transactions') }}
-- The first transaction of a block pays the miner and no fee.
where not is_coinbase
{% if is_incremental() %}
    and {{ daily.in_named_days() }}
{% endif %}
qualify row_number() over (partition by day, transaction_hash order by height) = 1
