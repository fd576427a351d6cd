{{ config(materialized='table', enabled=var('violate', false)) }}
select id, s as d from {{ ref('base') }}
