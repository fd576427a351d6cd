{{ config(materialized='table', partition_by={'field':'d','data_type':'date'}, cluster_by=['s'], labels={'a':'b'}) }}
select * from {{ ref('staged') }}
