with source as (

    select * from {{ source('hubspot', 'tickets') }}

),

renamed as (

    select

        ---------- ids
        id as ticket_id,
        hubspot_owner_id as owner_id,
        {{ first_id('company_ids') }} as company_id,

        ---------- text
        subject as title,
        hs_pipeline_stage as raw_stage,
        lower(hs_ticket_category) as category,

        ---------- booleans
        coalesce(archived, false) as is_archived,

        ---------- timestamps
        closed_date as closed_at,
        createdate as created_at,
        hs_lastmodifieddate as updated_at,

        ---------- lineage
        {{ record_ref('hubspot', 'tickets') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
