select
    day as delivered_on,
    transaction_id,
    coalesce(customer_id, -1) as customer_id,
    transaction_date,
    product_id,
    product_name,
    quantity,
    price,
    tax
from {{ lake_table('customers_transactions') }}
