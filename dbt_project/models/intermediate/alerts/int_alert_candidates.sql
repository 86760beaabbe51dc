with opportunities as (

    select * from {{ ref('int_opportunities') }}

),

stage_events as (

    select * from {{ ref('int_stage_events') }}
    where entered_at <= {{ as_of() }}

),

contacts as (

    select * from {{ ref('int_activities') }}
    where is_customer_contact and occurred_at <= {{ as_of() }}

),

nodes as (

    select * from {{ ref('int_nodes') }}

),

leads as (

    select * from {{ ref('int_leads') }}

),

customers as (

    select * from {{ ref('dim_customer') }}

),

parties as (

    select * from {{ ref('int_parties_unioned') }}

),

links as (

    select * from {{ ref('int_customer_links') }}

),

customer_owners as (

    select * from {{ ref('int_customer_owners') }}

),

current_stages as (

    select
        opportunity_key,
        max(entered_at) as entered_at,
        max_by(stage, (entered_at, stage)) as stage,
        max_by(record_ref, (entered_at, stage)) as record_ref
    from stage_events
    group by opportunity_key

),

quotes_without_contact as (

    select
        'AL-1' as rule_code,
        opportunities.opportunity_key as subject_id,
        opportunities.opportunity_name as subject,
        opportunities.opportunity_key,
        opportunities.customer_gid,
        opportunities.rep_key,
        current_stages.entered_at as started_at,
        current_stages.record_ref as evidence_ref
    from opportunities
    inner join current_stages on opportunities.opportunity_key = current_stages.opportunity_key
    where
        current_stages.stage = 'quote'
        and not coalesce(opportunities.is_closed and coalesce(opportunities.closed_at <= {{ as_of() }}, true), false)
        and not exists (
            select 1
            from contacts
            where
                contacts.opportunity_key = opportunities.opportunity_key
                and contacts.occurred_at > current_stages.entered_at
        )
        and not exists (
            select 1
            from contacts
            where
                contacts.customer_gid = opportunities.customer_gid
                and contacts.occurred_at > current_stages.entered_at
        )

),

open_nodes as (

    select
        nodes.node_key as subject_id,
        concat_ws(' / ', opportunities.opportunity_name, nodes.node_code) as subject,
        nodes.opportunity_key,
        opportunities.customer_gid,
        opportunities.rep_key,
        nodes.opened_at as started_at,
        nodes.record_ref as evidence_ref
    from nodes
    inner join opportunities on nodes.opportunity_key = opportunities.opportunity_key
    where
        nodes.is_mandatory
        and (nodes.completed_at is null or nodes.completed_at > {{ as_of() }})
        and (nodes.closed_stage_at is null or nodes.closed_stage_at > {{ as_of() }})

),

unhandled_leads as (

    select
        'AL-5' as rule_code,
        leads.lead_key as subject_id,
        coalesce(customers.company_name, leads.lead_id) as subject,
        leads.opportunity_key,
        leads.customer_gid,
        leads.rep_key,
        leads.created_at as started_at,
        leads.record_ref as evidence_ref
    from leads
    left join customers on leads.customer_gid = customers.customer_gid
    where
        (leads.first_response_at is null or leads.first_response_at > {{ as_of() }})
        and (leads.decided_at is null or leads.decided_at > {{ as_of() }})
        and leads.opportunity_key is null

),

last_contacts as (

    select
        customer_gid,
        max(occurred_at) as last_contact_at,
        max_by(rep_key, (occurred_at, record_ref)) as rep_key,
        max_by(record_ref, (occurred_at, record_ref)) as record_ref
    from contacts
    where customer_gid is not null
    group by customer_gid

),

first_records as (

    select
        links.customer_gid,
        arg_min(
            parties.record_ref, (coalesce(parties.created_at, timestamptz '9999-12-31 00:00:00+00'), parties.record_ref)
        ) as record_ref
    from parties
    inner join links
        on
            parties.source = links.source
            and parties.source_key = links.source_key
    group by links.customer_gid

),

-- a tier A customer nobody ever contacted is silent since it was first seen
silent_customers as (

    select
        'AL-9' as rule_code,
        customers.customer_gid as subject_id,
        customers.company_name as subject,
        null as opportunity_key,
        customers.customer_gid,
        coalesce(customer_owners.rep_key, last_contacts.rep_key) as rep_key,
        coalesce(last_contacts.last_contact_at, customers.first_seen_at) as started_at,
        coalesce(last_contacts.record_ref, first_records.record_ref) as evidence_ref
    from customers
    left join last_contacts on customers.customer_gid = last_contacts.customer_gid
    left join first_records on customers.customer_gid = first_records.customer_gid
    left join customer_owners on customers.customer_gid = customer_owners.customer_gid
    where customers.tier = 'A'

),

candidates as (

    select * from quotes_without_contact
    union all
    select
        node_rules.rule_code,
        open_nodes.*
    from open_nodes
    cross join (values ('AL-2'), ('AL-3')) as node_rules (rule_code)
    union all
    select * from unhandled_leads
    union all
    select * from silent_customers

)

select * from candidates
