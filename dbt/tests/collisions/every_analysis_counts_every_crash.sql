with months as (
    select crash_month, count(*) as crashes, sum(coalesce(persons_killed, 0)) as persons_killed
    from {{ ref('crashes') }}
    group by 1
),

analyses as (
    select 'borough' as analysis, crash_month, sum(crashes) as crashes, sum(persons_killed) as persons_killed
    from {{ ref('crashes_by_borough') }}
    group by 2
    union all
    select 'hour' as analysis, crash_month, sum(crashes) as crashes, sum(persons_killed) as persons_killed
    from {{ ref('crashes_by_hour') }}
    group by 2
    union all
    select 'severity' as analysis, crash_month, sum(crashes) as crashes, sum(persons_killed) as persons_killed
    from {{ ref('crashes_by_severity') }}
    group by 2
)

select crash_month, analyses.analysis, months.crashes, analyses.crashes as counted
from months
full join analyses using (crash_month)
where
    months.crashes is distinct from analyses.crashes
    or months.persons_killed is distinct from analyses.persons_killed
