{{ config(materialized='view') }}
select 1 as id, date '2024-01-01' as d, 'x' as s, 1.5 as f union all select 2, date '2024-01-02', 'y', 2.5
