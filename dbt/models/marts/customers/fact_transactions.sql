{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='transaction_id',
    partition_by={'field': 'transaction_date', 'data_type': 'date', 'granularity': 'month'},
    cluster_by=['customer_id', 'product_id'],
    full_refresh=none if daily.named_days() else true,
    on_schema_change='fail',
    post_hook='{{ drop_transactions_of_no_delivery() }}',
) }}

-- Its keys are held to the dimensions, which have to be there before: depends_on {{ ref('dim_customers') }} and
-- {{ ref('dim_products') }}
{%- if is_incremental() %}
with touched as (
    select transaction_id from {{ ref('stg_customer_transactions') }}
    where {{ daily.in_named_days('delivered_on') }}
    union distinct
    -- What a delivery had when it was last loaded, and may have no more: an earlier one may have it still.
    select transaction_id from {{ this }}
    where {{ daily.in_named_days('delivered_on') }}
)
{%- endif %}

select
    transaction_id,
    customer_id,
    product_id,
    transaction_date,
    quantity,
    price,
    tax,
    quantity * price as net_amount,
    quantity * price + tax as total_amount,
    delivered_on
from {{ ref('stg_customer_transactions') }}
{%- if is_incremental() %}
-- In whatever delivery they are: the latest one counts, in whatever order deliveries are loaded.
where transaction_id in (select touched.transaction_id from touched)
{%- endif %}
qualify row_number() over (
    partition by transaction_id
    order by delivered_on desc, transaction_date desc, customer_id desc, product_id, quantity, price, tax
) = 1
