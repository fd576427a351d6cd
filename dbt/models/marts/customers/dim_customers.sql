{{ config(materialized='table') }}

select
    customer_id,
    customer_id != -1 as is_known,
    min(transaction_date) as first_bought_on,
    max(transaction_date) as last_bought_on
from {{ ref('stg_customer_transactions') }}
group by customer_id
