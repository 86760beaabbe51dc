with source as (

    select * from {{ source('files', 'activities') }}

),

renamed as (

    select

        ---------- ids
        source,
        stream,
        activity_id,
        party_id,
        opportunity_id,
        owner_ref,

        ---------- text
        activity_type,
        summary,
        evidence_kind,

        ---------- timestamps
        occurred_at,

        ---------- lineage
        source || '/' || stream || '/' || _key as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
