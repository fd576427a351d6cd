{{ config(materialized='table') }}

select
    borough,
    county,
    fips_code
from {{ ref('collisions_boroughs') }}
