with source as (

    select * from {{ source('hubspot', 'leads') }}

),

renamed as (

    select

        ---------- ids
        id as lead_id,
        submission_id,
        converted_deal_id,
        primary_company_id as company_id,
        primary_contact_id as contact_id,
        hubspot_owner_id as owner_id,

        ---------- text
        hs_lead_name as lead_name,
        lead_source,
        lead_status,

        ---------- booleans
        coalesce(archived, false) as is_archived,

        ---------- timestamps
        hubspot_owner_assigneddate as assigned_at,
        createdate as created_at,
        hs_lastmodifieddate as updated_at,

        ---------- lineage
        {{ record_ref('hubspot', 'leads') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
