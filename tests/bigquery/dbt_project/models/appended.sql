{{ config(materialized='incremental', on_schema_change='append_new_columns') }}
select id{% if is_incremental() %}, 1 as extra{% endif %} from {{ ref('base') }}
