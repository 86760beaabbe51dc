with source as (

    select * from {{ source('hubspot', 'meetings') }}

),

renamed as (

    select

        ---------- ids
        id as meeting_id,
        hubspot_owner_id as owner_id,
        {{ first_id('company_ids') }} as company_id,
        {{ first_id('contact_ids') }} as contact_id,
        {{ first_id('deal_ids') }} as deal_id,

        ---------- text
        hs_meeting_title as title,
        upper(hs_meeting_outcome) as outcome,
        hs_meeting_location as location,
        lower(visit_type) as visit_type,

        ---------- booleans
        coalesce(archived, false) as is_archived,

        ---------- timestamps
        coalesce(hs_meeting_start_time, hs_timestamp) as occurred_at,
        hs_meeting_end_time as ended_at,
        hs_createdate as created_at,
        hs_lastmodifieddate as updated_at,

        ---------- lineage
        {{ record_ref('hubspot', 'meetings') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
