{{ config(materialized='table') }}

select
    crash_month,
    coalesce(borough, 'Not recorded') as borough,
    {{ harm_columns() }}
from {{ ref('crashes') }}
group by 1, 2
