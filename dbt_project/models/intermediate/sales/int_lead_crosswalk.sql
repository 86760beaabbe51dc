with file_leads as (

    select * from {{ ref('stg_files__leads') }}

),

crm_leads as (

    select * from {{ ref('stg_hubspot__leads') }}

),

submissions as (

    select
        lead_id,
        min(source || ':' || lead_id) as lead_key
    from file_leads
    group by lead_id

),

-- a lead that a form brought in keeps the form's key when the CRM works it on
crm_keys as (

    select
        'hubspot' as source,
        crm_leads.lead_id,
        coalesce(submissions.lead_key, 'hubspot:' || crm_leads.lead_id) as lead_key
    from crm_leads
    left join submissions on crm_leads.submission_id = submissions.lead_id
    where not crm_leads.is_archived

),

form_keys as (

    select
        source,
        lead_id,
        source || ':' || lead_id as lead_key
    from file_leads

)

select * from form_keys
union all
select * from crm_keys
