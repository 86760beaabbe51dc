-- The notice for the next year is published in November: load it into ref_calendar_exception before the table ends.
{{ config(severity='warn') }}

with exceptions as (

    select * from {{ ref('ref_calendar_exception') }}

),

covered as (

    select make_date(cast(max(year(calendar_date)) as integer), 12, 31) as last_date
    from exceptions

)

select last_date
from covered
where last_date < {{ local_date(as_of()) }} + 60
