{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='d', batch_size='day', begin=(modules.datetime.datetime.now() - modules.datetime.timedelta(2)).strftime('%Y-%m-%d'), lookback=1, partition_by={'field':'d','data_type':'date','granularity':'day'}) }}
select id, d from {{ ref('base') }}
