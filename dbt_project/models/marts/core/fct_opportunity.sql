with opportunities as (

    select * from {{ ref('int_opportunities') }}

),

stages as (

    select * from {{ ref('ref_stage') }}

),

visits as (

    select * from {{ ref('int_stage_visits') }}

),

activities as (

    select * from {{ ref('int_activities') }}

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

        ---------- booleans
        opportunities.is_closed,
        opportunities.is_won,

        ---------- timestamps
        opportunities.created_at,
        last_visits.stage_entered_at,
        opportunities.expected_close_at,
        opportunities.closed_at,
        contact_totals.last_contact_at,

        ---------- lineage
        opportunities.record_ref

    from opportunities
    left join stages
        on
            opportunities.pipeline = stages.pipeline
            and opportunities.stage = stages.stage
    left join last_visits on opportunities.opportunity_key = last_visits.opportunity_key
    left join contact_totals on opportunities.opportunity_key = contact_totals.opportunity_key

)

select * from enriched
