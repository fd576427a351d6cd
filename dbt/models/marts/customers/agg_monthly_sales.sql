{#- A table, and small: a delivery may correct a transaction of any month. -#}
{{ config(materialized='table') }}

select
    date_trunc(sales.transaction_date, month) as month,
    sales.product_id,
    products.product_name,
    count(*) as transactions,
    count(distinct if(customers.is_known, sales.customer_id, null)) as known_customers,
    sum(sales.quantity) as quantity,
    sum(sales.net_amount) as net_amount,
    sum(sales.tax) as tax,
    sum(sales.total_amount) as total_amount
from {{ ref('fact_transactions') }} as sales
inner join {{ ref('dim_products') }} as products on sales.product_id = products.product_id
inner join {{ ref('dim_customers') }} as customers on sales.customer_id = customers.customer_id
group by month, sales.product_id, products.product_name
