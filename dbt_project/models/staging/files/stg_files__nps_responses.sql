with source as (

    select * from {{ source('files', 'nps_responses') }}

),

renamed as (

    select

        ---------- ids
        source,
        stream,
        response_id,
        party_id,

        ---------- text
        company_name,
        mobile,
        comment,

        ---------- numerics
        score,

        ---------- timestamps
        responded_at,

        ---------- lineage
        source || '/' || stream || '/' || _key as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
