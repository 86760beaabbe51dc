with source as (

    select * from {{ source('files', 'leads') }}

),

renamed as (

    select

        ---------- ids
        source,
        stream,
        lead_id,
        party_id,
        person_id,
        owner_ref,

        ---------- text
        lead_source,
        campaign,
        need,
        region,

        ---------- timestamps
        created_at,
        assigned_at,
        first_response_at,

        ---------- lineage
        source || '/' || stream || '/' || _key as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
