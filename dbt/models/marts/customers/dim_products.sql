{{ config(materialized='table') }}

select
    product_id,
    -- A product that was renamed goes by its latest name.
    array_agg(
        product_name ignore nulls order by transaction_date desc, delivered_on desc, product_name limit 1
    )[safe_offset(0)] as product_name,
    min(transaction_date) as first_sold_on,
    max(transaction_date) as last_sold_on
from {{ ref('stg_customer_transactions') }}
group by product_id
