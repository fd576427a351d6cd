{{ config(materialized='incremental', unique_key='id', incremental_strategy='merge', partition_by={'field':'d','data_type':'date'}) }}
select id, d, s, current_timestamp() as seen_at from {{ ref('base') }}
{% if is_incremental() %} where d >= (select max(d) from {{ this }}) {% endif %}
