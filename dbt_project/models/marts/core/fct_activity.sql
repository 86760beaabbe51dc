with activities as (

    select * from {{ ref('int_activities') }}

)

select
    activity_key,
    source,
    activity_type,
    customer_gid,
    person_gid,
    opportunity_key,
    rep_key,
    team_key,
    occurred_at,
    direction,
    summary,
    outcome,
    is_customer_contact,
    has_evidence,
    evidence_kind,
    evidence_ref,
    record_ref
from activities
