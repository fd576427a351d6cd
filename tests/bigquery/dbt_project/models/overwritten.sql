{{ config(materialized='incremental', incremental_strategy='insert_overwrite', partition_by={'field':'d','data_type':'date'}) }}
select * from {{ ref('base') }}
