{{ config(materialized='table') }}
select id, s from {{ ref('base') }} {% if var('gone', false) %} where id != 2 {% endif %}
