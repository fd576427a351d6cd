{{ config(materialized='incremental', incremental_strategy='insert_overwrite', partition_by={'field':'d','data_type':'date','time_ingestion_partitioning':true}) }}
select * from {{ ref('base') }}
