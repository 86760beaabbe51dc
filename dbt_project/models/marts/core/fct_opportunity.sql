with opportunities as (

    select * from {{ ref('int_opportunities') }}

),

stages as (

    select * from {{ ref('ref_stage') }} as versions
    where {{ holds_on('versions', local_date(as_of())) }}

),

visits as (

    select * from {{ ref('int_stage_visits') }}

),

activities as (

    select * from {{ ref('int_activities') }}

),

leads as (

    select * from {{ ref('int_leads') }}

),

last_visits as (

    select
        opportunity_key,
        arg_max(entered_at, visit_no) as stage_entered_at
    from visits
    group by opportunity_key

),

contact_totals as (

    select
        opportunity_key,
        count(*) as n_contacts,
        max(occurred_at) as last_contact_at
    from activities
    where opportunity_key is not null and is_customer_contact and occurred_at <= {{ as_of() }}
    group by opportunity_key

),

-- FU-6: the first touch is the lead's, where the opportunity has one
touches as (

    select
        opportunity_key,
        created_at as touched_at,
        record_ref
    from opportunities
    union all
    select
        opportunities.opportunity_key,
        leads.created_at as touched_at,
        leads.record_ref
    from opportunities
    inner join leads on opportunities.lead_key = leads.lead_key
    union all
    select
        opportunity_key,
        entered_at as touched_at,
        record_ref
    from visits

),

first_touches as (

    select
        opportunity_key,
        min(touched_at) as first_touch_at,
        arg_min(record_ref, (touched_at, record_ref)) filter (where touched_at is not null) as first_touch_ref
    from touches
    group by opportunity_key

),

signatures as (

    select
        opportunity_key,
        max(entered_at) as signed_at,
        arg_max(record_ref, (entered_at, record_ref)) as signed_ref
    from visits
    where outcome = 'won'
    group by opportunity_key

),

enriched as (

    select

        ---------- ids
        opportunities.opportunity_key,
        opportunities.source,
        opportunities.opportunity_id,
        opportunities.customer_gid,
        opportunities.rep_key,
        opportunities.team_key,
        opportunities.lead_key,
        opportunities.contract_no,

        ---------- text
        opportunities.opportunity_name,
        opportunities.region,
        opportunities.product_line,
        opportunities.industry,
        opportunities.pipeline,
        opportunities.stage,
        stages.stage_name,
        opportunities.lost_reason,

        ---------- numerics
        stages.position as stage_position,
        opportunities.amount,
        opportunities.currency,
        opportunities.amount_cny,
        opportunities.standard_amount_cny,
        coalesce(contact_totals.n_contacts, 0) as n_contacts,
        case
            when opportunities.is_won then {{ days_between('first_touches.first_touch_at', 'signatures.signed_at') }}
        end as cycle_days,

        ---------- booleans
        opportunities.is_closed,
        opportunities.is_won,

        ---------- timestamps
        opportunities.created_at,
        first_touches.first_touch_at,
        last_visits.stage_entered_at,
        opportunities.expected_close_at,
        opportunities.closed_at,
        case when opportunities.is_won then signatures.signed_at end as signed_at,
        contact_totals.last_contact_at,

        ---------- lineage
        first_touches.first_touch_ref,
        case when opportunities.is_won then signatures.signed_ref end as signed_ref,
        opportunities.record_ref

    from opportunities
    left join stages
        on
            opportunities.pipeline = stages.pipeline
            and opportunities.stage = stages.stage
    left join last_visits on opportunities.opportunity_key = last_visits.opportunity_key
    left join contact_totals on opportunities.opportunity_key = contact_totals.opportunity_key
    left join first_touches on opportunities.opportunity_key = first_touches.opportunity_key
    left join signatures on opportunities.opportunity_key = signatures.opportunity_key

)

select * from enriched
