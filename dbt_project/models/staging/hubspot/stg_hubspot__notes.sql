with source as (

    select * from {{ source('hubspot', 'notes') }}

),

renamed as (

    select

        ---------- ids
        id as note_id,
        hubspot_owner_id as owner_id,
        {{ first_id('company_ids') }} as company_id,
        {{ first_id('contact_ids') }} as contact_id,
        {{ first_id('deal_ids') }} as deal_id,
        hs_attachment_ids as attachment_ids,

        ---------- text
        hs_note_body as body,
        evidence_kind,

        ---------- booleans
        coalesce(archived, false) as is_archived,

        ---------- timestamps
        hs_timestamp as occurred_at,
        hs_createdate as created_at,
        hs_lastmodifieddate as updated_at,

        ---------- lineage
        {{ record_ref('hubspot', 'notes') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
