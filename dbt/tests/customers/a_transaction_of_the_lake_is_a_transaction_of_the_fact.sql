-- Each transaction that the lake has is in the fact table, once, and nothing else is.
select
    lake.transaction_id as of_the_lake,
    fact.transaction_id as of_the_fact
from (select distinct transaction_id from {{ ref('stg_customer_transactions') }}) as lake
full outer join {{ ref('fact_transactions') }} as fact on lake.transaction_id = fact.transaction_id
where lake.transaction_id is null or fact.transaction_id is null
