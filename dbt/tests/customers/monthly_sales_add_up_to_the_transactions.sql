-- What the months and products add up to is what all transactions add up to.
with months as (select sum(transactions) as n, sum(total_amount) as amount from {{ ref('agg_monthly_sales') }}),

facts as (select count(*) as n, sum(total_amount) as amount from {{ ref('fact_transactions') }})

select
    months.n,
    facts.n as facts,
    months.amount,
    facts.amount as facts_amount
from months
cross join facts
where coalesce(months.n, 0) != facts.n or coalesce(months.amount, 0) != coalesce(facts.amount, 0)
