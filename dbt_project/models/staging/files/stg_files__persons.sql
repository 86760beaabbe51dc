with source as (

    select * from {{ source('files', 'persons') }}

),

renamed as (

    select

        ---------- ids
        source,
        stream,
        person_id,
        party_id,

        ---------- text
        full_name,
        mobile,
        phone,
        email,
        job_title,
        buying_role,

        ---------- timestamps
        created_at,

        ---------- lineage
        source || '/' || stream || '/' || _key as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
