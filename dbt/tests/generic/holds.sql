{#- Every row satisfies a condition; a row for which it is NULL does not. -#}
{% test holds(model, condition) %}
select *
from {{ model }}
where not coalesce({{ condition }}, false)
{% endtest %}
