with leads as (

    select * from {{ ref('int_leads') }}

),

nodes as (

    select * from {{ ref('int_nodes') }}

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

limits as (

    select
        to_days(cast({{ threshold('PH.window', 'upper_limit') }} as integer)) as phi_window,
        to_days(cast({{ threshold('PH-5.fresh', 'upper_limit') }} as integer)) as freshness,
        to_hours(cast({{ threshold('PH-1.response', 'upper_limit') }} as integer)) as response_limit,
        to_hours(cast({{ alert_hours('AL-3') }} as integer)) as node_limit

),

-- a lead counts once it is decided: answered in time, or the time has passed
decided_leads as (

    select
        leads.*,
        coalesce(leads.first_response_at <= leads.created_at + limits.response_limit, false) as is_timely,
        least(leads.first_response_at, leads.created_at + limits.response_limit) as decided_since,
        leads.created_at + limits.phi_window as counts_until
    from leads
    cross join limits
    where leads.created_at is not null

),

-- a node is due when the stage is left for another one, and at the latest after AL-3's limit
due_nodes as (

    select
        nodes.*,
        opportunities.region,
        opportunities.team_key,
        least(
            case when nodes.visit_outcome = 'advanced' then nodes.closed_stage_at end,
            nodes.opened_at + limits.node_limit
        ) as due_at,
        limits.phi_window
    from nodes
    inner join opportunities on nodes.opportunity_key = opportunities.opportunity_key
    cross join limits
    where
        nodes.closed_stage_at is null
        or nodes.visit_outcome = 'advanced'
        or nodes.closed_stage_at >= nodes.opened_at + limits.node_limit

),

declared_barriers as (

    select
        barriers.*,
        reps.region,
        reps.team_key,
        barriers.declared_at + limits.phi_window as counts_until
    from barriers
    cross join limits
    left join reps on barriers.rep_key = reps.rep_key

),

sales_requests as (

    select
        requests.*,
        reps.region,
        reps.team_key,
        requests.requested_at + limits.phi_window as counts_until
    from requests
    cross join limits
    left join reps on requests.rep_key = reps.rep_key

),

-- the customers in play: those with an opportunity open at some time in the window
active_customers as (

    select
        opportunities.customer_gid,
        opportunities.region,
        opportunities.team_key,
        opportunities.created_at as counts_from,
        coalesce(opportunities.closed_at + limits.phi_window, timestamptz '9999-12-31 00:00:00+00') as counts_until,
        opportunities.record_ref
    from opportunities
    cross join limits
    where opportunities.customer_gid is not null and opportunities.created_at is not null

),

customer_records as (

    select
        links.customer_gid,
        reps.region,
        reps.team_key,
        parties.created_at,
        coalesce(parties.updated_at, parties.created_at) as updated_at,
        limits.freshness,
        parties.record_ref
    from parties
    inner join links
        on
            parties.source = links.source
            and parties.source_key = links.source_key
    cross join limits
    left join owners on links.customer_gid = owners.customer_gid
    left join reps on owners.rep_key = reps.rep_key

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
        due_at + phi_window as counts_until,
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
        due_at + phi_window as counts_until,
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

    select
        'PH-5' as dimension,
        'numerator' as part,
        customer_gid as subject_key,
        region,
        team_key,
        updated_at as counts_from,
        updated_at + freshness as counts_until,
        record_ref
    from customer_records
    where updated_at is not null

    union all

    select
        'PH-5' as dimension,
        'numerator' as part,
        customer_gid as subject_key,
        region,
        team_key,
        created_at as counts_from,
        created_at + freshness as counts_until,
        record_ref
    from customer_records
    where created_at is not null

)

select * from observations
