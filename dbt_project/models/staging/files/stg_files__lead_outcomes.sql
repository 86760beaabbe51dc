with source as (

    select * from {{ source('files', 'lead_outcomes') }}

),

renamed as (

    select

        ---------- ids
        source,
        stream,
        lead_id,
        owner_ref,

        ---------- text
        outcome,

        ---------- timestamps
        decided_at,

        ---------- lineage
        source || '/' || stream || '/' || _key as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
