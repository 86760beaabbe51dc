with source as (

    select * from {{ source('hubspot', 'emails') }}

),

renamed as (

    select

        ---------- ids
        id as email_id,
        hubspot_owner_id as owner_id,
        {{ first_id('company_ids') }} as company_id,
        {{ first_id('contact_ids') }} as contact_id,
        {{ first_id('deal_ids') }} as deal_id,

        ---------- text
        hs_email_subject as title,
        case upper(hs_email_direction) when 'INCOMING_EMAIL' then 'inbound' else 'outbound' end as direction,

        ---------- booleans
        coalesce(archived, false) as is_archived,

        ---------- timestamps
        hs_timestamp as occurred_at,
        hs_createdate as created_at,
        hs_lastmodifieddate as updated_at,

        ---------- lineage
        {{ record_ref('hubspot', 'emails') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
