with leads as (

    select * from {{ ref('int_leads') }}

),

timed as (

    select
        *,
        -- two systems stamp the two times: up to 5 minutes before is at once, earlier is another assignment
        case
            when assigned_at >= created_at then {{ minutes_between('created_at', 'assigned_at') }}
            when assigned_at >= created_at - interval 5 minute then 0
        end as allocation_minutes,
        {{ minutes_between('created_at', 'first_response_at') }} as response_minutes,
        -- how long the lead waited: for an answer, for the decision that made one needless, or until now
        {{ hours_between('created_at', 'coalesce(first_response_at, decided_at, ' ~ as_of() ~ ')') }} as waited_hours,
        coalesce(first_response_at, decided_at) is not null as is_handled
    from leads

),

judged as (

    select

        ---------- ids
        lead_key,
        source,
        lead_id,
        customer_gid,
        person_gid,
        rep_key,
        team_key,
        opportunity_key,

        ---------- text
        region,
        lead_source,
        outcome,

        ---------- numerics
        allocation_minutes,
        response_minutes,
        response_minutes / 60.0 as response_hours,

        ---------- booleans
        first_response_at is not null as is_responded,
        case
            when waited_hours * 60 > {{ threshold('LD-1', 'upper_limit') }} then false
            when first_response_at is not null then true
        end as is_within_sla,
        case
            when waited_hours > {{ threshold('LD-2', 'upper_limit') }} then true
            when is_handled then false
        end as is_escalated,
        case
            when waited_hours > {{ threshold('LD-3', 'upper_limit') }} then false
            when first_response_at is not null then true
        end as is_within_experience_limit,
        case
            when waited_hours > {{ threshold('LD-4', 'upper_limit') }} then true
            when is_handled then false
        end as is_sleeping,

        ---------- timestamps
        created_at,
        assigned_at,
        first_response_at,
        decided_at,

        ---------- lineage
        response_ref,
        record_ref

    from timed

)

select * from judged
