select
    day,
    block_id as height,
    transaction_hash,
    time as found_at,
    size as bytes,
    weight,
    is_coinbase,
    has_witness,
    input_count,
    output_count,
    input_total as input_satoshis,
    output_total as output_satoshis,
    fee as fee_satoshis,
    cast(fee_usd as numeric) as fee_usd
from {{ lake_table('crypto_transactions') }}
