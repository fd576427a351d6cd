{{ config(materialized='incremental', incremental_strategy='insert_overwrite', partition_by={'field':'d','data_type':'date','copy_partitions':true}) }}
select * from {{ ref('base') }}
