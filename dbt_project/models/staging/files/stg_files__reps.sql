with source as (

    select * from {{ source('files', 'reps') }}

),

renamed as (

    select

        ---------- ids
        source,
        stream,
        rep_id,

        ---------- text
        full_name,
        lower(trim(email)) as email,
        mobile,
        team_name,
        region,
        manager_name,

        ---------- lineage
        source || '/' || stream || '/' || _key as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
