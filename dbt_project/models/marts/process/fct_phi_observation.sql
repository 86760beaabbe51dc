with leads as (

    select * from {{ ref('int_leads') }}

),

dated_nodes as (

    select * from {{ ref('int_due_nodes') }}

),

barriers as (

    select * from {{ ref('int_barriers') }}

),

requests as (

    select * from {{ ref('int_cross_role_requests') }}

),

opportunities as (

    select * from {{ ref('int_opportunities') }}

),

parties as (

    select * from {{ ref('int_parties_unioned') }}

),

links as (

    select * from {{ ref('int_customer_links') }}

),

owners as (

    select * from {{ ref('int_customer_owners') }}

),

reps as (

    select * from {{ ref('int_reps') }}

),

-- a lead counts once it is decided: answered in time, or the time has passed
limited_leads as (

    select
        *,
        created_at + {{ threshold_hours('PH-1.response', local_date('leads.created_at')) }} as answer_until,
        created_at + {{ threshold_days('PH.window', local_date('leads.created_at')) }} as counts_until
    from leads
    where created_at is not null

),

decided_leads as (

    select
        *,
        coalesce(first_response_at <= answer_until, false) as is_timely,
        least(first_response_at, answer_until) as decided_since
    from limited_leads

),

due_nodes as (

    select
        *,
        due_at + {{ threshold_days('PH.window', local_date('dated_nodes.due_at')) }} as counts_until
    from dated_nodes

),

declared_barriers as (

    select
        barriers.*,
        reps.region,
        reps.team_key,
        barriers.declared_at + {{ threshold_days('PH.window', local_date('barriers.declared_at')) }} as counts_until
    from barriers
    left join reps on barriers.rep_key = reps.rep_key

),

sales_requests as (

    select
        requests.*,
        reps.region,
        reps.team_key,
        requests.requested_at + {{ threshold_days('PH.window', local_date('requests.requested_at')) }} as counts_until
    from requests
    left join reps on requests.rep_key = reps.rep_key

),

-- the customers in play: those with an opportunity open at some time in the window
active_customers as (

    select
        customer_gid,
        region,
        team_key,
        created_at as counts_from,
        coalesce(
            closed_at + {{ threshold_days('PH.window', local_date('opportunities.closed_at')) }},
            timestamptz '9999-12-31 00:00:00+00'
        ) as counts_until,
        record_ref
    from opportunities
    where customer_gid is not null and created_at is not null

),

customer_records as (

    select
        links.customer_gid,
        reps.region,
        reps.team_key,
        parties.created_at,
        coalesce(parties.updated_at, parties.created_at) as updated_at,
        parties.record_ref
    from parties
    inner join links
        on
            parties.source = links.source
            and parties.source_key = links.source_key
    left join owners on links.customer_gid = owners.customer_gid
    left join reps on owners.rep_key = reps.rep_key

),

-- a record is fresh for so long after it was made and after its newest update
fresh_records as (

    select
        *,
        unnest([created_at, updated_at]) as counts_from
    from customer_records

),

observations as (

    select
        'PH-1' as dimension,
        'denominator' as part,
        lead_key as subject_key,
        region,
        team_key,
        decided_since as counts_from,
        counts_until,
        record_ref
    from decided_leads

    union all

    select
        'PH-1' as dimension,
        'numerator' as part,
        lead_key as subject_key,
        region,
        team_key,
        decided_since as counts_from,
        counts_until,
        response_ref as record_ref
    from decided_leads
    where is_timely

    union all

    select
        'PH-2' as dimension,
        'denominator' as part,
        node_key as subject_key,
        region,
        team_key,
        due_at as counts_from,
        counts_until,
        record_ref
    from due_nodes

    union all

    select
        'PH-2' as dimension,
        'numerator' as part,
        node_key as subject_key,
        region,
        team_key,
        greatest(due_at, completed_at) as counts_from,
        counts_until,
        evidence_ref as record_ref
    from due_nodes
    where completed_at is not null

    union all

    select
        'PH-3' as dimension,
        'denominator' as part,
        barrier_key as subject_key,
        region,
        team_key,
        declared_at as counts_from,
        counts_until,
        record_ref
    from declared_barriers

    union all

    select
        'PH-3' as dimension,
        'numerator' as part,
        barrier_key as subject_key,
        region,
        team_key,
        verified_at as counts_from,
        counts_until,
        record_ref
    from declared_barriers
    where is_verified

    union all

    select
        'PH-4' as dimension,
        'denominator' as part,
        customer_gid as subject_key,
        region,
        team_key,
        counts_from,
        counts_until,
        record_ref
    from active_customers

    union all

    select
        'PH-4' as dimension,
        'numerator' as part,
        request_key as subject_key,
        region,
        team_key,
        requested_at as counts_from,
        counts_until,
        record_ref
    from sales_requests

    union all

    select
        'PH-5' as dimension,
        'denominator' as part,
        customer_gid as subject_key,
        region,
        team_key,
        coalesce(created_at, timestamptz '1900-01-01 00:00:00+00') as counts_from,
        timestamptz '9999-12-31 00:00:00+00' as counts_until,
        record_ref
    from customer_records

    union all

    select distinct
        'PH-5' as dimension,
        'numerator' as part,
        customer_gid as subject_key,
        region,
        team_key,
        counts_from,
        counts_from + {{ threshold_days('PH-5.fresh', local_date('fresh_records.counts_from')) }} as counts_until,
        record_ref
    from fresh_records
    where counts_from is not null

)

select * from observations
