with source as (

    select * from {{ source('u8', 'persons') }}

),

renamed as (

    select

        ---------- ids
        cPersonCode as person_code,
        cDepCode as department_code,

        ---------- text
        cPersonName as full_name,
        cPersonPhone as mobile,
        lower(trim(cPersonEmail)) as email,

        ---------- versions
        ufts as row_version,

        ---------- lineage
        {{ record_ref('u8', 'persons') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
