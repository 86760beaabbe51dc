-- 2025 and 2026 have 248 working days each by the notices of the State Council
with workdays as (

    select
        year(calendar_date) as calendar_year,
        count(*) filter (where is_workday) as n_workdays
    from {{ ref('dim_workday') }}
    where year(calendar_date) in (2025, 2026)
    group by year(calendar_date)

)

select *
from workdays
where n_workdays != 248
