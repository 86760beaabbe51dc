-- What these calls and meetings came to is not recorded or not in ref_activity_outcome: they count neither as contact nor as none.
{{ config(severity='warn') }}

with activities as (

    select * from {{ ref('int_activities') }}

)

select
    source,
    activity_type,
    outcome,
    count(*) as n_activities
from activities
where is_customer_contact is null
group by source, activity_type, outcome
