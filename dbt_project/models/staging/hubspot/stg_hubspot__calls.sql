with source as (

    select * from {{ source('hubspot', 'calls') }}

),

renamed as (

    select

        ---------- ids
        id as call_id,
        hubspot_owner_id as owner_id,
        {{ first_id('company_ids') }} as company_id,
        {{ first_id('contact_ids') }} as contact_id,
        {{ first_id('deal_ids') }} as deal_id,

        ---------- text
        hs_call_title as title,
        case upper(hs_call_direction) when 'INBOUND' then 'inbound' when 'OUTBOUND' then 'outbound' end as direction,
        hs_call_disposition as disposition,

        ---------- numerics
        hs_call_duration as duration_ms,

        ---------- booleans
        coalesce(archived, false) as is_archived,

        ---------- timestamps
        hs_timestamp as occurred_at,
        hs_createdate as created_at,
        hs_lastmodifieddate as updated_at,

        ---------- lineage
        {{ record_ref('hubspot', 'calls') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
