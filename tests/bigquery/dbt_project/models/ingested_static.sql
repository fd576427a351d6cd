{{ config(materialized='incremental', incremental_strategy='insert_overwrite', partitions=["date '2024-01-02'"], partition_by={'field':'d','data_type':'date','time_ingestion_partitioning':true}) }}
select * from {{ ref('base') }} {% if is_incremental() %} where d = date '2024-01-02' {% endif %}
