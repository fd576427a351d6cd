{{ config(materialized='incremental', unique_key='id', incremental_strategy='merge', incremental_predicates=["DBT_INTERNAL_DEST.d >= date '2024-01-02'"], partition_by={'field':'d','data_type':'date'}) }}
select id, d from {{ ref('base') }}
