{#- Two tables have the same days, of those that the build has named. -#}
{% test same_days(model, to) %}
with here as (select distinct day from {{ model }} where {{ daily.in_named_days() }}),

there as (select distinct day from {{ to }} where {{ daily.in_named_days() }})

select day, here.day is not null as is_here, there.day is not null as is_there
from here
full join there using (day)
where here.day is null or there.day is null
{% endtest %}
