-- section 1.14, decision 8: make-up Saturdays work, holidays do not, years without a notice are Monday to Friday
with expected (calendar_date, is_workday) as (

    values
    (date '2026-02-14', true),
    (date '2026-02-15', false),
    (date '2026-02-23', false),
    (date '2026-10-10', true),
    (date '2025-10-08', false),
    (date '2025-10-09', true),
    (date '2017-10-02', true),
    (date '2017-09-30', false)

),

workdays as (

    select * from {{ ref('dim_workday') }}

)

select
    expected.calendar_date,
    workdays.is_workday
from expected
left join workdays on expected.calendar_date = workdays.calendar_date
where workdays.is_workday is distinct from expected.is_workday
