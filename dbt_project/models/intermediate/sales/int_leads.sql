with file_leads as (

    select * from {{ ref('stg_files__leads') }}

),

lead_outcomes as (

    select * from {{ ref('stg_files__lead_outcomes') }}

),

crm_leads as (

    select * from {{ ref('stg_hubspot__leads') }}

),

contacts as (

    select * from {{ ref('stg_hubspot__contacts') }}

),

lead_crosswalk as (

    select * from {{ ref('int_lead_crosswalk') }}

),

lead_statuses as (

    select * from {{ ref('ref_lead_status') }}

),

links as (

    select * from {{ ref('int_customer_links') }}

),

person_links as (

    select * from {{ ref('int_person_links') }}

),

rep_crosswalk as (

    select * from {{ ref('int_rep_crosswalk') }}

),

reps as (

    select * from {{ ref('int_reps') }}

),

opportunities as (

    select * from {{ ref('int_opportunities') }}

),

activities as (

    select * from {{ ref('int_activities') }}

),

-- of several CRM leads for one submission the first one created counts
crm_side as (

    select
        lead_crosswalk.lead_key,
        crm_leads.*
    from crm_leads
    inner join lead_crosswalk
        on
            crm_leads.lead_id = lead_crosswalk.lead_id
            and lead_crosswalk.source = 'hubspot'
    qualify row_number() over (
        partition by lead_crosswalk.lead_key
        order by crm_leads.created_at, crm_leads.lead_id
    ) = 1

),

form_side as (

    select
        file_leads.source || ':' || file_leads.lead_id as lead_key,
        file_leads.*,
        lead_outcomes.outcome as stated_outcome,
        lead_outcomes.decided_at as stated_decided_at,
        coalesce(file_leads.owner_ref, lead_outcomes.owner_ref) as form_owner_ref
    from file_leads
    left join lead_outcomes
        on
            file_leads.source = lead_outcomes.source
            and file_leads.lead_id = lead_outcomes.lead_id

),

combined as (

    select
        coalesce(form_side.lead_key, crm_side.lead_key) as lead_key,
        coalesce(form_side.source, 'hubspot') as source,
        coalesce(form_side.lead_id, crm_side.lead_id) as lead_id,
        case when form_side.party_id is not null then form_side.source else 'hubspot' end as party_source,
        coalesce(form_side.party_id, crm_side.company_id, contacts.company_id) as party_source_key,
        coalesce(crm_links.customer_gid, form_links.customer_gid) as customer_gid,
        coalesce(crm_persons.person_gid, form_persons.person_gid) as person_gid,
        coalesce(crm_reps.rep_key, form_reps.rep_key) as rep_key,
        form_side.region as form_region,
        coalesce(form_side.lead_source, crm_side.lead_source) as lead_source,
        -- a card that bears a day and no time is as old as the lead that the CRM made of it
        case
            when form_side.created_at != {{ local_midnight(local_date('form_side.created_at')) }} then form_side.created_at
            else coalesce(crm_side.created_at, form_side.created_at)
        end as created_at,
        coalesce(crm_side.assigned_at, form_side.assigned_at) as assigned_at,
        form_side.first_response_at as stated_response_at,
        form_side.stated_outcome,
        form_side.stated_decided_at,
        crm_side.lead_status,
        crm_side.updated_at as status_updated_at,
        'hubspot:' || crm_side.converted_deal_id as converted_opportunity_key,
        coalesce(form_side.record_ref, crm_side.record_ref) as record_ref
    from form_side
    full outer join crm_side on form_side.lead_key = crm_side.lead_key
    left join contacts on crm_side.contact_id = contacts.contact_id
    left join links as crm_links
        on
            crm_links.source = 'hubspot'
            and coalesce(crm_side.company_id, contacts.company_id) = crm_links.source_key
    left join links as form_links
        on
            form_side.source = form_links.source
            and form_side.party_id = form_links.source_key
    left join person_links as crm_persons
        on
            crm_persons.source = 'hubspot'
            and crm_side.contact_id = crm_persons.source_key
    left join person_links as form_persons
        on
            form_side.source = form_persons.source
            and form_side.person_id = form_persons.source_key
    left join rep_crosswalk as crm_reps
        on
            crm_reps.source = 'hubspot'
            and crm_side.owner_id = crm_reps.rep_ref
    left join rep_crosswalk as form_reps
        on
            form_side.source = form_reps.source
            and form_side.form_owner_ref = form_reps.rep_ref

),

first_opportunities as (

    select
        lead_key,
        arg_min(
            opportunity_key, (coalesce(created_at, timestamptz '9999-12-31 00:00:00+00'), opportunity_key)
        ) as opportunity_key
    from opportunities
    where lead_key is not null
    group by lead_key

),

decided as (

    select
        combined.*,
        opportunities.opportunity_key,
        case
            when opportunities.is_won or stated.outcome = 'won' then 'won'
            when
                opportunities.opportunity_key is not null
                or stated.outcome = 'converted'
                or statuses.outcome = 'converted'
                then 'converted'
            when stated.outcome = 'disqualified' or statuses.outcome = 'disqualified' then 'disqualified'
            else 'open'
        end as outcome,
        coalesce(
            combined.stated_decided_at,
            opportunities.created_at,
            case when statuses.outcome = 'disqualified' then combined.status_updated_at end
        ) as decided_at
    from combined
    left join first_opportunities on combined.lead_key = first_opportunities.lead_key
    left join opportunities
        on coalesce(first_opportunities.opportunity_key, combined.converted_opportunity_key) = opportunities.opportunity_key
    left join lead_statuses as stated
        on lower(replace(trim(combined.stated_outcome), ' ', '_')) = stated.raw_status
    left join lead_statuses as statuses
        on lower(replace(trim(combined.lead_status), ' ', '_')) = statuses.raw_status

),

-- a contact after the decision answers no lead; a decision that bears a day and no time is as late as the day's end
bounded as (

    select
        *,
        case
            when decided_at is null then timestamptz '9999-12-31 00:00:00+00'
            when decided_at = {{ local_midnight(local_date('decided_at')) }} then decided_at + interval 1 day
            else decided_at
        end as answerable_until
    from decided

),

-- LD-1, PH-1: a response is a contact that the rep made; the customer's own call or e-mail is none, whoever took it
contacts_made as (

    select
        customer_gid,
        person_gid,
        opportunity_key,
        rep_key,
        occurred_at,
        record_ref
    from activities
    where
        is_customer_contact
        and occurred_at <= {{ as_of() }}
        and direction is distinct from 'inbound'

),

responses as (

    select
        bounded.lead_key,
        contacts_made.occurred_at,
        contacts_made.record_ref
    from bounded
    inner join contacts_made
        on
            bounded.customer_gid = contacts_made.customer_gid
            and bounded.created_at <= contacts_made.occurred_at
            and bounded.answerable_until >= contacts_made.occurred_at
    where bounded.rep_key is null or bounded.rep_key = contacts_made.rep_key

    union all

    select
        bounded.lead_key,
        contacts_made.occurred_at,
        contacts_made.record_ref
    from bounded
    inner join contacts_made
        on
            bounded.person_gid = contacts_made.person_gid
            and bounded.created_at <= contacts_made.occurred_at
            and bounded.answerable_until >= contacts_made.occurred_at
    where bounded.rep_key is null or bounded.rep_key = contacts_made.rep_key

),

first_responses as (

    select
        lead_key,
        min(occurred_at) as first_response_at,
        arg_min(record_ref, (occurred_at, record_ref)) as response_ref
    from responses
    group by lead_key

),

leads as (

    select
        bounded.lead_key,
        bounded.source,
        bounded.lead_id,
        case when bounded.party_source_key is not null then bounded.party_source end as party_source,
        bounded.party_source_key,
        bounded.customer_gid,
        bounded.person_gid,
        bounded.rep_key,
        reps.team_key,
        coalesce(reps.region, bounded.form_region) as region,
        bounded.lead_source,
        bounded.created_at,
        bounded.assigned_at,
        case
            when bounded.stated_response_at <= bounded.answerable_until then bounded.stated_response_at
            else first_responses.first_response_at
        end as first_response_at,
        case
            when bounded.stated_response_at <= bounded.answerable_until then bounded.record_ref
            else first_responses.response_ref
        end as response_ref,
        bounded.outcome,
        bounded.decided_at,
        bounded.opportunity_key,
        bounded.record_ref
    from bounded
    left join reps on bounded.rep_key = reps.rep_key
    left join first_responses on bounded.lead_key = first_responses.lead_key

)

select * from leads
