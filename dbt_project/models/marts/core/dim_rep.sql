with reps as (

    select * from {{ ref('int_reps') }}

)

select
    rep_key,
    team_key,
    full_name,
    email,
    mobile,
    team_name,
    region,
    manager_name,
    role,
    is_active,
    record_ref
from reps
