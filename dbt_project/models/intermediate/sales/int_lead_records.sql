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

links as (

    select * from {{ ref('int_customer_links') }}

),

person_links as (

    select * from {{ ref('int_person_links') }}

),

rep_crosswalk as (

    select * from {{ ref('int_rep_crosswalk') }}

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

)

select * from combined
